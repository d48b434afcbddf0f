"""What an error advises depends on what was asked for."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import Retries, errors
from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line
from support.batches import BATCH, batch
from support.scripted_server import Answer, ScriptedServer, answer
from support.shell import Shell, start, wait_for_exit

Open = Callable[..., Any]
EXPIRED = (
    b'<?xml version="1.0"?>\n<Error>\n  <Code>AccessDenied</Code>\n'
    b"  <Message>Request has expired.</Message>\n</Error>"
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(opened: Open, server: ScriptedServer) -> Any:
    return opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_result_link_that_has_expired(
    client: Any, server: ScriptedServer, tmp_path: Path, status: int
) -> None:
    """The store's words are the message; the account is not blamed."""
    server.script = [Answer(status, EXPIRED, {"content-type": "application/xml"})]
    link = server.url.replace("/v1", "/bucket/out?Signature=secret")

    with pytest.raises(errors.APIError) as raised:
        client.download(link, tmp_path / "x")

    assert (raised.value.message, raised.value.code) == ("Request has expired.", "AccessDenied")
    assert "Retrieve the batch again" in str(raised.value)
    assert "30 days" in str(raised.value)
    assert "balance" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_404_without_an_id(client: Any, server: ScriptedServer) -> None:
    """The path is wrong, not the id."""
    server.script = [Answer(404, b'"404 page not found"')]

    with pytest.raises(errors.NotFound, match="Does the base URL end in /v1"):
        list(client.batches())
    with pytest.raises(errors.NotFound, match="Check the id"):
        client.retrieve("batch_a")


@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_names_its_target(client: Any, server: ScriptedServer, status: int) -> None:
    """Without its query."""
    server.script = [Answer(status, b"", {"location": "https://new.example/v1?token=secret"})]

    with pytest.raises(errors.APIError, match=r"moved to https://new\.example/v1") as raised:
        client.retrieve("batch_a")

    assert "Set the base URL" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_403_is_about_the_charged_balance(client: Any, server: ScriptedServer) -> None:
    """Batches are not paid from gifts."""
    server.script = [answer({"code": 30001, "message": "no", "data": None}, 403)]

    with pytest.raises(errors.AccessDenied, match="charged balance"):
        client.retrieve("batch_a")


def test_a_code_may_be_a_word(client: Any, server: ScriptedServer) -> None:
    """As OpenAI-like servers write it."""
    server.script = [answer({"error": {"code": "invalid_api_key", "message": "no"}}, 401)]

    with pytest.raises(errors.KeyRefused) as raised:
        client.retrieve("batch_a")

    assert raised.value.code == "invalid_api_key"


class TestCancel:
    REFUSED = answer({"code": 20012, "message": "already cancelled", "data": None}, 400)

    @pytest.mark.parametrize("status", ["cancelling", "cancelled"])
    def test_a_cancelled_batch_is_cancelled(
        self, client: Any, server: ScriptedServer, status: str
    ) -> None:
        """The response to the first cancel may have been lost."""
        server.script = [self.REFUSED, answer({**BATCH, "status": status})]

        assert client.cancel(BATCH["id"]).status == status

    def test_any_other_refusal_is_raised(self, client: Any, server: ScriptedServer) -> None:
        """A completed batch cannot be cancelled."""
        server.script = [self.REFUSED, answer({**BATCH, "status": "completed"})]

        with pytest.raises(errors.BadRequest, match="already cancelled"):
            client.cancel(BATCH["id"])


class TestLog:
    @pytest.fixture
    def patient(self, opened: Open, server: ScriptedServer) -> Any:
        return opened(key="sk-x", base_url=server.url, retries=Retries(attempts=3))

    def test_a_retry_is_logged(
        self, patient: Any, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What is repeated, why, and after how long; nothing follows the last attempt."""
        server.script = [Answer(503, b'"busy"')]

        with pytest.raises(errors.ServiceUnavailable):
            patient.retrieve("batch_a")

        lines = [row.getMessage() for row in caplog.records if row.name == "siliconflow_batch"]
        assert len(lines) == len(server.received) - 1
        assert "GET /v1/batches/batch_a: 503: busy; trying again in 0.0 s" in lines[0]

    def test_a_text_of_the_service_is_escaped(
        self, patient: Any, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A log may go to a terminal, or to a file in UTF-8."""
        server.script = [Answer(503, b'{"message": "\\u001b[31m \\ud800 \xc3\xbc"}'), answer(BATCH)]

        patient.retrieve("batch_a")

        assert "\\x1b[31m \\ud800 \u00fc" in caplog.text

    def test_other_logs_have_nothing(
        self, patient: Any, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """stamina's own log does not repeat it."""
        server.script = [Answer(503), answer(BATCH)]

        patient.retrieve("batch_a")

        assert not [row for row in caplog.records if row.name == "stamina"]

    def test_a_creation_in_doubt_is_logged(
        self, patient: Any, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What the client does instead of creating it again; then what it found."""
        caplog.set_level(logging.INFO)
        file = {"id": "file-a", "object": "file", "filename": "a.jsonl", "bytes": 1}
        made = batch(input_file_id="file-a").raw
        twin = {**made, "id": "batch_b"}
        server.script = [
            answer({"code": 20000, "data": file}),
            Answer(504),
            answer({"data": [made, twin], "has_more": False}),
            answer({"data": [], "has_more": False}),
        ]

        patient.submit(json_lines(line("a")))

        lines = [row.getMessage() for row in caplog.records if row.name == "siliconflow_batch"]
        assert "looking for the batch before it is created again" in lines[0]
        assert "create batch: found as batch_a" in lines
        assert any("batch_a, batch_b look like one creation" in one for one in lines)


class TestClosedOutput:
    def test_an_unprinted_batch_is_reported(self, shell: Shell, site: Simulator) -> None:
        """`submit a b c | true` names the batch on stderr, begins no other, and exits with 2."""
        for name in "abc":
            Path(f"{name}.jsonl").write_bytes(json_lines(line(name)))
        process = start("submit", "a.jsonl", "b.jsonl", "c.jsonl")
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None

        done = wait_for_exit(process)

        (made,) = site.service.batches
        assert done.status == 2
        assert f"These batches were created: {made}" in done.err
        assert "Run the same command again" in done.err

        again = shell("submit", "a.jsonl", "b.jsonl", "c.jsonl")
        assert (again.status, len(again.out.split())) == (0, 3)
        assert len(site.service.batches) == 3


def test_nothing_is_printed_by_the_library(server: ScriptedServer) -> None:
    """In a program that configures no logging, a retry prints nothing."""
    server.script = [Answer(503), answer(BATCH)]
    program = (
        "from siliconflow_batch import Retries, SiliconFlowBatch\n"
        f"client = SiliconFlowBatch('sk-x', {server.url!r}, retries=Retries(first=0.001))\n"
        f"client.retrieve({BATCH['id']!r})"
    )

    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert len(server.received) == 2
    assert (done.stdout, done.stderr) == ("", "")
