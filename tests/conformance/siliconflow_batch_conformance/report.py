"""
What a run found, requirement by requirement, in words.

Rule: a requirement that does not hold is a failure; a case that could not be judged because nobody
answered is an error of the rig, which says nothing about the service.
"""

import sys
from collections.abc import Generator
from typing import TextIO

import httpx
import pytest
import requests
from attrs import define, field

from .requirements import SOURCES, Deviation, Requirement, load
from .rig import Rig, RigBroken
from .target import replay

NOBODY_ANSWERED = (httpx.TransportError, requests.ConnectionError, requests.Timeout, RigBroken)
CONFORMANT, NOT_CONFORMANT, BROKEN = 0, 1, 2


@define(frozen=True)
class Failure:
    """What one case says against a requirement."""

    case: str
    expected: str
    actual: str
    replay: str


@define(eq=False)
class Report:
    """Collects as a pytest plugin; `rig` is there for the cases, `only` leaves others out."""

    rig: Rig
    strict: bool = False
    only: frozenset[str] = frozenset()
    out: TextIO = field(factory=lambda: sys.stdout)
    held: set[str] = field(factory=set)
    failures: dict[str, list[Failure]] = field(factory=dict)
    skipped: dict[str, str] = field(factory=dict)
    errors: list[str] = field(factory=list)
    catalogue: dict[str, Requirement] = field(factory=load)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.only:
            items[:] = [item for item in items if self.only & set(_ids(item))]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        error = call.excinfo.value if call.excinfo else None
        for id in _ids(item):
            self._judge(id, item.name, report, error)
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(f"{report.nodeid or 'the suite'}: {report.longrepr}")

    def _judge(
        self, id: str, case: str, report: pytest.TestReport, error: BaseException | None
    ) -> None:
        if report.skipped:
            self.skipped.setdefault(id, str(error))
        elif report.failed and isinstance(error, NOBODY_ANSWERED):
            self.errors.append(f"{case}: {type(error).__name__}: {error}")
        elif report.failed:
            self.failures.setdefault(id, []).append(self._failure(case, error))
        elif report.when == "call":
            self.held.add(id)

    def _failure(self, case: str, error: BaseException | None) -> Failure:
        again = replay(self.rig.target.wire)
        if isinstance(error, Deviation):
            return Failure(case, self._told(error.expected), self._told(error.actual), again)
        if isinstance(error, KeyError | TypeError | IndexError | ValueError):
            shape = "an answer of the documented shape"
            return Failure(case, shape, self._told(repr(error)), again)
        # schemathesis explains itself, replay included.
        return Failure(case, "what the contract allows", self._told(str(error).strip()), "")

    def _told(self, text: str) -> str:
        """Without the keys, should a service say them back."""
        for target in (self.rig.target, self.rig.stranger):
            text = text.replace(target.key, "…") if target else text
        return text

    def not_run(self) -> set[str]:
        """What was asked for and came to no end, as when the run is interrupted."""
        asked = set(self.only or self.catalogue)
        return asked - self.held - self.failures.keys() - self.skipped.keys()

    def status(self) -> int:
        """0 conformant, 1 not, 2 the rig failed or the run was interrupted."""
        if any(self.strict or self.catalogue[id].level == "must" for id in self.failures):
            return NOT_CONFORMANT
        return BROKEN if self.errors or self.not_run() or not self.held else CONFORMANT

    def print(self) -> None:
        """The failures, each with what the documents say, and one line in the end."""
        for id in self.catalogue:
            if id in self.failures:
                self._print_failure(self.catalogue[id], self.failures[id])
        for error in self.errors[:10]:
            self._line(f"ERROR  {error}\n")
        if missing := len(self.not_run()):
            self._line(f"interrupted: {missing} requirements were not run")
        unjudged = {id: why for id, why in self.skipped.items() if id not in self.held}
        for why in dict.fromkeys(unjudged.values()):
            ids = ", ".join(id for id, reason in unjudged.items() if reason == why)
            self._line(f"not judged: {ids}\n  {why}")
        must = [id for id in self.failures if self.catalogue[id].level == "must"]
        self._line(
            f"{len(self.only or self.catalogue)} requirements: "
            f"{len(self.held - self.failures.keys())} hold, "
            f"{len(self.failures)} do not ({len(must)} must, "
            f"{len(self.failures) - len(must)} should), "
            f"{len(unjudged.keys() - self.failures.keys())} not judged"
        )
        verdict = {CONFORMANT: "conformant", NOT_CONFORMANT: "not conformant"}
        self._line(verdict.get(self.status(), "the rig failed: nothing can be said"))

    def _print_failure(self, row: Requirement, failures: list[Failure]) -> None:
        failure, *others = failures
        self._line(f"{row.id}  {row.operation}: {row.says}  [{row.level}]")
        self._line(f"  docs:      {SOURCES[row.source]}")
        self._line(f"  expected:  {failure.expected}")
        self._line("  actual:    " + failure.actual.replace("\n", "\n             "))
        if failure.replay:
            self._line(f"  replay:    {failure.replay}")
        if others:
            self._line(f"  and so do: {len(others)} more cases of this requirement")
        self._line("")

    def _line(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()


def _ids(item: pytest.Item) -> list[str]:
    return [mark.args[0] for mark in item.iter_markers("requirement")]
