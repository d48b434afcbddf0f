"""
generated/: written from openapi.yaml and by nobody else, and able to read what the sources show.
"""

import copy
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import pytest

from contract.generation import GENERATED, PACKAGE, generate
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
from siliconflow_batch_api.types import File, Response

Call = Callable[[AuthenticatedClient], Response[Any]]

REQUEST = CreateBatchRequest(
    input_file_id="file-jkvytbjtow", endpoint="/v1/chat/completions", completion_window="24h"
)

OPERATIONS: dict[str, Call] = {
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
    "GET /files": lambda client: list_files.sync_detailed(client=client),
    "GET /files/{file_id}/content": lambda client: download_file.sync_detailed("f", client=client),
}

EXAMPLES = [(page, example) for page in read_pages().values() for example in page.examples]


@attrs.define
class Answer:
    """
    What the server says next, and what it was asked.
    """

    status: int = 200
    media_type: str = "application/json"
    body: bytes = b""
    asked: str = ""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Answer]]:
    """
    A server that gives one answer to everything, byte for byte.
    """
    answer = Answer()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            answer.asked = f"{self.command} {self.path}"
            self.send_response(answer.status)
            self.send_header("content-type", answer.media_type)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/v1", answer
        httpd.shutdown()
        thread.join()


@pytest.fixture
def answered(server: tuple[str, Answer]) -> Callable[[str, int, bytes, str], Response[Any]]:
    """
    An operation of the generated client, answered by the server with the given bytes.
    """
    base_url, answer = server

    def run(operation: str, status: int, body: bytes, media_type: str) -> Response[Any]:
        answer.status, answer.body, answer.media_type = status, body, media_type
        # trust_env: a proxy of the surroundings must not stand between the two.
        with AuthenticatedClient(
            base_url=base_url, token="key", httpx_args={"trust_env": False}
        ) as client:
            return OPERATIONS[operation](client)

    return run


Answered = Callable[[str, int, bytes, str], Response[Any]]


def encoded(value: object) -> bytes:

    return json.dumps(value).encode()


def whole(pages: dict[str, Page], example: Example) -> Any:
    """
    The example's body; an excerpt is completed from the create page's batch.
    """
    if not example.excerpt:
        return example.body
    return {**pages["create-batch.cn"].example("created").body, **example.body}


class TestGeneration:
    def test_generated_is_what_the_generator_writes(self, tmp_path: Path) -> None:
        """
        generated/ equals a new generation byte for byte and has the same files.
        """
        generate(tmp_path / "generated")

        assert files(GENERATED) == files(tmp_path / "generated")

    def test_generated_package_is_typed(self) -> None:
        """
        The package includes the `py.typed` marker, so that type checkers read its annotations.
        """
        assert (GENERATED / PACKAGE / "py.typed").is_file()

    @pytest.mark.parametrize("edit", ["change", "add", "remove"])
    def test_an_edit_by_hand_shows(self, tmp_path: Path, edit: str) -> None:
        """
        A file that was changed, added or removed by hand makes the two differ.
        """
        shutil.copytree(GENERATED, tmp_path / "generated")
        module = tmp_path / "generated" / PACKAGE / "errors.py"

        if edit == "change":
            module.write_bytes(module.read_bytes() + b"\n")
        elif edit == "add":
            module.with_name("more.py").touch()
        else:
            module.unlink()

        assert files(GENERATED) != files(tmp_path / "generated")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


class TestExamples:
    @pytest.mark.parametrize(
        ("page", "example"),
        EXAMPLES,
        ids=[f"{page.name}-{example.name}".replace(" ", "-") for page, example in EXAMPLES],
    )
    def test_goes_through_without_loss(
        self, answered: Answered, pages: dict[str, Page], page: Page, example: Example
    ) -> None:
        """
        Every example of the sources is read, and written again as it was.
        """
        body = whole(pages, example)
        raw = encoded(body) if example.text is None else example.text.encode()

        response = answered(example.operation, example.status, raw, example.media_type)

        assert response.status_code == example.status
        parsed: Any = response.parsed
        if example.status in (200, 400):
            assert parsed.to_dict() == body
        else:
            assert parsed == raw.decode()

    def test_batch_is_typed(self, answered: Answered, pages: dict[str, Page]) -> None:
        """
        A new batch is a `Batch` with a known status, typed metadata, and None where null stood.
        """
        body = pages["create-batch.cn"].example("created").body

        batch = answered("POST /batches", 200, encoded(body), "application/json").parsed

        assert isinstance(batch, Batch)
        assert batch.status is BatchStatus.IN_QUEUE
        assert isinstance(batch.metadata, BatchMetadata)
        assert (batch.errors, batch.request_counts, batch.output_file_id) == (None, None, None)

    def test_page_is_typed(self, answered: Answered, pages: dict[str, Page]) -> None:
        """
        A page holds batches, with the file name that only lists have.
        """
        body = pages["list-batches"].example("page").body

        page = answered("GET /batches", 200, encoded(body), "application/json").parsed

        assert isinstance(page, BatchPage)
        assert isinstance(page.data[0], Batch)
        assert page.data[0].file_name == "requests_name.json"

    def test_files_are_typed(self, answered: Answered, pages: dict[str, Page]) -> None:
        """
        An uploaded and a listed file are of two types, each with its own spelling of the time.
        """
        one, many = pages["upload-file"].example("uploaded"), pages["list-files"].example("files")

        uploaded = answered("POST /files", 200, encoded(one.body), "application/json").parsed
        listed = answered("GET /files", 200, encoded(many.body), "application/json").parsed

        assert isinstance(uploaded, UploadFileResponse)
        assert isinstance(uploaded.data, UploadedFile)
        assert uploaded.data.created_at == 1741685396
        assert isinstance(listed, ListFilesResponse)
        assert isinstance(listed.data, FileList)
        assert isinstance(listed.data.data[0], ListedFile)
        assert listed.data.data[0].created_at == 1741777570

    def test_error_is_typed(self, answered: Answered, pages: dict[str, Page]) -> None:
        """
        A 400 with null as its data is an `ErrorBody`, on every operation.
        """
        body = pages["errors"].example("model does not exist").body

        for operation in OPERATIONS:
            error = answered(operation, 400, encoded(body), "application/json").parsed

            assert isinstance(error, ErrorBody)
            assert (error.code, error.data) == (20012, None)


class TestBeyondTheExamples:
    @pytest.mark.parametrize(
        "change",
        [
            {"status": "paused"},
            {"status": "validating"},
            {"status": "failed", "errors": ["the file is empty"]},
            {"request_counts": {}},
            {"request_counts": {"total": 3, "completed": 2, "failed": 1}},
            {"metadata": None},
            {"metadata": {}},
            {"output_file_id": "https://storage.example/result.jsonl?sign=x"},
            {"a_field_of_tomorrow": {"x": [1]}},
        ],
        ids=str,
    )
    def test_batch_goes_through_without_loss(
        self, answered: Answered, pages: dict[str, Page], change: dict[str, Any]
    ) -> None:
        """
        So does a batch as the guide describes it, and one with an unknown status or field.
        """
        body = pages["create-batch.cn"].example("created").body | change

        batch = answered("GET /batches/{batch_id}", 200, encoded(body), "application/json").parsed

        assert isinstance(batch, Batch)
        assert batch.to_dict() == body
        assert batch.request_counts is None or isinstance(batch.request_counts, RequestCounts)

    def test_batch_without_the_times_that_the_guide_omits(
        self, answered: Answered, pages: dict[str, Page]
    ) -> None:
        """
        The three times that the guide's batch lacks stay absent.
        """
        body = copy.deepcopy(pages["create-batch.cn"].example("created").body)
        for name in ("finalizing_at", "cancelling_at", "cancelled_at"):
            del body[name]

        batch: Any = answered(
            "GET /batches/{batch_id}", 200, encoded(body), "application/json"
        ).parsed

        assert batch.to_dict() == body

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize(
        ("status", "media_type", "text"),
        [
            (401, "text/plain", "Invalid token"),
            (401, "application/json", '"Invalid token"'),
            (401, "application/json", "Invalid token"),
            (403, "application/json", '"Forbidden"'),
            (404, "text/plain", "404 page not found"),
            (404, "application/json", "404 page not found"),
            (429, "application/json", "Request was rejected due to rate limiting"),
            (500, "text/html", "<h1>500</h1>"),
            (500, "application/json", '{"code": 50000, "message": "unknown", "data": null}'),
            (503, "application/json", '"Model service overloaded"'),
            (503, "application/json", '{"code": 50505, "message": "overloaded", "data": null}'),
            (504, "application/json", ""),
            (504, "text/html", "<html><body>504 Gateway Time-out</body></html>"),
            (504, "application/json", "<html>"),
        ],
    )
    def test_error_keeps_its_words(
        self, answered: Answered, operation: str, status: int, media_type: str, text: str
    ) -> None:
        """
        The body of an error is read as text whatever its content type says, on every operation.
        """
        response = answered(operation, status, text.encode(), media_type)

        assert response.status_code == status
        assert response.parsed == text

    def test_file_comes_as_bytes(self, answered: Answered) -> None:
        """
        A file's content is handed over byte for byte, whatever it is.
        """
        content = b'{"custom_id": "\xe4\xbd\xa0"}\n\x00\xff'

        file = answered("GET /files/{file_id}/content", 200, content, "text/plain").parsed

        assert isinstance(file, File)
        assert file.payload.read() == content

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_calls_the_documented_path(
        self, server: tuple[str, Answer], answered: Answered, operation: str
    ) -> None:
        """
        Each function calls its operation's method and path below the base URL, with one `/v1`.
        """
        answered(operation, 404, b"404 page not found", "text/plain")

        method, path = operation.split()
        path = path.replace("{batch_id}", "b").replace("{file_id}", "f")
        assert server[1].asked == f"{method} /v1{path}"
