"""How the tests are spread over processes, and how much of the long ones runs."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run tests marked `soak` in full")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what only the full run has: tests marked `soak(only=True)`."""
    if config.getoption("--soak"):
        return
    long = [item for item in items if _only_in_soak(item)]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


def _only_in_soak(item: pytest.Item) -> bool:
    return any(mark.kwargs.get("only") for mark in item.iter_markers("soak"))


@pytest.fixture(autouse=True)
def _state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each test has a state folder of its own."""
    monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Whether a test marked `soak` runs in full; otherwise it runs a seeded sample."""
    return bool(pytestconfig.getoption("--soak"))


class OneWorkerForTheContract(LoadScopeScheduling):  # type: ignore[misc]
    """Any worker takes any test, but the cases of tests/contract, which share a run, stay together.

    `--dist loadgroup` would say the same, and has no effect under pytest 9.2 (pytest-xdist #1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = "tests/contract/"
        return folder if nodeid.startswith(folder) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneWorkerForTheContract:
    return OneWorkerForTheContract(config, log)
