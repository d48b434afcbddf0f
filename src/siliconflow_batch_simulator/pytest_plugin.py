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


@pytest.fixture
def siliconflow_simulator() -> "Iterator[Simulator]":
    """
    A simulator of the SiliconFlow Batch API on a free port, new for each test.

    `base_url`, `api_key`, `clock` (runs, and can be moved), `faults` (bad days), `requests` (what
    was received, in order).
    """
    from .server import Simulator

    with Simulator() as simulator:
        yield simulator
