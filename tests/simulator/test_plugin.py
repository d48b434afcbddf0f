"""The pytest plugin in another project."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from siliconflow_batch_simulator import Simulator


def run(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Runs a test file in a folder outside this project."""
    (folder / "test_mine.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603


class TestFixture:
    def test_it_needs_no_import(self, tmp_path: Path) -> None:
        """After installation, tests can use the fixture and add variants."""
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

        result = run(tmp_path, source)

        assert result.returncode == 0, result.stdout
        assert "1 passed" in result.stdout

    def test_an_unused_fixture_loads_nothing(self, tmp_path: Path) -> None:
        """A test run without the fixture does not import the server."""
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

        result = run(tmp_path, source)

        assert result.returncode == 0, result.stdout

    def test_every_test_has_its_own_simulator(
        self, siliconflow_simulator: Simulator, tmp_path: Path
    ) -> None:
        """The simulator of a test has no batches at the start."""
        headers = siliconflow_simulator.headers()

        page = httpx.get(siliconflow_simulator.base_url + "/batches", headers=headers).json()

        assert page["data"] == []

    @pytest.mark.siliconflow_simulator(keys=("sk-a", "sk-b"), seed=7)
    def test_a_marker_sets_options(self, siliconflow_simulator: Simulator) -> None:
        """The marker accepts the options of the class."""
        assert siliconflow_simulator.keys == ("sk-a", "sk-b")
        assert siliconflow_simulator.service.seed == 7


class TestRequests:
    def test_received_requests_are_in_order(self, siliconflow_simulator: Simulator) -> None:
        """Each request has method, path, query, headers and JSON, without the key."""
        base, headers = siliconflow_simulator.base_url, siliconflow_simulator.headers()

        httpx.get(base + "/batches", params={"limit": 1}, headers=headers)
        httpx.post(base + "/batches", json={"a": [1]}, headers={**headers, "X-Trace": "t"})

        first, second = siliconflow_simulator.requests
        assert (first.method, first.path, first.query) == ("GET", "/v1/batches", "limit=1")
        assert (first.authorized, first.json) == (True, None)
        assert (second.json, second.headers["x-trace"]) == ({"a": [1]}, "t")
        assert siliconflow_simulator.api_key not in json.dumps([first.headers, second.headers])

    def test_concurrent_asynchronous_requests_are_served(
        self, siliconflow_simulator: Simulator
    ) -> None:
        """Ten concurrent requests of an asynchronous client succeed."""

        async def send() -> list[int]:
            base, headers = siliconflow_simulator.base_url, siliconflow_simulator.headers()
            async with httpx.AsyncClient(headers=headers) as http:
                responses = await asyncio.gather(*(http.get(base + "/files") for _ in range(10)))
            return [response.status_code for response in responses]

        assert asyncio.run(send()) == [200] * 10
        assert len(siliconflow_simulator.requests) == 10
