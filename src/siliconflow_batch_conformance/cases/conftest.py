"""What the cases stand on: the target, and batches that several cases look at."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..checks.exchange import Exchange, batches, the_batch
from ..collector import Report
from ..observer import Observer
from ..requirements import Blocked, Deviation, Inconclusive, NotJudged, load, requirement
from ..service.rig import Rig
from ..service.target import FINAL, Target, id_of

Expect = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    # Under a plain pytest the suite's own pytest.ini is not read.
    config.addinivalue_line("markers", "requirement(id): the requirement that a case checks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Names the requirement of each of schemathesis's items; what was observed is judged last."""
    schemas = {row.operation: row.id for row in load().values() if row.id.startswith("SCHEMA-")}
    for item in items:
        if label := getattr(item, "operation_label", None):
            item.add_marker(requirement(schemas[label]))
    items.sort(key=lambda item: item.path.name == "test_observed.py")


@pytest.fixture(scope="session")
def rig(pytestconfig: pytest.Config) -> Iterator[Rig]:
    """The run's own rig, or, under a plain pytest, a simulator."""
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
    """The same service with another account's key."""
    if rig.stranger is None:
        raise NotJudged("needs the key of a second account, in SILICONFLOW_API_KEY_2")
    return rig.stranger


@pytest.fixture
def expect(request: pytest.FixtureRequest, observer: Observer) -> Expect:
    """Judges the case's requirement by a check; raises `Deviation` where it does not hold."""
    id = request.node.get_closest_marker("requirement").args[0]

    def judge(check: Any, *arguments: Any) -> None:
        actual = observer.judge_for_case(id, check, *arguments)
        if actual is not None:
            raise Deviation(check, arguments, actual)

    return judge


@pytest.fixture(autouse=True)
def _observed(request: pytest.FixtureRequest) -> Iterator[None]:
    """A case whose requests alone are what it is about fails by what was observed meanwhile."""
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
def history(rig: Rig) -> list[Exchange]:
    """
    The answers that show a batch from its creation to its end, as often as it changed.

    One of its lines cannot be answered; there are three, or two where a line costs. replace.model
    names another model than they do.
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
def completed(history: list[Exchange]) -> Exchange:
    """A batch that is completed; without one, the cases that look at it cannot be judged."""
    status = the_batch(history[-1])["status"]
    if status == "completed":
        return history[-1]
    why = f"no batch completed; the last status was {status!r}"
    raise Blocked(why) if status in FINAL else Inconclusive(f"{why} when patience ended")


@pytest.fixture(scope="session")
def downloads(rig: Rig, completed: Exchange) -> list[Exchange]:
    """The result files of the completed batch, the output file first."""
    batch = the_batch(completed)
    names = [batch[name] for name in ("output_file_id", "error_file_id") if batch.get(name)]
    return [rig.target.download(name) for name in names]


@pytest.fixture(scope="session")
def cancellation(rig: Rig) -> list[Exchange]:
    """
    The answers that show a batch from its cancel to its end.

    A batch that finished before the cancel came proves nothing; another one is tried.
    """
    target = rig.target
    for _ in range(3 if target.budget.loopback else 1):
        lines = [target.line(f"line-{number}") for number in range(min(20, target.most_lines))]
        created = target.batch(target.input_file(*lines))
        answer = target.cancel(id_of(created))
        if the_batch(answer):
            return [answer, *target.watch(id_of(created))]
        if the_batch(target.retrieve(id_of(created))).get("status") != "completed":
            return [answer]
    if not target.budget.loopback:
        raise Inconclusive("the batch completed before its cancel came")
    return [answer]


@pytest.fixture(scope="session")
def listed(rig: Rig, request: pytest.FixtureRequest) -> list[Exchange]:
    """
    Five batches, created for it or, where they cost, already there; the oldest first, all listed.

    Of those created for it the newest had time to end: what leaves the list then is missed.
    """
    if not rig.target.budget.loopback:
        newest = list(batches(rig.target.page(limit=5)))
        if len(newest) < 5:
            raise NotJudged(f"needs five batches in the list; there are {len(newest)}")
        return [rig.target.retrieve(id) for id in reversed(newest)]
    input_file = request.getfixturevalue("input_file")
    created = [rig.target.batch(input_file) for _ in range(5)]
    rig.target.page_with(created[-1])
    *_, ended = created[-1], *rig.target.watch(id_of(created[-1]), pause=0.2)
    return [*created[:-1], ended]
