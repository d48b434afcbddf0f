"""The pytest plugin, as somebody else's tests see it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from siliconflow_batch_simulator import Simulator


def run(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Runs a test file in a folder that knows nothing of this project."""
    (folder / "test_mine.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603


class TestFixture:
    def test_it_is_there_without_an_import(self, tmp_path: Path) -> None:
        """Installed is enough: the fixture has a name, and bad days can be planned."""
        source = """
import httpx
import pytest

def test_mine(siliconflow_simulator):
    simulator = siliconflow_simulator
    simulator.faults.add("rate-limited", times=1)
    headers = {"Authorization": f"Bearer {simulator.api_key}"}
    statuses = [httpx.get(simulator.base_url + "/batches", headers=headers).status_code
                for _ in range(2)]
    assert statuses == [429, 200]
"""

        done = run(tmp_path, source)

        assert done.returncode == 0, done.stdout
        assert "1 passed" in done.stdout

    def test_nothing_is_loaded_when_it_is_not_used(self, tmp_path: Path) -> None:
        """A test run that does not ask for the fixture pays nothing for it."""
        source = """
import sys

def test_mine(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("siliconflow_batch")
    loaded = [name for name in sys.modules if name.startswith("siliconflow_batch")]
    assert sorted(loaded) == ["siliconflow_batch_simulator",
                              "siliconflow_batch_simulator.pytest_plugin"]
    assert "uvicorn" not in sys.modules
    assert "starlette" not in sys.modules
"""

        done = run(tmp_path, source)

        assert done.returncode == 0, done.stdout

    def test_every_test_has_its_own(self, siliconflow_simulator: Simulator, tmp_path: Path) -> None:
        """Nothing is left of the test before."""
        headers = siliconflow_simulator.headers()

        page = httpx.get(siliconflow_simulator.base_url + "/batches", headers=headers).json()

        assert page["data"] == []

    @pytest.mark.siliconflow_simulator(keys=("sk-a", "sk-b"), urls=False)
    def test_a_marker_passes_options_on(self, siliconflow_simulator: Simulator) -> None:
        """What the class can do, the fixture can."""
        assert siliconflow_simulator.keys == ("sk-a", "sk-b")
        assert siliconflow_simulator.service.urls is False


class TestRequests:
    def test_what_was_received_is_told_in_order(self, siliconflow_simulator: Simulator) -> None:
        """Method, path, query, headers and JSON of each request, without the key."""
        base, headers = siliconflow_simulator.base_url, siliconflow_simulator.headers()

        httpx.get(base + "/batches", params={"limit": 1}, headers=headers)
        httpx.post(base + "/batches", json={"a": [1]}, headers={**headers, "X-Trace": "t"})

        first, second = siliconflow_simulator.requests
        assert (first.method, first.path, first.query) == ("GET", "/v1/batches", "limit=1")
        assert (first.authorized, first.json) == (True, None)
        assert (second.json, second.headers["x-trace"]) == ({"a": [1]}, "t")
        assert siliconflow_simulator.api_key not in json.dumps([first.headers, second.headers])

    def test_asynchronous_code_is_served_too(self, siliconflow_simulator: Simulator) -> None:
        """The socket is real: it does not matter how it is called."""

        async def ask() -> list[int]:
            base, headers = siliconflow_simulator.base_url, siliconflow_simulator.headers()
            async with httpx.AsyncClient(headers=headers) as http:
                answers = await asyncio.gather(*(http.get(base + "/files") for _ in range(10)))
            return [answer.status_code for answer in answers]

        assert asyncio.run(ask()) == [200] * 10
        assert len(siliconflow_simulator.requests) == 10
