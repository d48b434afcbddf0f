"""The simulate command, the log, the end of the server, and keys."""

import logging
import os
import signal
import socket
from typing import Any

import httpx
import pytest

from siliconflow_batch_simulator import Simulator, launcher
from siliconflow_batch_simulator.faults import FAULTS
from siliconflow_batch_simulator.variants import VARIANTS
from support.account import Account, line
from support.shell import start, until


class TestSimulateCommand:
    def test_it_prints_the_base_url_and_serves_until_interrupted(self) -> None:
        """The first line of the output is the base URL."""
        arguments = ["simulate", "--port", "0", "--api-key", "sk-a", "--api-key", "sk-b"]
        with start(*arguments, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as server:
            try:
                assert server.stdout is not None
                base_url = server.stdout.readline().strip()
                headers = {"Authorization": "Bearer sk-b"}
                response = httpx.get(f"{base_url}/batches", headers=headers)
            finally:
                server.send_signal(signal.SIGINT)
            _, log = server.communicate(timeout=30)

        assert response.status_code == 200
        assert "GET '/v1/batches' 200" in log
        assert "sk-" not in log

    def test_a_port_in_use_is_an_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A second simulator on the same port prints a message, not a traceback."""
        with Simulator() as simulator:
            port = str(httpx.URL(simulator.base_url).port)

            assert launcher.main(["--port", port]) == 2

        assert "in use" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["--fault", "nonsense"], "no fault or variant 'nonsense'"),
            (["--port", "70000"], "port"),
            (["--speed", "nan"], "not nan"),
            (["--api-key", ""], "Invalid API key"),
            (["--backend", "localhost:11434"], "must be an http URL"),
            (["--backend-model", "llama3"], "needs --backend"),
            (["--rules", "/nonexistent.toml"], "cannot be read"),
        ],
    )
    def test_an_invalid_option_is_an_error(
        self, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An invalid option ends the command with status 2 and a message."""
        assert launcher.main(["--port", "0", *arguments]) == 2

        assert reason in capsys.readouterr().err

    def test_variants_and_faults_are_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`--list-faults` prints a line for each variant and each fault."""
        assert launcher.main(["--list-faults"]) == 0

        listed = {row.split()[0] for row in capsys.readouterr().out.splitlines()}
        assert listed >= {*FAULTS, *VARIANTS}


class TestLog:
    def test_a_request_is_a_line_without_secrets(
        self, api: Account, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Method, path, status and time are logged; keys, queries and result tokens are not."""
        with caplog.at_level(logging.INFO, "siliconflow_batch_simulator"):
            batch = api.advance(api.batch(line()), seconds=2)
            api.http.get("batches", params={"after": "private"})
            api.records(batch["output_file_id"])
            api.http.get(f"files/{batch['output_file_id']}/content")  # a URL used as an id

        token = batch["output_file_id"].rpartition("/")[2]
        assert "POST '/v1/batches' 200" in caplog.text
        for secret in ("sk-first", "private", token):
            assert secret not in caplog.text


class TestEnd:
    def test_an_incomplete_request_does_not_delay_the_end(self) -> None:
        """The server ends although a client has not sent its whole body."""
        with Simulator() as simulator:
            url = httpx.URL(simulator.base_url)
            half = socket.create_connection((url.host, url.port or 0))
            head = "POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            half.sendall((head + f"Authorization: Bearer {simulator.api_key}\r\n\r\n{{").encode())
            httpx.get(simulator.base_url + "/batches", headers=simulator.headers())

        half.close()
        assert not simulator._thread.is_alive()

    def test_requests_in_progress_are_finished(self) -> None:
        """A request that has started when the server ends gets its whole response."""
        with Simulator(faults=("slow",)) as simulator:
            url = httpx.URL(simulator.base_url)
            client = socket.create_connection((url.host, url.port or 0))
            head = "GET /v1/batches HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            client.sendall((head + f"Authorization: Bearer {simulator.api_key}\r\n\r\n").encode())
            until(lambda: bool(simulator._server.server_state.tasks))

        with client.makefile("rb") as response:
            assert response.readline() == b"HTTP/1.1 200 OK\r\n"
            assert response.read().endswith(b'"has_more":false}')
        client.close()

    def test_it_can_be_stopped_before_it_starts(self) -> None:
        """A server that is stopped before it runs ends, and the port is closed."""
        simulator = Simulator()
        simulator._server.stop()
        with simulator:
            simulator._thread.join()

        with pytest.raises(httpx.ConnectError):
            httpx.get(simulator.base_url)


class TestAccess:
    @pytest.mark.parametrize("keys", ["sk-one", ("sk-a", "sk-a"), ("",), ("sk a",)])
    def test_invalid_keys_are_refused(self, keys: Any) -> None:
        """A string, repeated keys, and keys that cannot be in a header raise `ValueError`."""
        with pytest.raises(ValueError, match=r"(?i)\bkeys?\b"):
            Simulator(keys=keys)

    def test_the_repr_has_no_keys(self, simulator: Simulator) -> None:
        """Printing the service does not show its keys."""
        assert "sk-first" not in repr(simulator.service)

    def test_it_listens_on_loopback(self, simulator: Simulator) -> None:
        """By default, other machines cannot reach the simulator."""
        assert simulator.base_url.startswith("http://127.0.0.1:")
