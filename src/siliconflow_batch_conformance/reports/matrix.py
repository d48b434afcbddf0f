"""
The table of requirements and targets from which every report is written.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from attrs import define

from ..requirements import Requirement
from .changes import FIXED, NEW, NEW_FAILURE, UNCHANGED, change, counterpart
from .outcomes import FAILURE, outcome, rank, tier_rank
from .records import RunRecord, VerdictRecord

NOT_IN_THE_RUN = "not part of this run"
FLAGS = {NEW_FAILURE: "new", FIXED: "fixed", UNCHANGED: "", NEW: "", "": ""}


@define(frozen=True)
class RequirementRecord:
    """A requirement as reports show it; `provenance` is where a document says so."""

    id: str
    tier: str = ""
    provenance: str = ""
    confidence: str = ""
    operation: str = ""
    says: str = "unknown requirement of another version"

    @property
    def family(self) -> str:
        return self.id.partition("-")[0]


@define(frozen=True)
class Cell:
    """A requirement's verdict on a target; `change` is empty without a previous run."""

    label: str
    verdict: VerdictRecord
    change: str = ""

    @property
    def flag(self) -> str:
        """The change as one word; empty if there is none to show."""
        return FLAGS.get(self.change, "changed")

    @property
    def fails(self) -> bool:
        return outcome(self.verdict.outcome).kind == FAILURE


@define(frozen=True)
class Row:
    """A requirement with its cells, in the order of the runs."""

    requirement: RequirementRecord
    cells: list[Cell]

    @property
    def order(self) -> tuple[int, int]:
        """The sort key: failures first, `must` before `should`, the worst outcome first."""
        worst = min((rank(cell.verdict.outcome) for cell in self.cells), default=0)
        failing = any(cell.fails for cell in self.cells)
        return (tier_rank(self.requirement.tier) if failing else 100, worst)


def requirement_record(row: Requirement) -> RequirementRecord:
    return RequirementRecord(
        row.id, row.tier, row.provenance, row.confidence, row.operation, row.says
    )


def rows(
    runs: Sequence[RunRecord],
    catalogue: Mapping[str, Requirement],
    previous: Sequence[RunRecord] = (),
) -> list[Row]:
    """A row for each requirement of the catalogue, then for unknown ones in the runs."""
    judged = [id for run in runs for id in run.verdicts if id not in catalogue]
    requirements = [requirement_record(row) for row in catalogue.values()]
    requirements += [RequirementRecord(id) for id in dict.fromkeys(judged)]
    names, last = labels(runs), [counterpart(run, previous) for run in runs]
    return [
        Row(
            each,
            [
                _cell(each.id, name, run, before)
                for name, run, before in zip(names, runs, last, strict=True)
            ],
        )
        for each in requirements
    ]


def _cell(id: str, label: str, run: RunRecord, before: RunRecord | None) -> Cell:
    verdict = run.verdicts.get(id) or VerdictRecord(id, "not judged", NOT_IN_THE_RUN)
    if before is None or id not in run.verdicts:
        return Cell(label, verdict)
    return Cell(label, verdict, change(verdict, before.verdicts.get(id)))


def families(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.requirement.family, []).append(row)
    return groups


def tally(cells: Iterable[Cell]) -> dict[str, int]:
    """The number of cells by outcome, the worst outcome first."""
    counts = Counter(cell.verdict.outcome for cell in cells)
    return {name: counts[name] for name in sorted(counts, key=rank)}


def labels(runs: Sequence[RunRecord]) -> list[str]:
    """A short name for each target: its host, and its path unless that is /v1."""
    names: list[str] = []
    for run in runs:
        parts = urlsplit(run.target)
        host = parts.netloc.rpartition("@")[2]
        name = (host + parts.path).rstrip("/").removesuffix("/v1") or run.target
        repeated = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({repeated + 1})" if repeated else name)
    return names
