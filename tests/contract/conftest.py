"""
The suite's own cases against the simulator, under plain pytest.

They share one run, and what it observed is judged at its end: xdist keeps them on one worker.
"""

from pathlib import Path

import pytest

from siliconflow_batch_conformance.cases import conftest as cases
from siliconflow_batch_conformance.cases.conftest import (
    _observed,
    cancellation,
    completed,
    downloads,
    expect,
    history,
    input_file,
    listed,
    observer,
    pytest_configure,
    rig,
    stranger,
    target,
)

__all__ = ["_observed", "cancellation", "completed", "downloads", "expect", "history", "input_file"]
__all__ += ["listed", "observer", "pytest_configure", "rig", "stranger", "target"]

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the cases as the suite does."""
    cases.pytest_collection_modifyitems(items)
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.xdist_group("contract"))
