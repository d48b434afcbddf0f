"""
What the results of a batch amount to, and whether they are complete.

Rule 1: lines are compared by their custom_id if the input is known. Otherwise they are counted, and
compared with the counts of the batch, which may all be 0.
Rule 2: only a completed batch has a result for every line.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from attrs import define, field
from msgspec import structs

from ..errors import ResultsIncomplete
from ..objects import Batch
from .results import INVALID, Result, Usage

SHOWN = 5  # ids in a message


@define
class Summary:
    """
    The results of a batch: how many lines are answered, failed, and missing.

    `invalid` counts the failed ones whose record cannot be read. `reasons` counts failed lines by
    their code, or else by their message. `repeated`, `unknown` and `missing_ids` are custom_ids:
    with several results, in no line of the input, and without a result; `unknown` and `missing_ids`
    are empty unless the input is known (`is_compared`). `usage` is the sum of the tokens.
    """

    answered: int = 0
    failed: int = 0
    invalid: int = 0
    missing: int = 0
    usage: Usage = field(factory=Usage)
    reasons: Counter[str] = field(factory=Counter)
    repeated: list[str] = field(factory=list)
    unknown: list[str] = field(factory=list)
    missing_ids: list[str] = field(factory=list)
    is_compared: bool = False
    _seen: Counter[str] = field(factory=Counter, repr=False)

    def add(self, result: Result) -> Result:
        """Counts a result, and returns it."""
        self.usage += result.usage or Usage()
        if result.ok:
            self.answered += 1
        else:
            self.failed += 1
            self.reasons[result.error_code or result.error_message or "unknown"] += 1
        if result.error_code == INVALID:
            self.invalid += 1
        else:
            self._seen[result.custom_id] += 1
        return result

    def compare(self, batch: Batch, ids: Iterable[str] | None) -> None:
        """Compares the counted results with the custom_ids of the input, or with the batch."""
        self.repeated = [id for id, number in self._seen.items() if number > 1]
        if ids is None:
            self.missing = max(batch.counts.total - self.answered - self.failed, 0)
            return
        expected = Counter(ids)
        self.is_compared = True
        self.unknown = [id for id in self._seen if id not in expected]
        self.missing_ids = [id for id in expected if id not in self._seen]
        self.missing = len(self.missing_ids)

    def problems(self, batch: Batch) -> list[str]:
        """What is wrong with the results, in words; failed lines are results."""
        found = [
            (self.invalid, "cannot be read", []),
            (len(self.repeated), "repeated", self.repeated),
            (len(self.unknown), "not in the input", self.unknown),
        ]
        if batch.status == "completed":
            found.append((self.missing, "missing", self.missing_ids))
            if not (batch.output_file_id or batch.error_file_id):
                found.append((1, "batch that names no result file", []))
        return [f"{number} {what}{_listed(ids)}" for number, what, ids in found if number]

    def facts(self) -> dict[str, Any]:
        """The summary as JSON."""
        numbers = {name: getattr(self, name) for name in ("answered", "failed", "missing")}
        more = {"invalid": self.invalid, "repeated": self.repeated, "unknown": self.unknown}
        usage = {"tokens": structs.asdict(self.usage)} if self.usage.total else {}
        reasons = {"failures": dict(self.reasons)} if self.reasons else {}
        return numbers | {name: fact for name, fact in more.items() if fact} | reasons | usage

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
