"""What the cases stand on: the target, and batches that several cases look at."""

from collections.abc import Iterator
from typing import Any

import pytest

from .report import Report
from .requirements import load, requirement
from .rig import Rig
from .target import Target

Batch = dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    # Under a plain pytest the suite's own pytest.ini is not read.
    config.addinivalue_line("markers", "requirement(id): the requirement that a case checks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives each of schemathesis's items the requirement of its operation."""
    schemas = {row.operation: row.id for row in load().values() if row.id.startswith("SCHEMA-")}
    for item in items:
        if label := getattr(item, "operation_label", None):
            item.add_marker(requirement(schemas[label]))


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
def stranger(rig: Rig) -> Target:
    """The same service with another account's key."""
    if rig.stranger is None:
        pytest.skip("needs the key of a second account, in SILICONFLOW_API_KEY_2")
    return rig.stranger


@pytest.fixture(scope="session")
def input_file(rig: Rig) -> str:
    """An input file of one line."""
    return rig.target.input_file(rig.target.line())


@pytest.fixture(scope="session")
def history(rig: Rig) -> list[Batch]:
    """
    A batch from its creation to its end, as often as it changed.

    Two of its lines can be answered and one cannot; replace.model names another model than they do.
    """
    target = rig.target
    lines = [target.line("good-1"), target.line("good-2"), target.line("bad-1", max_tokens=-1)]
    created = target.batch(
        target.input_file(*lines, name="history.jsonl"),
        metadata={"description": "history"},
        replace={"model": rig.other_model},
    )
    return [created, *target.watch(created["id"])]


@pytest.fixture(scope="session")
def completed(history: list[Batch]) -> Batch:
    """A batch that is completed; without one, the cases that look at it cannot be judged."""
    if history[-1]["status"] != "completed":
        pytest.skip(f"no batch completed in time; the last status was {history[-1]['status']!r}")
    return history[-1]


@pytest.fixture(scope="session")
def cancellation(rig: Rig) -> list[Batch]:
    """
    A batch from the answer to its cancel to its end.

    A batch that finished before the cancel came proves nothing; another one is tried.
    """
    target = rig.target
    for _ in range(3):
        lines = [target.line(f"line-{number}") for number in range(20)]
        batch = target.batch(target.input_file(*lines))
        answer = target.cancel(batch["id"])
        if answer.status_code == 200 and isinstance(answer.json(), dict):
            return [answer.json(), *target.watch(batch["id"])]
        if target.retrieve(batch["id"])["status"] != "completed":
            break
    pytest.fail(f"a batch that was just created cannot be cancelled: {answer.status_code}")


@pytest.fixture(scope="session")
def listed(rig: Rig, input_file: str) -> list[str]:
    """The ids of five batches, in the order of their creation."""
    return [rig.target.batch(input_file)["id"] for _ in range(5)]
