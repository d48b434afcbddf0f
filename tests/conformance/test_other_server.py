"""
The suite against a server that nobody here wrote: aimock, which imitates OpenAI's batches.

It differs from the service in known ways, and the suite names them, the cause and not its
consequences. Downloads a package: only where SILICONFLOW_OTHER_SERVER=1 asks for it.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_simulator import Simulator
from support.conformance_command import conformance

PACKAGE = "@copilotkit/aimock@1.43.0"
KEY, STRANGER = "sk-other-server", "sk-other-stranger"

DIFFERENCES = {
    # A window other than 24h is refused; completions and embeddings are endpoints too; a file that
    # was never uploaded is made up; a 400 has an error object.
    *("CREATE-7", "CREATE-14", "CREATE-16", "CREATE-19"),
    # Every line of every file is answered; a file without lines has one.
    *(f"INPUT-{number}" for number in range(1, 10)),
    # What is not set is left out, and there is no expires_at.
    "BATCH-1",
    # No envelope; purposes of OpenAI's; a part without a file name is a file.
    *("UPLOAD-1", "UPLOAD-4", "UPLOAD-5", "FILES-4"),
    # replace.model is ignored.
    "RESULT-3",
    # The bodies of 401 and 404 are objects.
    *("AUTH-4", "WIRE-5"),
}
# All keys share one store.
SHARED = {f"OWNER-{number}" for number in (1, 2, 4, 5, 6)}
# Behind those: list items are no better batches, a file list lacks what its files lack, a stranger
# cancels what a stranger may see.
BEHIND = {"BATCH-2", "CANCEL-9", "FILES-1", "FILES-3", "LIST-10", "LIST-12", "OWNER-3"}

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("SILICONFLOW_OTHER_SERVER") != "1",
        reason=f"downloads {PACKAGE}; set SILICONFLOW_OTHER_SERVER=1",
    ),
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")), reason="needs node and npm"
    ),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The package, downloaded."""
    folder = tmp_path_factory.mktemp("package")
    npm = shutil.which("npm") or ""
    install = [npm, "install", "--ignore-scripts", "--no-save", "--prefix", str(folder), PACKAGE]
    subprocess.run(install, check=True, capture_output=True)  # noqa: S603 - a pinned package
    return str(folder / "node_modules/@copilotkit/aimock/dist/aimock-cli.js")


@pytest.fixture
def other_server(program: str, tmp_path: Path) -> Iterator[str]:
    """The base URL of aimock, which knows two keys and has seen nothing yet."""
    configuration = tmp_path / "aimock.json"
    configuration.write_text(json.dumps({"auth": {"apiKeys": [KEY, STRANGER]}}))
    port, log = free_port(), tmp_path / "log"
    command = [shutil.which("node") or "", program, "--config", str(configuration)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as told, subprocess.Popen(command, stdout=told) as running:  # noqa: S603
        try:
            wait_for(f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            running.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, log: Path) -> None:
    for _ in range(150):
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"{PACKAGE} does not answer: {log.read_text()}")


def fails(said: str) -> set[str]:
    return set(re.findall(r"^([A-Z]+-\d+)  ", said, re.MULTILINE))


def blocked(said: str) -> set[str]:
    found = re.findall(r"^blocked: (.*)", said, re.MULTILINE)
    return {id for ids in found for id in ids.split(", ")}


@pytest.mark.parametrize("cases", [["--core"], []], ids=["core", "all"])
def test_its_differences_are_named(other_server: str, cases: list[str], tmp_path: Path) -> None:
    """What differs fails, what follows from it is blocked, and everything else is judged."""
    done = conformance(
        *("--base-url", other_server, "--patience", "5", *cases),
        SILICONFLOW_API_KEY=KEY,
        SILICONFLOW_API_KEY_2=STRANGER,
        SILICONFLOW_STATE=str(tmp_path),
    )

    generated = set() if cases else {id for id in load() if id.startswith("SCHEMA-")}
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert fails(done.stdout) == DIFFERENCES | SHARED, done.stdout
    assert blocked(done.stdout) == BEHIND | generated, done.stdout
    assert "ERROR" not in done.stdout


def test_a_sound_simulator_has_none_of_them(tmp_path: Path) -> None:
    """The same requirements hold where the documents are followed."""
    with Simulator(keys=(KEY, STRANGER)) as simulator:
        done = conformance(
            *("--base-url", simulator.base_url, "--core", "--strict"),
            SILICONFLOW_API_KEY=KEY,
            SILICONFLOW_API_KEY_2=STRANGER,
            SILICONFLOW_STATE=str(tmp_path),
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert not fails(done.stdout) | blocked(done.stdout), done.stdout
