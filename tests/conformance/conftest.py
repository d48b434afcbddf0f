"""What the tests of the suite stand on; none of them sees the caller's own journals."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Pace, Simulator
from support.account import Account
from support.journaled_runs import KEY, NOW, Site, Time


@pytest.fixture
def time() -> Time:
    return Time(NOW)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Time stands still in there: a batch stays in its queue."""
    slow = Pace(queued=600)
    with Simulator(keys=(KEY, "sk-other"), clock=Clock(speed=0), pace=slow) as simulator:
        yield simulator


@pytest.fixture
def site(simulator: Simulator, time: Time) -> Iterator[Site]:
    base = simulator.base_url + "/"
    with httpx.Client(base_url=base, headers=simulator.headers()) as http:
        yield Site(simulator, Account(simulator, http), time)
