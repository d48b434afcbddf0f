"""
Requirements by targets: the table that every report is read from.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import attrs
from attrs import define

from ..requirements import SOURCES, Requirement
from .changes import FIXED, NEW, NEW_FAILURE, UNCHANGED, change, counterpart
from .outcomes import FAILURE, outcome, rank, tier_rank
from .records import RunRecord, VerdictRecord

NOT_IN_THE_RUN = "it was not part of this run"
FLAGS = {NEW_FAILURE: "new", FIXED: "fixed", UNCHANGED: "", NEW: "", "": ""}


@define(frozen=True)
class Sentence:
    """A requirement in words; `source` names the document, `place` the place in it."""

    id: str
    tier: str = ""
    source: str = ""
    place: str = ""
    confidence: str = ""
    operation: str = ""
    says: str = "a requirement that this catalogue does not have"

    @property
    def family(self) -> str:
        return self.id.partition("-")[0]


@define(frozen=True)
class Cell:
    """A requirement on a target; `change` is empty without a last run to compare with."""

    label: str
    verdict: VerdictRecord
    change: str = ""

    @property
    def flag(self) -> str:
        """The change in a word; empty where there is none to be told beside the outcome."""
        return FLAGS.get(self.change, "changed")

    @property
    def fails(self) -> bool:
        return outcome(self.verdict.outcome).kind == FAILURE


@define(frozen=True)
class Row:
    """A requirement on every target, in the order of the runs."""

    sentence: Sentence
    cells: list[Cell]

    @property
    def order(self) -> tuple[int, int]:
        """Failures before all else, `must` before `should`, the worst first."""
        worst = min((rank(cell.verdict.outcome) for cell in self.cells), default=0)
        failing = any(cell.fails for cell in self.cells)
        return (tier_rank(self.sentence.tier) if failing else 100, worst)


def sentence(row: Requirement) -> Sentence:
    """The catalogue's row in words; fields that it does not have are empty."""
    known: dict[str, Any] = attrs.asdict(row)
    return Sentence(
        id=row.id,
        tier=str(known.get("tier") or known.get("level") or ""),
        source=SOURCES.get(row.source, row.source),
        place=str(known.get("place") or ""),
        confidence=str(known.get("confidence") or ""),
        operation=row.operation,
        says=row.says,
    )


def rows(
    runs: Sequence[RunRecord],
    catalogue: Mapping[str, Requirement],
    previous: Sequence[RunRecord] = (),
) -> list[Row]:
    """The catalogue's requirements in its order, then those that only the runs know."""
    judged = [id for run in runs for id in run.verdicts if id not in catalogue]
    sentences = [sentence(row) for row in catalogue.values()]
    sentences += [Sentence(id) for id in dict.fromkeys(judged)]
    names, last = labels(runs), [counterpart(run, previous) for run in runs]
    return [
        Row(
            each,
            [
                _cell(each.id, name, run, before)
                for name, run, before in zip(names, runs, last, strict=True)
            ],
        )
        for each in sentences
    ]


def _cell(id: str, label: str, run: RunRecord, before: RunRecord | None) -> Cell:
    verdict = run.verdicts.get(id) or VerdictRecord(id, "not judged", NOT_IN_THE_RUN)
    if before is None or id not in run.verdicts:
        return Cell(label, verdict)
    return Cell(label, verdict, change(verdict, before.verdicts.get(id)))


def families(found: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(row.sentence.family, []).append(row)
    return groups


def tally(cells: Iterable[Cell]) -> dict[str, int]:
    """How many cells have each outcome, the worst outcome first."""
    counts = Counter(cell.verdict.outcome for cell in cells)
    return {word: counts[word] for word in sorted(counts, key=rank)}


def labels(runs: Sequence[RunRecord]) -> list[str]:
    """A short name of each target: its host, and its path unless that is /v1."""
    names: list[str] = []
    for run in runs:
        parts = urlsplit(run.target)
        host = parts.netloc.rpartition("@")[2]
        name = (host + parts.path).rstrip("/").removesuffix("/v1") or run.target
        again = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names
