"""
What a run found, requirement by requirement.

Rule 1: a requirement that does not hold is a failure; a case that could not be judged, as nobody
answered or the suite made a mistake, is an error of the rig, which says nothing about the service.
Rule 2: a requirement that failed behind one that it needs is blocked: the first cause is told.
Rule 3: a requirement holds when each of its cases does.
"""

import time
from collections.abc import Generator, Mapping

import pytest
from attrs import define, evolve, field
from hypothesis.errors import Flaky

from .checks.exchange import without_keys
from .repro.story import extract
from .requirements import Blocked, Deviation, Inconclusive, Requirement, load
from .rules import MALFORMED
from .schedule import thrifty
from .service.rig import Rig
from .verdicts import BLOCKED, BROKEN, FAILS, HOLDS, INCONCLUSIVE, NOT_JUDGED, Failure, Run, Verdict

# What speaks of the service: a finding of a check, of schemathesis, or an answer of another shape.
FOUND = (Deviation, *MALFORMED, AssertionError, BaseExceptionGroup, Flaky)
# Of several cases, the first of these is the outcome.
WEIGHT = (FAILS, BROKEN, BLOCKED, INCONCLUSIVE, NOT_JUDGED, HOLDS)
SKIPPED: dict[object, str] = {Blocked: BLOCKED, Inconclusive: INCONCLUSIVE}


@define(eq=False)
class Report:
    """Collects as a pytest plugin what becomes of the requirements `only`."""

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
        items[:] = [item for item in items if self.only & set(_ids(item))]
        if not self.rig.target.budget.loopback:
            items[:] = thrifty(items)
        for item in items:
            for id in _ids(item):
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
            self._note(id, SKIPPED.get(type(error), NOT_JUDGED), reason=str(error))
        elif report.failed and not isinstance(error, FOUND):
            told = self._told(f"{type(error).__name__}: {error}")
            self.errors.append(f"{case}: {told}")
            self._note(id, BROKEN, reason=told)
        elif report.failed and (report.when != "teardown" or not self._has_failed(id, case)):
            self._note(id, FAILS).failures.append(self._failure(case, error))
        elif report.when == "call":
            self._note(id, HOLDS)

    def _has_failed(self, id: str, case: str) -> bool:
        """What fails a case is observed as well, and is told once."""
        verdict = self._verdicts.get(id)
        return verdict is not None and any(one.case == case for one in verdict.failures)

    def _note(self, id: str, outcome: str, reason: str = "") -> Verdict:
        verdict = self._verdicts.setdefault(id, Verdict(id, outcome, reason=reason))
        verdict.cases += 1
        if WEIGHT.index(outcome) < WEIGHT.index(verdict.outcome):
            verdict.outcome, verdict.reason = outcome, reason
        return verdict

    def _failure(self, case: str, error: BaseException | None) -> Failure:
        story = tuple(self.rig.target.observer.exchanges)
        if isinstance(error, Deviation):
            actual = self._told(error.actual)
            return Failure(case, error.expected, actual, error.check, error.arguments, story)
        if isinstance(error, MALFORMED):
            shape = "an answer of the documented shape"
            return Failure(case, shape, self._told(repr(error)), story=story[-1:])
        # schemathesis explains itself, replay included.
        return Failure(case, "what the contract allows", self._told(str(error).strip()))

    def _told(self, text: str) -> str:
        """Without the keys, should a service say them back."""
        return without_keys(text, [target.key for target in self.rig.targets()])

    def run(self) -> Run:
        """What was found; failures behind a failure that they need are blocked."""
        took = time.time() - self.began
        sent = len(self.rig.target.observer.exchanges)
        found = {
            id: self._verdicts.get(id) or Verdict(id, BROKEN, reason="interrupted")
            for id in self.catalogue
            if id in self.only
        }
        verdicts = blocked(found, self.catalogue)
        return Run(
            self.rig.target.base_url, self.seed, self.began, took, sent, verdicts, self.errors
        )


def blocked(
    verdicts: Mapping[str, Verdict], catalogue: Mapping[str, Requirement]
) -> dict[str, Verdict]:
    """The same verdicts, with those blocked whose failure stands behind another one."""
    failed = [id for id, verdict in verdicts.items() if verdict.outcome == FAILS]
    turned = dict(verdicts)
    for id in failed:
        needs = catalogue[id].needs
        everything = [other for other in failed if not other.startswith("SCHEMA-")]
        before = everything if "*" in needs else [other for other in failed if other in needs]
        if before:
            reason = f"failed behind {', '.join(before)}"
            turned[id] = evolve(verdicts[id], outcome=BLOCKED, reason=reason, behind=tuple(before))
        else:
            turned[id] = evolve(verdicts[id], failures=[_short(f) for f in verdicts[id].failures])
    return turned


def _short(failure: Failure) -> Failure:
    """A failure whose story is what led to it, and not the whole run."""
    if failure.check is None:
        return failure
    return evolve(failure, story=tuple(extract(failure).steps.values()))


def _ids(item: pytest.Item) -> list[str]:
    return [mark.args[0] for mark in item.iter_markers("requirement")]
