"""
The cases of the suite against the simulator, under plain pytest.

They share one run, and test_observed judges all of its exchanges, so one worker runs them all (see
tests/conftest.py).
"""

from siliconflow_batch_conformance.cases.conftest import (
    _observed,
    cancellation,
    check,
    completed,
    downloads,
    input_file,
    lifecycle,
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
    "check",
    "completed",
    "downloads",
    "input_file",
    "lifecycle",
    "listed",
    "observer",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "rig",
    "stranger",
    "target",
]
