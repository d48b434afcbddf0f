"""
Collects the verdicts of a run, one for each requirement.

Rule 1: a requirement that does not hold is a failure. A case without a result, because the service
did not respond or the suite has a bug, is an error, which says nothing about the service.
Rule 2: a failure that another one explains is blocked by it (`causes`).
Rule 3: a requirement holds when each of its cases does.
Rule 4: a failure that the service's answer to an open question explains is not judged.
"""

import time
from collections.abc import Generator, Mapping

import pytest
from attrs import define, field
from hypothesis.errors import Flaky

from .causes import with_causes
from .checks.exchange import without_keys
from .facts.suspension import without_explained
from .requirements import Blocked, Deviation, Inconclusive, Requirement, load
from .rules import MALFORMED
from .schedule import cases_for, within_budget
from .service.rig import Rig
from .verdicts import (
    BLOCKED,
    BROKEN,
    FAILS,
    HOLDS,
    INCONCLUSIVE,
    NOT_JUDGED,
    Failure,
    Run,
    Verdict,
    rows_of,
)

# Exceptions that are failures of the service: of a check, of schemathesis, or a malformed response.
FAILURES = (Deviation, *MALFORMED, AssertionError, BaseExceptionGroup, Flaky)
# The outcome of several cases is the first of these.
PRECEDENCE = (FAILS, BROKEN, BLOCKED, INCONCLUSIVE, NOT_JUDGED, HOLDS)
SKIPPED: dict[object, str] = {Blocked: BLOCKED, Inconclusive: INCONCLUSIVE}


@define(eq=False)
class Report:
    """A pytest plugin that collects the verdicts on the requirements `only`."""

    rig: Rig
    seed: int
    only: frozenset[str]
    errors: list[str] = field(factory=list)
    catalogue: Mapping[str, Requirement] = field(factory=load)
    collected: dict[str, list[str]] = field(factory=dict)
    began: float = field(factory=time.time)
    _verdicts: dict[str, Verdict] = field(factory=dict)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        unmetered = self.rig.target.budget.unmetered
        items[:] = cases_for(self.only, items, unmetered=unmetered)
        if not unmetered:
            items[:] = within_budget(items)
        for item in items:
            for id in self.only & set(_ids(item)):
                self.collected.setdefault(id, []).append(item.name)

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
            self._record(id, SKIPPED.get(type(error), NOT_JUDGED), reason=str(error))
        elif report.failed and not isinstance(error, FAILURES):
            message = self._without_keys(f"{type(error).__name__}: {error}")
            self.errors.append(f"{case}: {message}")
            self._record(id, BROKEN, reason=message)
        elif report.failed and (report.when != "teardown" or not self._has_failed(id, case)):
            self._record(id, FAILS).failures.append(self._failure(case, error))
        elif report.when == "call":
            self._record(id, HOLDS)

    def _has_failed(self, id: str, case: str) -> bool:
        """Whether the case is recorded as failed; the observer finds the same failure again."""
        verdict = self._verdicts.get(id)
        return verdict is not None and any(one.case == case for one in verdict.failures)

    def _record(self, id: str, outcome: str, reason: str = "") -> Verdict:
        verdict = self._verdicts.setdefault(id, Verdict(id, outcome, reason=reason))
        verdict.cases += 1
        if PRECEDENCE.index(outcome) < PRECEDENCE.index(verdict.outcome):
            verdict.outcome, verdict.reason = outcome, reason
        return verdict

    def _failure(self, case: str, error: BaseException | None) -> Failure:
        story = tuple(self.rig.target.observer.exchanges)
        if isinstance(error, Deviation):
            actual = self._without_keys(error.actual)
            rows = rows_of(error.actual, [target.key for target in self.rig.targets()])
            return Failure(case, error.expected, actual, error.check, error.arguments, story, rows)
        if isinstance(error, MALFORMED):
            shape = "a response of the documented shape"
            return Failure(case, shape, self._without_keys(repr(error)), story=story[-1:])
        # The message of schemathesis includes a command that repeats the request.
        return Failure(case, "what the contract allows", self._without_keys(str(error).strip()))

    def _without_keys(self, text: str) -> str:
        """The text without the keys, which a response may repeat."""
        return without_keys(text, [target.key for target in self.rig.targets()])

    def run(self) -> Run:
        """The run so far; requirements without a verdict were interrupted."""
        seconds = time.time() - self.began
        requests = len(self.rig.target.observer.exchanges)
        judged = {
            id: self._verdicts.get(id) or Verdict(id, BROKEN, reason="interrupted")
            for id in self.catalogue
            if id in self.only
        }
        for verdict in judged.values():
            needed = self.catalogue[verdict.requirement].access
            verdict.excused = verdict.outcome == NOT_JUDGED and not self.rig.access.issuperset(
                needed
            )
        judged = without_explained(judged, self.rig.target.observer.exchanges)
        observer = self.rig.target.observer
        verdicts = with_causes(judged, self.catalogue, observer.findings)
        return Run(
            self.rig.target.base_url,
            self.seed,
            self.began,
            seconds,
            requests,
            verdicts,
            self.errors,
        )


def _ids(item: pytest.Item) -> list[str]:
    return [mark.args[0] for mark in item.iter_markers("requirement")]
