"""Fixtures of the suite's own tests. None of them uses the journals of the user who runs them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Pace, Simulator
from support.account import Account
from support.journaled_runs import KEY, NOW, FakeClock, JournaledService


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator whose clock stands still: a batch stays in its queue."""
    slow = Pace(queued=600)
    with Simulator(keys=(KEY, "sk-other"), clock=Clock(speed=0), pace=slow) as simulator:
        yield simulator


@pytest.fixture
def service(simulator: Simulator, clock: FakeClock) -> Iterator[JournaledService]:
    base_url = simulator.base_url + "/"
    with httpx.Client(base_url=base_url, headers=simulator.headers()) as http:
        yield JournaledService(simulator, Account(simulator, http), clock)
