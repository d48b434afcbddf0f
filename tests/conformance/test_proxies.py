"""The suite and the fixture reach what runs on this machine without a proxy."""

import pytest

from siliconflow_batch_simulator import Simulator
from support.conformance_command import conformance_here
from support.scripted_server import Answer, ScriptedServer

pytest_plugins = ["pytester"]
TEST = """
import httpx

def test_it(siliconflow_simulator):
    url, headers = siliconflow_simulator.base_url + "/batches", siliconflow_simulator.headers()
    assert httpx.get(url, headers=headers).status_code == 200
"""


def test_the_suite_needs_no_proxy_for_this_machine() -> None:
    """Neither for its own simulator nor for a server here; schemathesis included."""
    with Simulator(keys=("sk-one",)) as simulator, ScriptedServer(Answer(502)) as proxy:
        address = proxy.url.removesuffix("/v1")
        environment = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), address)
        environment["SILICONFLOW_API_KEY"] = "sk-one"

        own = conformance_here("--only", "LIST-3", "--only", "SCHEMA-6", **environment)
        other = conformance_here(
            *("--only", "LIST-3", "--unmetered", "--base-url", simulator.base_url),
            **environment,
        )

        assert (own.returncode, other.returncode) == (0, 0), own.stdout + other.stdout
        assert proxy.received == []


def test_a_proxy_that_cannot_be_used_is_one_sentence() -> None:
    """The exit status is 2, and there is no traceback."""
    done = conformance_here("--only", "LIST-3", ALL_PROXY="socks://127.0.0.1:9")

    assert done.returncode == 2
    assert "a proxy or certificate of the environment cannot be used" in done.stderr


def test_the_fixture_needs_no_proxy(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test with any HTTP client reaches the simulator, whatever proxy is set."""
    with ScriptedServer(Answer(502)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        pytester.makepyfile(TEST)

        pytester.runpytest_subprocess().assert_outcomes(passed=1)

        assert proxy.received == []
