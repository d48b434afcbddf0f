"""Bytes on their way: progress, interruptions, results as they come, a client of the caller's."""

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from attrs import define, field

from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch, errors
from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line
from support.blocking import Blocking

RECORDS = b"".join(
    b'{"custom_id": "%d", "response": {"status_code": 200, "body": {}}, "error": null}\n' % number
    for number in range(4_000)
)
IDS = [str(number) for number in range(4_000)]


@define(eq=False, slots=False)
class Careless:
    """
    A file server that knows neither ranges nor tags.

    Each answer is a length that is promised and the bytes that come; `gate` holds back the second
    half of an answer until the caller has seen the first.
    """

    answers: list[tuple[int, bytes]]
    gate: threading.Event | None = None
    asked: list[dict[str, str]] = field(factory=list)

    def __enter__(self) -> str:
        shared = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shared.asked.append({name.lower(): text for name, text in self.headers.items()})
                length, data = shared.answers.pop(0)
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
                if shared.gate is None or shared.gate.wait(30):
                    self.wfile.write(data[len(data) // 2 :])

            def log_message(self, *arguments: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/results"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def whole(data: bytes = RECORDS) -> tuple[int, bytes]:
    return len(data), data


def cut(share: float, data: bytes = RECORDS) -> tuple[int, bytes]:
    return len(data), data[: int(len(data) * share)]


@pytest.fixture
def batch(client: Any) -> Any:
    """A completed batch, whose results the tests have elsewhere."""
    return client.wait(client.submit(json_lines(line("a"))).id, interval=0.01)


def elsewhere(batch: Any, url: str) -> Any:
    batch.model.output_file_id = url
    return batch


class TestResults:
    def test_the_first_comes_before_the_last_has_arrived(
        self, simulator: Simulator, batch: Any
    ) -> None:
        """Results are read while they are on their way."""
        gate = threading.Event()
        with (
            Careless([whole()], gate) as url,
            SiliconFlowBatch(simulator.api_key, simulator.base_url) as client,
        ):
            results = client.results(elsewhere(batch, url))

            assert next(results).custom_id == "0"
            gate.set()
            assert [result.custom_id for result in results] == IDS[1:]

    @pytest.mark.parametrize("answers", [[cut(0.5), whole()], [cut(0.7), cut(0.3), cut(1)]])
    def test_what_comes_twice_is_told_once(
        self, client: Any, batch: Any, answers: list[tuple[int, bytes]]
    ) -> None:
        """Where a server cannot resume, the results go on where they ended."""
        with Careless([*answers]) as url:
            found = [result.custom_id for result in client.results(elsewhere(batch, url))]

        assert found == IDS

    def test_what_a_server_can_resume_is_not_sent_twice(
        self, client: Any, simulator: Simulator, batch: Any
    ) -> None:
        """Half a file was read; the other half is asked for."""
        simulator.faults.add("download-truncated", times=1)

        assert [result.custom_id for result in client.results(batch)] == ["a"]
        assert "range" not in simulator.requests[-2].headers
        assert simulator.requests[-1].headers["range"].startswith("bytes=")

    def test_another_file_is_not_joined_to_the_first(self, client: Any, batch: Any) -> None:
        """A file that changed on the way is an error, not a mixture."""
        with Careless([cut(0.5), whole(RECORDS + b"\n")]) as url:
            found = []
            with pytest.raises(errors.DownloadTruncated):
                found = [result.custom_id for result in client.results(elsewhere(batch, url))]

        assert found == []

    def test_interruptions_are_bounded(self, client: Any, batch: Any) -> None:
        """A server that never gets on with it is given up."""
        with (
            Careless([cut(share / 1_000) for share in range(1, 100)]) as url,
            pytest.raises(errors.DownloadTruncated),
        ):
            list(client.results(elsewhere(batch, url)))

    def test_no_key_goes_to_where_results_are(self, client: Any, batch: Any) -> None:
        """The address of results is another host's, and has nothing to learn."""
        server = Careless([whole()])
        with server as url:
            list(client.results(elsewhere(batch, url)))

        assert "authorization" not in server.asked[0]


class TestProgress:
    def test_of_an_upload(self, client: Any) -> None:
        """The bytes sent so far, and how many there are; a new attempt begins anew."""
        told: list[tuple[int, int | None]] = []
        data = b"x" * 3_000_000

        client.upload(io.BytesIO(data), on_progress=lambda *progress: told.append(progress))

        assert [total for _, total in told] == [len(data)] * len(told)
        assert told[-1][0] == len(data)
        assert [sent for sent, _ in told] == sorted({sent for sent, _ in told})

    def test_of_a_download(self, client: Any, simulator: Simulator, tmp_path: Path) -> None:
        """The bytes received so far, interruptions or not."""
        told: list[tuple[int, int | None]] = []
        data = b"x" * 1_000_000
        file = client.upload(data)
        simulator.faults.add("download-truncated", times=1)

        client.download(file.id, tmp_path / "x", on_progress=lambda *said: told.append(said))

        assert told[-1] == (len(data), len(data))
        assert [received for received, _ in told] == sorted(received for received, _ in told)


class TestHttpClient:
    @pytest.mark.parametrize("library", [httpx, httpx2])
    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_a_client_of_the_callers_carries_everything(
        self, library: Any, kind: str, simulator: Simulator, tmp_path: Path
    ) -> None:
        """Upload, batch and results go through it, and it is not closed."""
        kinds: dict[str, Any] = {
            "sync": (library.Client, SiliconFlowBatch),
            "async": (library.AsyncClient, AsyncSiliconFlowBatch),
        }
        make, given = kinds[kind]
        http = make(headers={"X-Mine": "1"})
        client = given(simulator.api_key, simulator.base_url, http_client=http)
        if kind == "async":
            client = Blocking(client)
        simulator.faults.add("overloaded-string", "GET /batches/{batch_id}", times=1)

        batch = client.wait(client.submit(json_lines(line("a"))).id, interval=0.01)
        results = list(client.results(batch))
        with pytest.raises(errors.NotFound):
            client.download("file-thereisnone", tmp_path / "x")
        client.close()
        left_open = not http.is_closed
        if kind == "sync":
            http.close()
        else:
            client.run(http.aclose())
            client.stop()

        assert [result.text for result in results] == ["Simulated answer to: Say a."]
        assert {request.headers.get("x-mine") for request in simulator.requests} == {"1"}
        assert "authorization" not in http.headers
        assert left_open
        assert len(asked(simulator)) >= 5

    @pytest.mark.parametrize("library", [httpx, httpx2])
    def test_its_failures_are_of_this_package(self, library: Any) -> None:
        """Whichever library sends, a connection that fails is a TransportError."""
        with (
            library.Client() as http,
            SiliconFlowBatch("sk-x", "http://127.0.0.1:9/v1", http_client=http) as client,
            pytest.raises(errors.TransportError, match="Check the connection") as failed,
        ):
            client.retrieve("batch_x")

        assert failed.value.sent is False

    @pytest.mark.parametrize("given", ["http://proxy", httpx.AsyncClient, object()])
    def test_what_is_no_client_is_refused_at_once(self, given: Any) -> None:
        """Not at the first request."""
        with pytest.raises(errors.ArgumentInvalid, match="http_client"):
            SiliconFlowBatch("sk-x", http_client=given)
        with pytest.raises(errors.ArgumentInvalid, match="http_client"):
            AsyncSiliconFlowBatch("sk-x", http_client=given)
