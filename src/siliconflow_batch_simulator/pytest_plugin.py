"""
The fixture `siliconflow_simulator`, for everybody's tests.

Rule: loaded by every pytest run where the distribution is installed, it imports nothing but pytest
until a test asks for the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import Simulator


def pytest_configure(config: pytest.Config) -> None:
    line = "siliconflow_simulator(**options): the options of a test's simulator"
    config.addinivalue_line("markers", line)


@pytest.fixture
def siliconflow_simulator(request: pytest.FixtureRequest) -> "Iterator[Simulator]":
    """
    A simulator of the SiliconFlow Batch API on a free port, new for each test.

    `base_url`, `api_key`, `clock` (runs, and can be moved), `faults` (bad days), `requests` (what
    was received, in order). `@pytest.mark.siliconflow_simulator(keys=…, seed=…)` passes options on.
    """
    try:
        from .server import Simulator
    except ModuleNotFoundError as missing:
        pytest.fail(f"{missing}: pip install 'siliconflow-batch[simulator]'", pytrace=False)
    marker = request.node.get_closest_marker("siliconflow_simulator")
    with Simulator(**(marker.kwargs if marker else {})) as simulator:
        yield simulator
