"""Both clients, against a simulator on a real socket, without pauses between attempts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from siliconflow_batch import AsyncSiliconFlowBatch, Patience, SiliconFlowBatch, console
from siliconflow_batch_simulator import Clock, Pace, Simulator
from support.blocking import Blocking
from support.shell import Result, Shell

Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    """Removes the pauses between attempts, not the attempts."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens clients of one kind, and closes them after the test."""
    clients: list[Any] = []

    def make(**options: Any) -> Any:
        options.setdefault("patience", Patience(seconds=0.05, looks=3))
        if request.param == "sync":
            clients.append(SiliconFlowBatch(**options))
        else:
            clients.append(Blocking(AsyncSiliconFlowBatch(**options)))
        return clients[-1]

    yield make
    for client in clients:
        (client.close if isinstance(client, SiliconFlowBatch) else client.stop)()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator whose batches take no time."""
    pace = Pace(queued=0.01, running=0.01, finalizing=0.01, cancelling=0.01)
    with Simulator(keys=("sk-secret-of-tests",), pace=pace, clock=Clock()) as simulator:
        yield simulator


@pytest.fixture
def client(opened: Open, simulator: Simulator) -> Any:
    return opened(key=simulator.api_key, base_url=simulator.base_url)


@pytest.fixture
def site(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Simulator:
    """The simulator, with its key in the environment and an empty working directory."""
    monkeypatch.setenv("SILICONFLOW_API_KEY", simulator.api_key)
    monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)
    monkeypatch.chdir(tmp_path)
    return simulator


@pytest.fixture
def shell(site: Simulator, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs the console script in this process."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        status = console.main(arguments)
        return Result(status, *capsys.readouterr())

    return call
