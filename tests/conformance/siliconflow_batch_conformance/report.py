"""
What a run found, requirement by requirement, in words.

Rule 1: a requirement that does not hold is a failure; a case that could not be judged because
nobody answered is an error of the rig, which says nothing about the service.
Rule 2: a requirement that failed behind one that it needs is blocked: the first cause is told.
"""

import shlex
import sys
import time
from collections.abc import Generator
from typing import TextIO

import httpx
import pytest
import requests
from attrs import define, field

from .exchange import Exchange
from .requirements import SOURCES, Blocked, Deviation, Inconclusive, Requirement, load
from .rig import Rig, RigBroken
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
)

NOBODY_ANSWERED = (httpx.TransportError, requests.ConnectionError, requests.Timeout, RigBroken)
CONFORMANT, NOT_CONFORMANT, NOTHING_SAID = 0, 1, 2
# Of several cases, the first of these is the outcome.
WEIGHT = (FAILS, BROKEN, HOLDS, BLOCKED, INCONCLUSIVE, NOT_JUDGED)
SKIPPED: dict[object, str] = {Blocked: BLOCKED, Inconclusive: INCONCLUSIVE}
VARIABLES = {"own": "SILICONFLOW_API_KEY", "stranger": "SILICONFLOW_API_KEY_2"}


@define(eq=False)
class Report:
    """Collects as a pytest plugin what becomes of the requirements `only`."""

    rig: Rig
    seed: int
    strict: bool
    only: frozenset[str]
    out: TextIO = field(factory=lambda: sys.stdout)
    errors: list[str] = field(factory=list)
    catalogue: dict[str, Requirement] = field(factory=load)
    began: float = field(factory=time.time)
    _verdicts: dict[str, Verdict] = field(factory=dict)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
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
            self._note(id, SKIPPED.get(type(error), NOT_JUDGED), reason=str(error))
        elif report.failed and isinstance(error, NOBODY_ANSWERED):
            self.errors.append(f"{case}: {type(error).__name__}: {error}")
            self._note(id, BROKEN, reason=str(error))
        elif report.failed:
            self._note(id, FAILS).failures.append(self._failure(case, error))
        elif report.when == "call":
            self._note(id, HOLDS)

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
        if isinstance(error, KeyError | TypeError | IndexError | ValueError):
            shape = "an answer of the documented shape"
            return Failure(case, shape, self._told(repr(error)), story=story)
        # schemathesis explains itself, replay included.
        return Failure(case, "what the contract allows", self._told(str(error).strip()))

    def _told(self, text: str) -> str:
        """Without the keys, should a service say them back."""
        for target in (self.rig.target, self.rig.stranger):
            text = text.replace(target.key, "…") if target else text
        return text

    def run(self) -> Run:
        """What was found; failures behind a failure that they need are blocked."""
        failed = {id for id, verdict in self._verdicts.items() if verdict.outcome == FAILS}
        verdicts: dict[str, Verdict] = {}
        for id in self.catalogue:
            if id not in self.only:
                continue
            verdict = self._verdicts.get(id) or Verdict(id, BROKEN, reason="interrupted")
            before = sorted(failed & set(self._needs(id)))
            if verdict.outcome == FAILS and before:
                verdict = Verdict(id, BLOCKED, verdict.failures, f"behind {', '.join(before)}")
            verdicts[id] = verdict
        sent = len(self.rig.target.observer.exchanges)
        took = time.time() - self.began
        base_url = self.rig.target.base_url
        return Run(base_url, self.seed, self.began, took, sent, verdicts, self.errors)

    def _needs(self, id: str) -> tuple[str, ...]:
        """The requirements before this one; `*` are all that are not generated."""
        needs = self.catalogue[id].needs
        return tuple(i for i in self.catalogue if "SCHEMA" not in i) if needs == ("*",) else needs

    def status(self) -> int:
        """0 conformant, 1 not, 2 the rig failed or the run was interrupted."""
        verdicts = self.run().verdicts.values()
        failed = [self.catalogue[v.requirement].tier for v in verdicts if v.outcome == FAILS]
        if any(self.strict or tier == "must" for tier in failed):
            return NOT_CONFORMANT
        outcomes = {verdict.outcome for verdict in verdicts}
        return NOTHING_SAID if self.errors or BROKEN in outcomes or HOLDS not in outcomes else 0

    def print(self) -> None:
        """The failures, each with what the documents say, and one line in the end."""
        run = self.run()
        by_outcome: dict[str, list[Verdict]] = {}
        for verdict in run.verdicts.values():
            by_outcome.setdefault(verdict.outcome, []).append(verdict)
        for verdict in by_outcome.get(FAILS, ()):
            self._print_failure(self.catalogue[verdict.requirement], verdict.failures)
        for error in self.errors[:10]:
            self._line(f"ERROR  {error}\n")
        for outcome in (BLOCKED, INCONCLUSIVE, NOT_JUDGED, BROKEN):
            found = by_outcome.get(outcome, ())
            for reason in dict.fromkeys(verdict.reason for verdict in found):
                ids = ", ".join(v.requirement for v in found if v.reason == reason)
                self._line(f"{outcome}: {ids}\n  {reason}")
        counts = ", ".join(f"{len(rows)} {outcome}" for outcome, rows in by_outcome.items())
        self._line(f"{len(run.verdicts)} requirements: {counts}; {run.requests} requests")
        words = {CONFORMANT: "conformant", NOT_CONFORMANT: "not conformant"}
        self._line(words.get(self.status(), "nothing can be said"))

    def _print_failure(self, row: Requirement, failures: list[Failure]) -> None:
        failure, *others = failures
        self._line(f"{row.id}  {row.operation}: {row.says}  [{row.tier}]")
        self._line(f"  docs:      {SOURCES[row.source]}")
        self._line(f"  expected:  {failure.expected}")
        self._line("  actual:    " + failure.actual.replace("\n", "\n             "))
        if last := _last(failure):
            self._line(f"  replay:    {replay(last, self.rig.target.base_url)}")
        if others:
            self._line(f"  and so do: {len(others)} more cases of this requirement")
        self._line("")

    def _line(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()


def replay(exchange: Exchange, base_url: str) -> str:
    """A command that sends a request again; keys are left to the environment."""
    url = exchange.path if "://" in exchange.path else base_url + exchange.path
    full = httpx.URL(url, params=exchange.query) if exchange.query else url
    words = ["curl", "-X", exchange.method, shlex.quote(str(full))]
    if exchange.authorization is not None and "://" not in exchange.path:
        variable = VARIABLES.get(exchange.sender, VARIABLES["own"])
        shown = exchange.authorization.replace("{key}", f"${variable}")
        words.append(f'-H "Authorization: {shown}"')
    if exchange.sent:
        words.append("-H " + shlex.quote(f"Content-Type: {exchange.sent_type}"))
        shortened = exchange.sent[:2000].decode("utf-8", "replace")
        words.append("--data-binary " + shlex.quote(shortened))
    return " ".join(words)


def _last(failure: Failure) -> Exchange | None:
    """The request whose answer was wrong."""
    flat = [one for argument in failure.arguments for one in _each(argument)]
    found = [one for one in flat if isinstance(one, Exchange)]
    return max(found, key=lambda one: one.number, default=None)


def _each(argument: object) -> list[object]:
    return argument if isinstance(argument, list) else [argument]


def _ids(item: pytest.Item) -> list[str]:
    return [mark.args[0] for mark in item.iter_markers("requirement")]
