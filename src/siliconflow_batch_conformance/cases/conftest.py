"""Fixtures of the cases: the target, and batches that several cases share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..checks import Check
from ..checks.exchange import FINAL_STATUSES, Exchange, batches, the_batch
from ..collector import Report
from ..observer import Observer
from ..requirements import Blocked, Deviation, Inconclusive, NotJudged, load, requirement
from ..service.rig import Rig
from ..service.target import Target, id_of

Checker = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    # Plain pytest does not read the pytest.ini of this folder.
    config.addinivalue_line("markers", "requirement(id): the requirement that a case checks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the cases of schemathesis with their requirement; test_observed.py comes last."""
    schemas = {row.operation: row.id for row in load().values() if row.id.startswith("SCHEMA-")}
    for item in items:
        if label := getattr(item, "operation_label", None):
            item.add_marker(requirement(schemas[label]))
    items.sort(key=lambda item: item.path.name == "test_observed.py")


@pytest.fixture(scope="session")
def rig(pytestconfig: pytest.Config) -> Iterator[Rig]:
    """The rig of the run; under plain pytest, one with a simulator."""
    for plugin in pytestconfig.pluginmanager.get_plugins():
        if isinstance(plugin, Report):
            yield plugin.rig
            return
    with Rig.simulated() as rig:
        yield rig


@pytest.fixture
def target(rig: Rig) -> Target:
    return rig.target


@pytest.fixture
def observer(rig: Rig) -> Observer:
    return rig.target.observer


@pytest.fixture
def stranger(rig: Rig) -> Target:
    """The same service with the key of a second account."""
    if rig.stranger is None:
        raise NotJudged("needs the key of a second account, in SILICONFLOW_API_KEY_2")
    return rig.stranger


@pytest.fixture
def check(request: pytest.FixtureRequest, observer: Observer) -> Checker:
    """Applies a check for the requirement of the case; raises `Deviation` if it does not hold."""
    id = request.node.get_closest_marker("requirement").args[0]

    def judge(function: Check, *arguments: Any) -> None:
        actual = observer.judge_for_case(id, function, *arguments)
        if actual is not None:
            raise Deviation(function, arguments, actual)

    return judge


@pytest.fixture(autouse=True)
def _observed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a case whose own requests violated its requirement, as the observer found."""
    mark = request.node.get_closest_marker("requirement")
    if mark is None or request.node.path.name in ("test_observed.py", "test_schema.py"):
        yield
        return
    observer: Observer = request.getfixturevalue("observer")
    before = len(observer.findings)
    yield
    for finding in observer.findings[before:]:
        if finding.requirement == mark.args[0]:
            raise Deviation(finding.check, finding.arguments, finding.actual)


@pytest.fixture(scope="session")
def input_file(rig: Rig) -> str:
    """An input file of one line."""
    return rig.target.input_file(rig.target.line())


@pytest.fixture(scope="session")
def lifecycle(rig: Rig) -> list[Exchange]:
    """
    The exchanges that show a batch from its creation to its end, one for each change.

    It has three lines, or two where lines are paid for; one is invalid. `replace.model` names
    another model than the lines.
    """
    target = rig.target
    lines = [target.line("Good-1"), target.line("bad-1", max_tokens=-1), target.line("good/2")]
    created = target.batch(
        target.input_file(*lines[: target.most_lines], name="history.jsonl"),
        metadata={"description": "history"},
        replace={"model": rig.other_model},
    )
    return [created, *target.watch(id_of(created))]


@pytest.fixture(scope="session")
def completed(lifecycle: list[Exchange]) -> Exchange:
    """A completed batch; without one, the cases that need it cannot be judged."""
    status = the_batch(lifecycle[-1])["status"]
    if status == "completed":
        return lifecycle[-1]
    reason = f"no batch completed; the last status was {status!r}"
    if status in FINAL_STATUSES:
        raise Blocked(reason)
    raise Inconclusive(f"{reason} when patience ended")


@pytest.fixture(scope="session")
def downloads(rig: Rig, completed: Exchange) -> list[Exchange]:
    """The result files of the completed batch, the output file first."""
    return rig.target.download_results(completed)


@pytest.fixture(scope="session")
def cancellation(rig: Rig) -> list[Exchange]:
    """
    The exchanges that show a batch from its cancel to its end.

    A batch that finishes before the cancel proves nothing, so up to three batches are tried.
    """
    target = rig.target
    for _ in range(3 if target.budget.unmetered else 1):
        lines = [target.line(f"line-{number}") for number in range(min(20, target.most_lines))]
        created = target.batch(target.input_file(*lines))
        cancel = target.cancel(id_of(created))
        if the_batch(cancel):
            return [cancel, *target.watch(id_of(created))]
        if the_batch(target.retrieve(id_of(created))).get("status") != "completed":
            return [cancel]
    raise Inconclusive("the batch completed before its cancel")


@pytest.fixture(scope="session")
def listed(rig: Rig, request: pytest.FixtureRequest) -> list[Exchange]:
    """
    Five listed batches, the oldest first: new ones, or existing ones where batches are paid for.

    Of new batches the newest has finished, so that a list without finished batches is noticed.
    """
    if not rig.target.budget.unmetered:
        newest = list(batches(rig.target.page(limit=5)))
        if len(newest) < 5:
            raise NotJudged(f"needs five batches in the list; there are {len(newest)}")
        return [rig.target.retrieve(id) for id in reversed(newest)]
    input_file = request.getfixturevalue("input_file")
    created = [rig.target.batch(input_file) for _ in range(5)]
    rig.target.page_with(created[-1])
    *_, ended = created[-1], *rig.target.watch(id_of(created[-1]), pause=0.2)
    return [*created[:-1], ended]
