"""
What the results of a batch amount to, and whether they are complete.

Rule 1: lines are compared by their custom_id if the input is known. Otherwise they are counted, and
compared with the counts of the batch, which may all be 0.
Rule 2: only a completed batch has a result for every line, and it has at least one line.
Rule 3: no result is kept; of the custom_ids only what the comparison needs.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from ..errors import ArgumentInvalid, ResultsIncomplete
from ..objects import Batch
from .line_outcomes import NO_TOKENS, Usage
from .results import INVALID, Result

SHOWN = 5  # ids in a message
MOST_INVALID = 20  # records that cannot be read and are described
MOST_REASONS, REASON_LENGTH = 100, 200  # more reasons than these count as OTHER
OTHER = "other reasons"


@define
class Summary:
    """
    The results of a batch: how many lines are answered, failed, and missing.

    `invalid` counts the failed ones whose record cannot be read, and `invalid_lines` describes the
    first 20 of them. `reasons` counts failed lines by their code and message. `usage` is the sum of
    the tokens. `repeated`, `unknown` and `missing_ids` are custom_ids: with several results, in no
    line of the input, and without a result; `unknown` and `missing_ids` are empty unless the input
    is known (`is_compared`).
    """

    answered: int = 0
    failed: int = 0
    invalid: int = 0
    missing: int = 0
    usage: Usage = NO_TOKENS
    reasons: Counter[str] = field(factory=Counter)
    invalid_lines: list[str] = field(factory=list)
    repeated: list[str] = field(factory=list)
    unknown: list[str] = field(factory=list)
    missing_ids: list[str] = field(factory=list)
    is_compared: bool = False
    _is_ended: bool = field(default=False, repr=False)
    # How many results each custom_id of the input still lacks, or else hashes of those that were
    # seen, which need a third of the memory.
    _lacking: dict[str, int] = field(factory=dict, repr=False)
    _seen: set[int] = field(factory=set, repr=False)

    def expect(self, ids: Iterable[str]) -> None:
        """Names the custom_ids of the input, before the first result is added."""
        self.is_compared = True
        self._lacking = dict(Counter(ids))

    def add(self, result: Result) -> Result:
        """Counts a result, and returns it."""
        if self._is_ended:
            raise ArgumentInvalid("This Summary has ended; make a new one for other results.")
        if result.usage is not None:
            self.usage += result.usage
        if result.ok:
            self.answered += 1
        else:
            self._add_failed(result)
        if result.custom_id:
            self._compare(result.custom_id)
        return result

    def _add_failed(self, result: Result) -> None:
        self.failed += 1
        reason = f"{result.error_code}: {result.error_message}"
        if not result.error_code:
            reason = result.error_message or OTHER
        if not result.custom_id:
            self.invalid += 1
            reason = INVALID
            if len(self.invalid_lines) < MOST_INVALID:
                self.invalid_lines.append(f"{result.error_message}: {result.raw_bytes[:80]!r}")
        reason = reason[:REASON_LENGTH]
        is_other = len(self.reasons) >= MOST_REASONS and reason not in self.reasons
        self.reasons[OTHER if is_other else reason] += 1

    def _compare(self, id: str) -> None:
        if not self.is_compared:
            if hash(id) in self._seen:
                self.repeated.append(id)
            self._seen.add(hash(id))
        elif id not in self._lacking:
            self.unknown.append(id)
        else:
            self._lacking[id] -= 1
            if self._lacking[id] < 0:
                self.repeated.append(id)

    def end(self, batch: Batch) -> None:
        """Finds what is missing, after the last result: by custom_id, or by the batch's counts."""
        counts = batch.counts
        if self.is_compared:
            self.missing_ids = [id for id, number in self._lacking.items() if number > 0]
            self.missing = len(self.missing_ids)
        else:
            total = counts.total or counts.completed + counts.failed
            self.missing = max(total - self.answered - self.failed + len(self.repeated), 0)
        self._is_ended, self._lacking, self._seen = True, {}, set()

    def problems(self, batch: Batch) -> list[str]:
        """What is wrong with the results, in words; failed lines are results."""
        found = [
            (self.invalid, "cannot be read", []),
            (len(self.repeated), "repeated", self.repeated),
            (len(self.unknown), "not in the input", self.unknown),
        ]
        problems = [f"{number} {what}{_listed(ids)}" for number, what, ids in found if number]
        if batch.status.lower() != "completed":
            return problems
        if self.missing:
            how = _listed(self.missing_ids) or " by the counts of the batch"
            problems.append(f"{self.missing} missing{how}")
        if not (batch.output_file_id or batch.error_file_id):
            problems.append("the batch names no result file")
        elif not self.answered + self.failed:
            problems.append("the result files are empty")
        return problems

    def facts(self) -> dict[str, Any]:
        """The summary as JSON."""
        usage = self.usage
        tokens = {"prompt": usage.prompt, "completion": usage.completion, "total": usage.total}
        names = ("invalid", "invalid_lines", "repeated", "unknown", "missing_ids")
        more: dict[str, Any] = {name: getattr(self, name) for name in names}
        more |= {"failures": dict(self.reasons), "tokens": tokens if any(tokens.values()) else {}}
        numbers = {name: getattr(self, name) for name in ("answered", "failed", "missing")}
        return numbers | {name: fact for name, fact in more.items() if fact}

    def raise_unless_complete(self, batch: Batch) -> None:
        """Raises `ResultsIncomplete` if the results have problems."""
        if self.problems(batch):
            raise ResultsIncomplete(batch, self)

    def __str__(self) -> str:
        missing = f", {self.missing} missing" if self.missing else ""
        return f"{self.answered} answered, {self.failed} failed{missing}"


def _listed(ids: list[str]) -> str:
    if not ids:
        return ""
    more = ", …" if len(ids) > SHOWN else ""
    return f" ({', '.join(map(repr, ids[:SHOWN]))}{more})"
