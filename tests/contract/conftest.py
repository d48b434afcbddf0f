"""
The suite's own cases against the simulator, under plain pytest.

They share one run, and what it observed is judged at its end, so one worker runs them all (see
tests/conftest.py).
"""

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
    pytest_collection_modifyitems,
    pytest_configure,
    rig,
    stranger,
    target,
)

__all__ = [
    "_observed",
    "cancellation",
    "completed",
    "downloads",
    "expect",
    "history",
    "input_file",
    "listed",
    "observer",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "rig",
    "stranger",
    "target",
]
