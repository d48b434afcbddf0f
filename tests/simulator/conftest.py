"""A simulator on a socket; its clock is stopped, and tests move it forward."""

from collections.abc import Iterator

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Simulator
from support.account import Account


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(
        keys=("sk-first", "sk-second"), clock=Clock(speed=0, start=1_741_685_413)
    ) as simulator:
        yield simulator


def account(simulator: Simulator, number: int) -> Iterator[Account]:
    base = simulator.base_url + "/"
    with httpx.Client(base_url=base, headers=simulator.headers(number)) as http:
        yield Account(simulator, http)


@pytest.fixture
def api(simulator: Simulator) -> Iterator[Account]:
    """The first account."""
    yield from account(simulator, 0)


@pytest.fixture
def stranger(simulator: Simulator) -> Iterator[Account]:
    """The second account."""
    yield from account(simulator, 1)
