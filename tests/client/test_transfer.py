"""Uploads and downloads: progress, interruptions, streamed results, and `http_client`."""

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from attrs import define, field

from siliconflow_batch import AsyncSiliconFlowBatch, Batch, SiliconFlowBatch, errors
from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line
from support.blocking import Blocking

RECORDS = b"".join(
    b'{"custom_id": "%d", "response": {"status_code": 200, "body": {}}, "error": null}\n' % number
    for number in range(4_000)
)
IDS = [str(number) for number in range(4_000)]


@define(eq=False, slots=False)
class SimpleFileServer:
    """
    A file server that supports neither ranges nor etags.

    Each response is a Content-Length and the bytes that are sent. With a `gate`, the second half of
    a response is sent after the gate is open.
    """

    responses: list[tuple[int, bytes]]
    gate: threading.Event | None = None
    request_headers: list[dict[str, str]] = field(factory=list)

    def __enter__(self) -> str:
        shared = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shared.request_headers.append(
                    {name.lower(): value for name, value in self.headers.items()}
                )
                length, data = shared.responses.pop(0)
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
                if shared.gate is None or shared.gate.wait(30):
                    self.wfile.write(data[len(data) // 2 :])

            def log_message(self, *arguments: object) -> None:
                pass

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
    """A completed batch; tests replace the URL of its results."""
    return client.wait(client.submit(json_lines(line("a"))).id, interval=0.01)


def with_output(batch: Any, url: str) -> Any:
    return Batch({**batch.raw, "output_file_id": url})


class TestResults:
    def test_results_are_yielded_while_the_file_arrives(
        self, simulator: Simulator, batch: Any
    ) -> None:
        """The first result is yielded before the rest of the file was sent."""
        gate = threading.Event()
        with (
            SimpleFileServer([whole()], gate) as url,
            SiliconFlowBatch(simulator.api_key, simulator.base_url) as client,
        ):
            results = client.results(with_output(batch, url))

            assert next(results).custom_id == "0"
            gate.set()
            assert [result.custom_id for result in results] == IDS[1:]

    @pytest.mark.parametrize("responses", [[cut(0.5), whole()], [cut(0.7), cut(0.3), cut(1)]])
    def test_a_result_that_is_sent_twice_is_yielded_once(
        self, client: Any, batch: Any, responses: list[tuple[int, bytes]]
    ) -> None:
        """If a server cannot resume, the results continue where they were interrupted."""
        with SimpleFileServer([*responses]) as url:
            ids = [result.custom_id for result in client.results(with_output(batch, url))]

        assert ids == IDS

    def test_an_interrupted_file_is_resumed_with_a_range(
        self, client: Any, simulator: Simulator, batch: Any
    ) -> None:
        """After half of a file only the other half is requested."""
        simulator.faults.add("download-truncated", times=1)

        assert [result.custom_id for result in client.results(batch)] == ["a"]
        assert "range" not in simulator.requests[-2].headers
        assert simulator.requests[-1].headers["range"].startswith("bytes=")

    def test_a_file_that_changes_is_an_error(self, client: Any, batch: Any) -> None:
        """The halves of two different files are not joined."""
        with (
            SimpleFileServer([cut(0.5), whole(RECORDS + b"\n")]) as url,
            pytest.raises(errors.DownloadTruncated),
        ):
            list(client.results(with_output(batch, url)))

    def test_interruptions_are_limited(self, client: Any, batch: Any) -> None:
        """A download that makes no progress ends with `DownloadTruncated`."""
        with (
            SimpleFileServer([cut(share / 1_000) for share in range(1, 100)]) as url,
            pytest.raises(errors.DownloadTruncated),
        ):
            list(client.results(with_output(batch, url)))

    def test_a_result_url_gets_no_key(self, client: Any, batch: Any) -> None:
        """The key is not sent to another host."""
        server = SimpleFileServer([whole()])
        with server as url:
            list(client.results(with_output(batch, url)))

        assert "authorization" not in server.request_headers[0]


class TestProgress:
    def test_of_an_upload(self, client: Any) -> None:
        """`on_progress` is called with the bytes sent so far and the size of the file."""
        calls: list[tuple[int, int | None]] = []
        data = b"x" * 3_000_000

        client.upload(io.BytesIO(data), on_progress=lambda *call: calls.append(call))

        assert [total for _, total in calls] == [len(data)] * len(calls)
        assert calls[-1][0] == len(data)
        assert [sent for sent, _ in calls] == sorted({sent for sent, _ in calls})

    def test_of_a_download(self, client: Any, simulator: Simulator, tmp_path: Path) -> None:
        """`on_progress` is called with the bytes received so far, despite an interruption."""
        calls: list[tuple[int, int | None]] = []
        data = b"x" * 1_000_000
        file = client.upload(data)
        simulator.faults.add("download-truncated", times=1)

        client.download(file.id, tmp_path / "x", on_progress=lambda *call: calls.append(call))

        assert calls[-1] == (len(data), len(data))
        assert [received for received, _ in calls] == sorted(received for received, _ in calls)


class TestHttpClient:
    @pytest.mark.parametrize("library", [httpx, httpx2])
    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_it_sends_every_request(
        self, library: Any, kind: str, simulator: Simulator, tmp_path: Path
    ) -> None:
        """It sends uploads, calls and downloads, and stays open when the client is closed."""
        kinds: dict[str, Any] = {
            "sync": (library.Client, SiliconFlowBatch),
            "async": (library.AsyncClient, AsyncSiliconFlowBatch),
        }
        make_http, make_client = kinds[kind]
        http = make_http(headers={"X-Mine": "1"})
        client = make_client(simulator.api_key, simulator.base_url, http_client=http)
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
    def test_its_exceptions_become_transport_errors(self, library: Any) -> None:
        """A refused connection is a `TransportError` with either library."""
        with (
            library.Client() as http,
            SiliconFlowBatch("sk-x", "http://127.0.0.1:9/v1", http_client=http) as client,
            pytest.raises(errors.TransportError, match="Check the connection") as failed,
        ):
            client.retrieve("batch_x")

        assert failed.value.sent is False

    @pytest.mark.parametrize("http_client", ["http://proxy", httpx.AsyncClient, object()])
    def test_another_object_is_refused(self, http_client: Any) -> None:
        """It is refused when the client is made, not at the first request."""
        with pytest.raises(errors.ArgumentInvalid, match="http_client"):
            SiliconFlowBatch("sk-x", http_client=http_client)
        with pytest.raises(errors.ArgumentInvalid, match="http_client"):
            AsyncSiliconFlowBatch("sk-x", http_client=http_client)
