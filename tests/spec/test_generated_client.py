"""
The generated client reads every published example, and responses that no example shows.
"""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from typing import Any

import attrs
import pytest

from contract.vendor_pages import Example, Page, read_pages
from siliconflow_batch_api import AuthenticatedClient
from siliconflow_batch_api.api.batches import (
    cancel_batch,
    create_batch,
    list_batches,
    retrieve_batch,
)
from siliconflow_batch_api.api.files import download_file, list_files, upload_file
from siliconflow_batch_api.models import (
    Batch,
    BatchMetadata,
    BatchPage,
    BatchStatus,
    CreateBatchRequest,
    ErrorBody,
    FileList,
    ListedFile,
    ListFilesResponse,
    RequestCounts,
    UploadedFile,
    UploadFileRequest,
    UploadFileResponse,
)
from siliconflow_batch_api.types import UNSET, File, Response

Operation = Callable[[AuthenticatedClient], Response[Any]]
Call = Callable[[str, int, bytes, str], Response[Any]]

REQUEST = CreateBatchRequest(
    input_file_id="file-jkvytbjtow", endpoint="/v1/chat/completions", completion_window="24h"
)

OPERATIONS: dict[str, Operation] = {
    "POST /batches": lambda client: create_batch.sync_detailed(client=client, body=REQUEST),
    "GET /batches": lambda client: list_batches.sync_detailed(client=client),
    "GET /batches/{batch_id}": lambda client: retrieve_batch.sync_detailed("b", client=client),
    "POST /batches/{batch_id}/cancel": lambda client: cancel_batch.sync_detailed(
        "b", client=client
    ),
    "POST /files": lambda client: upload_file.sync_detailed(
        client=client,
        body=UploadFileRequest(
            purpose="batch", file=File(payload=BytesIO(b"{}\n"), file_name="requests.jsonl")
        ),
    ),
    "GET /files": lambda client: list_files.sync_detailed(client=client, purpose="batch"),
    "GET /files/{file_id}/content": lambda client: download_file.sync_detailed("f", client=client),
}

EXAMPLES = [(page, example) for page in read_pages().values() for example in page.examples]


@attrs.define
class Exchange:
    """The next response of the server, and the request line that it received."""

    status: int = 200
    media_type: str = "application/json"
    body: bytes = b""
    request_line: str = ""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Exchange]]:
    """A server that sends the same response, byte for byte, to every request."""
    exchange = Exchange()

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            exchange.request_line = f"{self.command} {self.path}"
            self.send_response(exchange.status)
            self.send_header("content-type", exchange.media_type)
            self.send_header("content-length", str(len(exchange.body)))
            self.end_headers()
            self.wfile.write(exchange.body)

        do_GET = do_POST = respond  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/v1", exchange
        httpd.shutdown()
        thread.join()


@pytest.fixture
def call(server: tuple[str, Exchange]) -> Call:
    """Calls an operation of the generated client, with the status and body to respond with."""
    base_url, exchange = server

    def run(operation: str, status: int, body: bytes, media_type: str) -> Response[Any]:
        exchange.status, exchange.body, exchange.media_type = status, body, media_type
        # Without trust_env, a proxy in the environment is not used.
        with AuthenticatedClient(
            base_url=base_url, token="key", httpx_args={"trust_env": False}
        ) as client:
            return OPERATIONS[operation](client)

    return run


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def full_body(pages: dict[str, Page], example: Example) -> Any:
    """The body of an example; an excerpt gets its other fields from the create page's batch."""
    if not example.excerpt:
        return example.body
    return {**pages["create-batch.cn"].example("created").body, **example.body}


class TestExamples:
    @pytest.mark.parametrize(
        ("page", "example"),
        EXAMPLES,
        ids=[f"{page.name}-{example.name}".replace(" ", "-") for page, example in EXAMPLES],
    )
    def test_round_trip(
        self, call: Call, pages: dict[str, Page], page: Page, example: Example
    ) -> None:
        """Each published example is the same after parsing and serializing."""
        body = full_body(pages, example)
        raw = encoded(body) if example.text is None else example.text.encode()

        response = call(example.operation, example.status, raw, example.media_type)

        assert response.status_code == example.status
        parsed: Any = response.parsed
        if example.status == 200:
            assert parsed.to_dict() == body
        else:
            assert parsed == raw.decode()

    def test_batch_is_typed(self, call: Call, pages: dict[str, Page]) -> None:
        """A new batch is a `Batch` with a status, metadata, and None for each null."""
        body = pages["create-batch.cn"].example("created").body

        batch = call("POST /batches", 200, encoded(body), "application/json").parsed

        assert isinstance(batch, Batch)
        assert batch.status is BatchStatus.IN_QUEUE
        assert isinstance(batch.metadata, BatchMetadata)
        assert (batch.errors, batch.request_counts, batch.output_file_id) == (None, None, None)

    def test_page_is_typed(self, call: Call, pages: dict[str, Page]) -> None:
        """A page contains batches with the file name that only lists have."""
        body = pages["list-batches"].example("page").body

        page = call("GET /batches", 200, encoded(body), "application/json").parsed

        assert isinstance(page, BatchPage)
        assert isinstance(page.data[0], Batch)
        assert page.data[0].file_name == "requests_name.json"

    def test_files_are_typed(self, call: Call, pages: dict[str, Page]) -> None:
        """Uploaded and listed files have different types, as `createdAt` is spelt differently."""
        upload, listing = (
            pages["upload-file"].example("uploaded"),
            pages["list-files"].example("files"),
        )

        uploaded = call("POST /files", 200, encoded(upload.body), "application/json").parsed
        listed = call("GET /files", 200, encoded(listing.body), "application/json").parsed

        assert isinstance(uploaded, UploadFileResponse)
        assert isinstance(uploaded.data, UploadedFile)
        assert uploaded.data.created_at == 1741685396
        assert isinstance(listed, ListFilesResponse)
        assert isinstance(listed.data, FileList)
        assert isinstance(listed.data.data[0], ListedFile)
        assert listed.data.data[0].created_at == 1741777570

    @pytest.mark.parametrize(
        ("page", "name", "code"),
        [
            ("errors", "model does not exist", 20012),
            ("list-batches", "overloaded", 50505),
            ("chat-completions", "rate limited", UNSET),
        ],
    )
    def test_error_is_readable(
        self, call: Call, pages: dict[str, Page], page: str, name: str, code: object
    ) -> None:
        """The text of an error that is an object is the JSON of an `ErrorBody`."""
        example = pages[page].example(name)

        for operation in OPERATIONS:
            response = call(operation, example.status, encoded(example.body), "application/json")
            error = ErrorBody.from_dict(json.loads(str(response.parsed)))

            assert error.code == code
            assert error.to_dict() == example.body


class TestOtherResponses:
    @pytest.mark.parametrize(
        "change",
        [
            {"status": "paused"},
            {"status": "validating"},
            {"status": "failed", "errors": ["the file is empty"]},
            {"errors": [{"code": 20071, "line": 3}]},
            {"errors": {"object": "list", "data": [{"code": "invalid_json_line"}]}},
            {"request_counts": {}},
            {"request_counts": {"total": 3, "completed": 2, "failed": 1}},
            {"metadata": None},
            {"metadata": {}},
            {"output_file_id": "https://storage.example/result.jsonl?sign=x"},
            {"future_field": {"x": [1]}},
        ],
        ids=str,
    )
    def test_batch_round_trip(
        self, call: Call, pages: dict[str, Page], change: dict[str, Any]
    ) -> None:
        """A batch as the guide describes it, or with unknown values, is kept without loss."""
        body = pages["create-batch.cn"].example("created").body | change

        batch = call("GET /batches/{batch_id}", 200, encoded(body), "application/json").parsed

        assert isinstance(batch, Batch)
        assert batch.to_dict() == body
        assert batch.request_counts is None or isinstance(batch.request_counts, RequestCounts)

    def test_batch_without_optional_times(self, call: Call, pages: dict[str, Page]) -> None:
        """The three times that the guide's batch lacks remain absent."""
        body = copy.deepcopy(pages["create-batch.cn"].example("created").body)
        for name in ("finalizing_at", "cancelling_at", "cancelled_at"):
            del body[name]

        batch: Any = call("GET /batches/{batch_id}", 200, encoded(body), "application/json").parsed

        assert batch.to_dict() == body

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize(
        ("status", "media_type", "text"),
        [
            (400, "application/json", '{"code": 20012, "message": "string", "data": "string"}'),
            (400, "application/json", '"a string"'),
            (400, "application/json", "bare text"),
            (401, "text/plain", "Invalid token"),
            (401, "application/json", '"Invalid token"'),
            (401, "application/json", "Invalid token"),
            (401, "application/json", '{"message": "Invalid token", "data": null}'),
            (403, "application/json", '"Forbidden"'),
            (403, "application/json", '{"code": 30001, "message": "balance", "data": null}'),
            (404, "text/plain", "404 page not found"),
            (404, "application/json", "404 page not found"),
            (429, "application/json", "Request was rejected due to rate limiting"),
            (429, "application/json", '{"message": "rate limiting", "data": "string"}'),
            (500, "text/html", "<h1>500</h1>"),
            (500, "application/json", '{"code": 50000, "message": "unknown", "data": null}'),
            (503, "application/json", '"Model service overloaded"'),
            (503, "application/json", '{"code": 50505, "message": "overloaded", "data": null}'),
            (504, "application/json", ""),
            (504, "text/html", "<html><body>504 Gateway Time-out</body></html>"),
            (504, "application/json", "<html>"),
        ],
    )
    def test_error_is_text(
        self, call: Call, operation: str, status: int, media_type: str, text: str
    ) -> None:
        """Every operation returns the body of an error as text, whatever its content type."""
        response = call(operation, status, text.encode(), media_type)

        assert response.status_code == status
        assert response.parsed == text

    def test_file_is_bytes(self, call: Call) -> None:
        """The content of a file is returned byte for byte."""
        content = b'{"custom_id": "\xe4\xbd\xa0"}\n\x00\xff'

        file = call("GET /files/{file_id}/content", 200, content, "text/plain").parsed

        assert isinstance(file, File)
        assert file.payload.read() == content

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_calls_the_documented_path(
        self, server: tuple[str, Exchange], call: Call, operation: str
    ) -> None:
        """Each function sends its operation's method and path, with a single `/v1`."""
        call(operation, 404, b"404 page not found", "text/plain")

        method, path = operation.split()
        path = path.replace("{batch_id}", "b").replace("{file_id}", "f")
        assert server[1].request_line.partition("?")[0] == f"{method} /v1{path}"
