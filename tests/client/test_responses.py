"""Every response becomes a typed object, or an exception with the service's message."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from attrs import define, field

from siliconflow_batch import Batch, Patience, Retries, errors
from support.batches import BATCH

JSON, TEXT, HTML = "application/json", "text/plain", "text/html"
LIMITED = b"Request was rejected due to rate limiting"
PAGE = b"<html><body>Bad Gateway of nginx</body></html>"
UNREADABLE, FAILED = errors.UnreadableAnswer, errors.EnvelopedFailure
DOWN = errors.ServiceUnavailable


def body(**fields: Any) -> bytes:
    return json.dumps({**BATCH, **fields}).encode()


# Only the id and the status are needed; any other field may be odd.
GOOD: dict[str, bytes] = {
    "time as text": body(created_at="soon", expires_at="2026-01-01T00:00:00Z", failed_at=""),
    "time as a float": body(created_at=1741685413.5),
    "milliseconds": body(created_at=10**15),
    "a boolean as time": body(completed_at=True),
    "counts as a list": body(request_counts=[1]),
    "counts as text": body(request_counts={"total": "3", "completed": None, "failed": 0.0}),
    "numbers in metadata": body(metadata={"a": 1, "b": None}),
    "metadata as text": body(metadata="job=1"),
    "errors as an object of OpenAI": body(errors={"object": "list", "data": []}),
    "no file": body(input_file_id=None),
    "a list as output": body(output_file_id=["file-o"]),
    "only what is needed": b'{"id": "batch_a", "status": "in_queue"}',
    "as published": body(),
    "counts empty": body(request_counts={}),
    "counts": body(request_counts={"total": 3, "completed": 1, "failed": 1}),
    "errors empty": body(errors=[]),
    "a new status": body(status="throttled"),
    "a new field": body(priority="low"),
    "all times": body(finalizing_at=None, cancelling_at=1741685414, cancelled_at=1741685415),
    "an empty error file": body(error_file_id=""),
}
# status, media type, body, the exception, a part of its text
BAD: dict[str, tuple[int, str, bytes, type[errors.APIError], str]] = {
    "400": (400, JSON, b'{"code":20012,"message":"Model does not exist.","data":null}',
            errors.BadRequest, "Model does not exist."),
    "400 string data": (400, JSON, b'{"code":20012,"message":"string","data":"string"}',
                        errors.BadRequest, "20012"),
    "400 null code": (400, JSON, b'{"code":null,"message":"no code","data":""}',
                      errors.BadRequest, "no code"),
    "400 HTML": (400, HTML, PAGE, errors.BadRequest, "Bad Gateway of nginx"),
    "400 as OpenAI": (400, JSON, b'{"error":{"message":"as OpenAI says","code":"x"}}',
                      errors.BadRequest, "as OpenAI says"),
    "401": (401, JSON, b'"Invalid token"', errors.KeyRefused, "Invalid token"),
    "401 bare": (401, JSON, b"Invalid token", errors.KeyRefused, "Invalid token"),
    "401 plain": (401, TEXT, b"Invalid token", errors.KeyRefused, "Invalid token"),
    "403": (403, JSON, b'"Forbidden"', errors.AccessDenied, "Forbidden"),
    "404": (404, JSON, b'"404 page not found"', errors.NotFound, "404 page not found"),
    "404 bare": (404, TEXT, b"404 page not found", errors.NotFound, "404 page not found"),
    "429 bare under JSON": (429, JSON, LIMITED, errors.RateLimited, "rate limiting"),
    "429 plain": (429, TEXT, LIMITED, errors.RateLimited, "rate limiting"),
    "499": (499, TEXT, b"client closed request", errors.APIError, "client closed request"),
    "500": (500, JSON, b'"boom"', DOWN, "boom"),
    "500 empty": (500, JSON, b"", DOWN, "500"),
    "502 HTML": (502, HTML, PAGE, DOWN, "Bad Gateway of nginx"),
    "503 string": (503, JSON, b'"Model service overloaded"', DOWN, "overloaded"),
    "503 object": (503, JSON, b'{"code":50505,"message":"Model service overloaded","data":""}',
                   DOWN, "50505"),
    "504 string": (504, JSON, b'"string"', DOWN, "504"),
    "504 HTML": (504, HTML, PAGE, DOWN, "Bad Gateway of nginx"),
    "504 empty": (504, TEXT, b"", DOWN, "Gateway Timeout"),
    "520": (520, HTML, PAGE, DOWN, "Bad Gateway of nginx"),
    "204": (204, JSON, b"", UNREADABLE, "204"),
    "307": (307, TEXT, b"moved", errors.APIError, "moved"),
    "truncated JSON": (200, JSON, body()[:-20], UNREADABLE, "batch_a"),
    "HTML under 200": (200, HTML, PAGE, UNREADABLE, "Bad Gateway of nginx"),
    "nothing under 200": (200, JSON, b"", UNREADABLE, "200"),
    "null": (200, JSON, b"null", UNREADABLE, "null"),
    "a list": (200, JSON, b"[]", UNREADABLE, "[]"),
    "a string": (200, JSON, b'"fine"', UNREADABLE, "fine"),
    "an empty object": (200, JSON, b"{}", UNREADABLE, "id"),
    "null id": (200, JSON, body(id=None), UNREADABLE, "null"),
    "no status": (200, JSON, body(status=None), UNREADABLE, "no status"),
    "another batch": (200, JSON, body(id="batch_b"), UNREADABLE, "batch_b"),
    "nested too deeply": (200, JSON, b"[" * 100_000, UNREADABLE, "RecursionError"),
    "not UTF-8": (200, JSON, b'{"id": "\xff"}', UNREADABLE, "id"),
    "enveloped failure": (200, JSON, b'{"code":20012,"message":"refused","data":null}',
                          FAILED, "refused"),
}  # fmt: skip
FILES: dict[str, tuple[bytes, type[errors.APIError], str]] = {
    "enveloped failure": (b'{"code":50001,"message":"disk full","status":false,"data":null}',
                          FAILED, "disk full"),
    "no data": (b'{"code":20000,"message":"Ok","status":true,"data":null}', FAILED, "Ok"),
    "a file without an id": (b'{"code":1,"message":"Ok","status":true,"data":{"object":"file"}}',
                             UNREADABLE, "object"),
}  # fmt: skip


@define
class Server:
    """Gives the same response to every request."""

    url: str = ""
    status: int = 200
    media_type: str = JSON
    body: bytes = b""
    location: str = ""
    authorized: list[bool] = field(factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            server.authorized.append("authorization" in self.headers)
            self.send_response(server.status, None if server.status < 512 else "Unknown")
            self.send_header("content-type", server.media_type)
            if server.location:
                self.send_header("location", server.location)
            if server.status != 204:
                self.send_header("content-length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body)

        do_GET = do_POST = respond  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{httpd.server_port}/v1"
        yield server
        httpd.shutdown()
        thread.join()


@pytest.fixture
def client(opened: Any, server: Server) -> Any:
    """A client that repeats nothing."""
    server.status, server.media_type, server.location = 200, JSON, ""
    return opened(
        key="sk-x",
        base_url=server.url,
        retries=Retries(attempts=1),
        patience=Patience(seconds=0, looks=1, creations=1),
    )


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_every_documented_shape_is_a_batch(client: Any, server: Server, content: bytes) -> None:
    """Every shape that a document shows or allows is accepted."""
    server.body = content

    batch = client.retrieve("batch_a")

    assert isinstance(batch, Batch)
    assert batch.id == "batch_a"
    assert batch.error_file_id is None


@pytest.mark.parametrize("row", BAD.values(), ids=BAD)
def test_every_other_response_is_an_exception(
    client: Any, server: Server, row: tuple[int, str, bytes, type[errors.APIError], str]
) -> None:
    """The exception is an `APIError` with the status, the body and the service's message."""
    server.status, server.media_type, server.body, expected, text = row

    with pytest.raises(errors.APIError) as raised:
        client.retrieve("batch_a")

    assert type(raised.value) is expected
    assert text in str(raised.value)
    assert raised.value.status == server.status
    assert raised.value.body == server.body.decode(errors="replace")


@pytest.mark.parametrize("row", FILES.values(), ids=FILES)
@pytest.mark.parametrize("operation", ["upload", "files"])
def test_a_failure_in_an_envelope_is_an_exception(
    client: Any, server: Server, operation: str, row: tuple[bytes, type[errors.APIError], str]
) -> None:
    """A failure that the body reports under status 200 is raised."""
    server.body, _, text = row

    with pytest.raises((errors.EnvelopedFailure, errors.UnreadableAnswer), match=text):
        client.upload(b"{}") if operation == "upload" else list(client.files())


@pytest.mark.parametrize("name", [name for name in BAD if name != "no status"])
def test_a_creation_with_an_unclear_response_is_not_repeated(
    client: Any, server: Server, name: str
) -> None:
    """A response that does not say whether the batch exists raises `CreateOutcomeUnknown`."""
    server.status, server.media_type, server.body, error, _ = BAD[name]
    if name == "another batch":
        server.body = body(id="batch_b", input_file_id="file-b")
    unclear = server.status >= 500 or server.status in (307, 429, 499)
    unclear = unclear or error in (UNREADABLE, FAILED)

    with pytest.raises((errors.CreateOutcomeUnknown, errors.APIError)) as raised:
        client.create("file-a")

    assert isinstance(raised.value, errors.CreateOutcomeUnknown) is unclear


def test_the_id_in_a_response_to_a_creation_is_kept(client: Any, server: Server) -> None:
    """A batch of the file is returned, whatever its other fields are."""
    server.status, server.body = 202, body(status=None, errors={"object": "list"}, created_at=None)

    batch = client.create("file-a")

    assert (batch.id, batch.status) == ("batch_a", "unknown")


def test_a_redirect_does_not_leak_the_key(client: Any, server: Server, tmp_path: Any) -> None:
    """A request to another host has no key."""
    server.status, server.body = 307, b""
    server.location = server.url.replace("127.0.0.1", "localhost") + "/elsewhere"
    server.authorized.clear()

    with pytest.raises(errors.SiliconFlowError):
        client.download("file-a", tmp_path / "x")

    assert server.authorized[0] is True
    assert not any(server.authorized[1:])
