"""
The pytest fixture `siliconflow_simulator`.

Rule: every pytest run loads this module, so it imports only pytest until a test uses the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import Simulator


def pytest_configure(config: pytest.Config) -> None:
    line = "siliconflow_simulator(**options): options of the simulator for this test"
    config.addinivalue_line("markers", line)


@pytest.fixture
def siliconflow_simulator(request: pytest.FixtureRequest) -> "Iterator[Simulator]":
    """
    A simulator of the SiliconFlow Batch API on a free port, new for each test.

    It has `base_url`, `api_key`, `clock` (can be moved forward), `faults` (variants and faults)
    and `requests` (those received, in order). `@pytest.mark.siliconflow_simulator(keys=…, seed=…)`
    sets its options. It is reached without the proxies of the environment.
    """
    try:
        from .direct import reached_directly
        from .server import Simulator
    except ModuleNotFoundError as missing:
        pytest.fail(f"{missing}: pip install 'siliconflow-batch[simulator]'", pytrace=False)
    marker = request.node.get_closest_marker("siliconflow_simulator")
    with reached_directly(), Simulator(**(marker.kwargs if marker else {})) as simulator:
        yield simulator
