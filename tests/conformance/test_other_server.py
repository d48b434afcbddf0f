"""
The suite against an independent server: aimock, which imitates OpenAI's batches.

It differs from the documents in known ways. The suite reports each difference as a failure, and
others on the same responses as blocked. `make test-downloads` runs these tests, which download a
package and need node and npm.
"""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from siliconflow_batch_simulator import Simulator
from support.conformance_command import conformance
from support.required_tools import required_tool

PACKAGE = "@copilotkit/aimock@1.43.0"
KEY, STRANGER = "sk-other-server", "sk-other-stranger"

DIFFERENCES = {
    # It rejects windows other than 24h, and accepts other endpoints and unknown files.
    *("CREATE-7", "CREATE-14", "CREATE-16"),
    # It answers every line of every file; an empty file has one line.
    *(f"INPUT-{number}" for number in range(1, 10)),
    # It omits fields that are null, and expires_at.
    "BATCH-1",
    # It has no envelope, accepts OpenAI's purposes, and accepts a file without a name.
    *("UPLOAD-1", "UPLOAD-4", "UPLOAD-5", "FILES-4"),
    # It ignores replace.model.
    "RESULT-3",
}
# All keys see the same batches and files.
SHARED = {f"OWNER-{number}" for number in (1, 2, 4, 5, 6)}
# Requirements that fail on the same responses.
BLOCKED = {
    *("BATCH-2", "CANCEL-9", "FILES-1", "FILES-3", "FILES-5", "FILES-11", "FILES-12"),
    *("LIST-10", "LIST-12", "OWNER-3"),
}
# Generated requests fail where cases do; the other generated requests cannot be judged, because it
# omits fields.
GENERATED = {"SCHEMA-5", "SCHEMA-6", "SCHEMA-7"}

pytestmark = pytest.mark.downloads


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of the downloaded program."""
    folder = tmp_path_factory.mktemp("package")
    npm = required_tool("npm")
    install = [npm, "install", "--ignore-scripts", "--no-save", "--prefix", str(folder), PACKAGE]
    subprocess.run(install, check=True, capture_output=True)  # noqa: S603 - a pinned version
    return str(folder / "node_modules/@copilotkit/aimock/dist/aimock-cli.js")


@pytest.fixture
def other_server(program: str, tmp_path: Path) -> Iterator[str]:
    """The base URL of a new aimock with two keys."""
    configuration = tmp_path / "aimock.json"
    configuration.write_text(json.dumps({"auth": {"apiKeys": [KEY, STRANGER]}}))
    port, log = free_port(), tmp_path / "log"
    command = [required_tool("node"), program, "--config", str(configuration)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output, subprocess.Popen(command, stdout=output) as running:  # noqa: S603
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            running.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, log: Path) -> None:
    for _ in range(150):
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"{PACKAGE} does not respond: {log.read_text()}")


def failed_ids(output: str) -> set[str]:
    return set(re.findall(r"^  ([A-Z]+-\d+) +(?:must|should|hygiene) ", output, re.MULTILINE))


def blocked_ids(output: str) -> set[str]:
    rows = re.findall(r"^blocked: (.*)", output, re.MULTILINE)
    return {id for row in rows for id in row.split(", ")}


@pytest.mark.parametrize("cases", [["--core"], []], ids=["core", "all"])
def test_differences_are_reported(other_server: str, cases: list[str], tmp_path: Path) -> None:
    """Differences fail, others on the same responses are blocked, and no further one fails."""
    done = conformance(
        *("--unmetered", "--base-url", other_server, "--patience", "5", *cases),
        SILICONFLOW_API_KEY=KEY,
        SILICONFLOW_API_KEY_2=STRANGER,
        SILICONFLOW_STATE=str(tmp_path),
    )

    generated = set() if cases else GENERATED
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert failed_ids(done.stdout) == DIFFERENCES | SHARED, done.stdout
    assert blocked_ids(done.stdout) == BLOCKED | generated, done.stdout
    assert "ERROR" not in done.stdout


def test_the_simulator_has_no_differences(tmp_path: Path) -> None:
    """The same requirements hold on a server that follows the documents."""
    with Simulator(keys=(KEY, STRANGER)) as simulator:
        done = conformance(
            *("--unmetered", "--base-url", simulator.base_url, "--core", "--strict"),
            SILICONFLOW_API_KEY=KEY,
            SILICONFLOW_API_KEY_2=STRANGER,
            SILICONFLOW_STATE=str(tmp_path),
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert not failed_ids(done.stdout) | blocked_ids(done.stdout), done.stdout
