"""
The catalogue of requirements, and the exceptions of cases.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

# pytest exports it as pytest.skip.Exception alone, which type checkers do not follow.
from _pytest.outcomes import Skipped
from attrs import define, field

from .checks import Check

CATALOGUE = Path(__file__).with_name("requirements.yaml")
SOURCES = {
    "S0": 'the China site\'s "create batch" page',
    "S1": 'the international site\'s "create batch" page',
    "S2": 'the "list batches" page',
    "P": "the vendor's other pages",
    "G": "the batch guide",
    "E": "the error-code page",
    "U": "public programs that use the service",
    "C": "openapi.yaml",
    "H": "RFC 9110",
}


TIERS = {
    "must": "a document says so",
    "should": "no document says so; it follows from what they say, or is assumed",
    "hygiene": "HTTP says so",
}


@define(frozen=True)
class Requirement:
    """
    A sentence of the documents, in the words of this project.

    `place` is where the source says it, and `fact` is what it says there; `needs` are the
    requirements that must hold before this one can be judged; `covers` are the statuses and the
    response fields that it is about. A run needs all of `access` to judge it; without any, every
    run can.
    """

    id: str
    tier: str
    source: str
    place: str
    fact: str
    confidence: str
    operation: str
    says: str
    needs: tuple[str, ...] = field(default=(), converter=tuple)
    covers: tuple[str, ...] = field(default=(), converter=tuple)
    access: tuple[str, ...] = field(default=(), converter=tuple)

    @property
    def provenance(self) -> str:
        """The document, the place in it, and the fact."""
        return f"{SOURCES[self.source]}, {self.place}: {self.fact}"


# What a run may need to judge a requirement.
ACCESS = {
    "writes": "it may create batches: --writes or --unmetered",
    "second key": "it has the key of a second account",
    "unmetered": "the service costs nothing: --unmetered, or the simulator",
}


class Deviation(AssertionError):
    """A requirement does not hold: the check, its arguments, and what it returned."""

    def __init__(self, check: Check, arguments: tuple[Any, ...], actual: str):
        super().__init__(actual)
        self.check, self.arguments, self.actual = check, arguments, actual

    @property
    def expected(self) -> str:
        text = expectation(self.check)
        numbers = ", ".join(str(one) for one in self.arguments if type(one) is int)
        return f"{text}: {numbers}" if numbers and text.endswith("given") else text

    def __str__(self) -> str:
        return f"expected: {self.expected}; actual: {self.actual}"


def expectation(check: Check) -> str:
    """What a check expects, in the words of its docstring."""
    return (check.__doc__ or "").strip()


class NotJudged(Skipped):
    """The case could not send what it needs."""


class Blocked(NotJudged):
    """What the case needs is missing because of another failure."""


class Inconclusive(NotJudged):
    """The service took longer than the patience of the run."""


@cache
def load() -> dict[str, Requirement]:
    """The catalogue by id, in the order of its file."""
    rows = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    families = rows.pop("families")
    foundations = {other for needed in families.values() for other in needed}
    for id, row in rows.items():
        shared = () if id in foundations else families.get(id.partition("-")[0], ())
        needs = dict.fromkeys([*row.get("needs", ()), *shared])
        row["needs"] = [other for other in needs if other != id]
    return {id: Requirement(id=id, **row) for id, row in rows.items()}


def requirement(id: str) -> pytest.MarkDecorator:
    """Marks a case with its requirement."""
    return pytest.mark.requirement(id)


HEAD = "| id | tier | operation | says | the run needs | source (confidence) |"


def as_markdown() -> str:
    """The page `docs/requirements.md`."""
    lines = [
        "# What is required",
        "",
        "What the documents say about the seven operations, one sentence each, in our words, with "
        "the ids that `siliconflow-batch conformance` reports. This page is written from "
        "[requirements.yaml](../src/siliconflow_batch_conformance/requirements.yaml) "
        "by `make requirements`. A requirement that depends on an [open question]"
        "(assumptions.md) is judged under the alternative that the service shows.",
        "",
        *(f"- **{tier}**: {why}" for tier, why in TIERS.items()),
        "",
        "A recording is judged on what it shows. Other runs judge the requirements for which they "
        "have what is needed:",
        "",
        *(f"- **{name}**: {meaning}" for name, meaning in ACCESS.items()),
    ]
    family = ""
    for row in load().values():
        if row.id.partition("-")[0] != family:
            family = row.id.partition("-")[0]
            lines += ["", f"## {family}", "", HEAD, "|---|---|---|---|---|---|"]
        cells = [row.id, row.tier, f"`{row.operation}`", row.says, ", ".join(row.access)]
        lines.append(f"| {' | '.join(cells)} | {row.provenance} ({row.confidence}) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path("docs/requirements.md").write_text(as_markdown(), encoding="utf-8")
