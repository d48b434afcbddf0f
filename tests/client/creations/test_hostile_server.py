"""The hostile server spoils creations as the names in WAYS say. The client takes no part."""

import ast
import re
import socket
import ssl
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.hostile import list_table
from support.hostile.hostile_server import NOT_FOUND, HostileServer
from support.hostile.raw_http import answer
from support.hostile.way_table import BEHIND, KEEP, SILENCE, WAYS, Way

FOLDER = Path(list_table.__file__).parent
WITH_THE_CLIENT = {"trials.py", "report.py"}
BODY = b'{"input_file_id": "FILE", "metadata": {"description": "d", "token": "abc"}}'
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all: nothing here is encrypted
SILENT = 0.1  # seconds without a byte
NEXT = b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
NEXT_ANSWER = answer(404, NOT_FOUND)

OK_OR_503 = r"HTTP/1\.1 (200 OK|503 Service Unavailable)\r\n"
JSON_TYPE = r"Content-Type: application/json\r\n"
HEAD = OK_OR_503 + JSON_TYPE
LENGTH = r"Content-Length: \d+\r\n\r\n"
WHOLE = HEAD + LENGTH + r"\{.*\}"
OTHER = HEAD + LENGTH
CHUNKED = OK_OR_503 + r"Transfer-Encoding: chunked\r\n\r\n"
# What the client receives; the names of the other ways begin with the status that it receives.
RECEIVED = {
    "reset-before-reading": "",
    "reset-after-half-the-request": "",
    "reset-after-reading": "",
    "reset-after-working": "",
    "keepalive-closed-as-the-request-arrives": "",
    "408-on-a-connection-that-was-idle": r"HTTP/1\.1 408 Request Timeout\r\n.*Connection: close.*",
    "fin-without-a-byte": "",
    "silence": "",
    "half-a-status-line": r"HTTP/1\.",
    "status-line-only": OK_OR_503,
    "half-the-headers": HEAD + "Content-L",
    "half-the-headers-and-reset": HEAD + "Content-L",
    "headers-without-body": HEAD + LENGTH,
    "headers-and-silence": HEAD + LENGTH,
    "body-cut-before-the-id": HEAD + LENGTH + r"\{.{3}",
    "body-cut-after-the-id": HEAD + LENGTH + r'\{"(id": "batch_\w+"|code": 50505).*[^}]',
    "body-cut-and-reset": HEAD + LENGTH + r'\{"(id": "batch_\w+"|code": 50505).*[^}]',
    "body-cut-before-the-last-byte": HEAD + LENGTH + r"\{.*[^}]\}?",
    "chunks-cut-between-two": CHUNKED + r"a\r\n.{10}\r\n",
    "chunks-cut-in-one": CHUNKED + r"a\r\n.{10}\r\n[0-9a-f]+\r\n[^}]+",
    "chunk-size-is-no-number": CHUNKED + r"zz\r\n.*0\r\n\r\n",
    "chunks-without-the-last": CHUNKED + r"a\r\n.{10}\r\n[0-9a-f]+\r\n.*\}\r\n",
    "chunks-without-the-last-and-silence": CHUNKED + r"a\r\n.{10}\r\n[0-9a-f]+\r\n.*\}\r\n",
    "length-too-long": WHOLE,
    "length-too-long-and-silence": WHOLE,
    "length-too-short": WHOLE,
    "length-zero": HEAD + r"Content-Length: 0\r\n\r\n\{.*",
    "length-negative": HEAD + r"Content-Length: -\d+\r\n\r\n.*",
    "length-is-no-number": HEAD + r"Content-Length: many\r\n\r\n.*",
    "two-lengths-that-differ": HEAD + r"Content-Length: \d+\r\n" + LENGTH + r".*",
    "length-and-chunked": HEAD + r"Transfer-Encoding: chunked\r\n" + LENGTH + r"\{.*",
    "100-continue-then-fin": r"HTTP/1\.1 100 Continue\r\n\r\n",
    "100-continue-then-silence": r"HTTP/1\.1 100 Continue\r\n\r\n",
    "100-continue-then-the-answer": r"HTTP/1\.1 100 Continue\r\n\r\n" + WHOLE,
    "103-early-hints-then-fin": r"HTTP/1\.1 103 Early Hints\r\nLink: [^\r]+\r\n\r\n",
    "103-early-hints-then-silence": r"HTTP/1\.1 103 Early Hints\r\nLink: [^\r]+\r\n\r\n",
    "103-early-hints-then-the-answer": r"HTTP/1\.1 103 [^\r]+\r\nLink: [^\r]+\r\n\r\n" + WHOLE,
    "102-five-times-then-reset": r"(HTTP/1\.1 102 Processing\r\n\r\n){5}",
    "garbage-status-line": r"%&! what\r\n.*",
    "status-of-four-digits": r"HTTP/1\.1 2000 OK\r\n.*",
    "unknown-http-version": r"HTTP/7\.3 200 OK\r\n.*",
    "http-0.9": r"\{.*\}",
    "header-without-colon": HEAD + r"a line of no header\r\n" + LENGTH + r".*",
    "header-with-nul": HEAD + r"X-Note: a\x00b\r\n" + LENGTH + r".*",
    "headers-of-200-kb": HEAD + r"X-Note: a{200000}\r\n" + LENGTH + r".*",
    "gzip-claimed": HEAD + r"Content-Encoding: gzip\r\n" + LENGTH + r"\{.*\}",
    "deflate-claimed": HEAD + r"Content-Encoding: deflate\r\n" + LENGTH + r"\{.*\}",
    "unknown-encoding-claimed": HEAD + r"Content-Encoding: br\r\n" + LENGTH + r"\{.*\}",
    "gzip-cut": HEAD + r"Content-Encoding: gzip\r\n" + LENGTH + "\x1f\x8b.*",
    "stale-creation-in-front": OTHER + r'\{"id": "batch_\w+", "object": "batch".*\}' + WHOLE,
    "stale-id-in-front": OTHER + r'\{"id": "batch_\w+"\}' + WHOLE,
    "stale-list-in-front": OTHER + r'\{"object": "list", "data": \[.*\].*\}' + WHOLE,
    "stale-upload-in-front": OTHER + r'\{"code": 20000, .*"id": "file-\w+".*\}' + WHOLE,
    "one-answer-behind-after-a-creation": OTHER + r'\{"id": "batch_\w+", "object".*\}' + WHOLE,
    "one-answer-behind-after-an-id": OTHER + r'\{"id": "batch_\w+"\}' + WHOLE,
    "one-answer-behind-after-a-list": OTHER + r'\{"object": "list", "data": \[.*\].*\}' + WHOLE,
    "answer-twice": rf"({WHOLE})({WHOLE})",
    "half-a-json-with-id": HEAD + LENGTH + r'\{"id": "batch_\w+".*[^}]',
    "garbage-behind-the-json": WHOLE + r"\}\}",
    "two-objects": HEAD + LENGTH + r"\{.*\}\n\{.*\}",
    "byte-order-mark": HEAD + LENGTH + "\xef\xbb\xbf" + r"\{.*\}",
    "utf-16": HEAD + LENGTH + "\xff\xfe" + r"\{\x00.*",
    "bytes-of-no-text": HEAD + LENGTH + "\xff\xfe\xfd" + r"\{.*\}",
    "status-999": r"HTTP/1\.1 999 Unknown\r\n.*",
}


def sent_and_received(server: HostileServer, way: Way) -> tuple[str, str]:
    """The bytes that answer a creation, and how the connection ends."""
    file_id = str(server.store.upload(10)["id"])
    body = BODY.replace(b"FILE", file_id.encode())
    head = f"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    port = int(server.base_url.rsplit(":", 1)[1].split("/")[0])
    received, end = b"", "fin"
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(head.encode() + body + (NEXT if way.end in (KEEP, BEHIND) else b""))
        if way.end in (KEEP, BEHIND):
            connection.shutdown(socket.SHUT_WR)
        if way.end == SILENCE:
            connection.settimeout(SILENT)
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            end = "reset"
        except TimeoutError:
            end = "silence"
    if received.endswith(NEXT_ANSWER) and way.end == KEEP:
        return received.removesuffix(NEXT_ANSWER).decode("latin-1"), KEEP
    if way.end == BEHIND and len(received.split(b"HTTP/1.1 ")) == 3:
        end = BEHIND
    return received.decode("latin-1"), end


def create(server: HostileServer, file_id: str) -> httpx.Response:
    body = {"input_file_id": file_id, "metadata": {"a": "b"}}
    url = f"{server.base_url}/batches"
    return httpx.post(url, json=body, trust_env=False, verify=CONTEXT)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
class TestWays:
    def test_the_answer_and_the_end(self, way: Way) -> None:
        """The bytes are those that the name says, and the connection ends so."""
        with HostileServer(way) as server:
            received, end = sent_and_received(server, way)

        status = re.match(r"\d+", way.base)
        pattern = RECEIVED.get(way.base) or (rf"HTTP/1\.1 {status[0]} .*" if status else "")
        assert re.fullmatch(pattern, received, re.DOTALL), (pattern, received)
        assert end == way.end
        assert server.errors == []

    def test_the_form(self, way: Way) -> None:
        """A batch is made or not as the form says; the next creation works."""
        with HostileServer(way, patience=100) as server:
            sent_and_received(server, way)
            made = len(server.store.made)
            exist = len(server.store.existing()) - len(server.store.old)
            second = create(server, next(iter(server.store.files)))

        assert (made, exist) == {
            "none": (0, 0),
            "done": (1, 1),
            "late": (1, 0),
            "beyond": (1, 0),
        }[way.form]
        assert second.status_code == 200
        assert second.json()["id"] == server.store.made[-1].id


def test_there_are_enough_ways() -> None:
    """There are sixty ways or more, and most of them with and without the work."""
    bases = {way.base for way in WAYS.values()}

    assert len(bases) >= 60
    assert {*RECEIVED} <= bases
    assert not [base for base in bases - {*RECEIVED} if not base[0].isdigit()]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("200-id-only", lambda batch: {"id": batch["id"]}),
        ("200-in-an-envelope", lambda batch: {"data": batch, "code": 20000}),
        ("200-status-missing", lambda batch: batch),
        ("200-errors-an-object", lambda batch: {**batch, "errors": {"object": "list", "data": []}}),
        ("200-times-null", lambda batch: {**batch, "created_at": None}),
        ("200-id-a-number", lambda batch: {**batch, "id": 12345}),
        ("201-with-the-batch", lambda batch: batch),
        ("500-with-the-batch", lambda batch: batch),
        ("409-with-the-batch", lambda batch: batch),
    ],
)
def test_odd_fields(name: str, change: Any) -> None:
    """The batch in the body is the one that was made, but for the named field."""
    with HostileServer(WAYS[f"{name}:done"]) as server:
        received = create(server, server.store.upload(10)["id"]).json()

    expected = change(server.store.made[0].as_dict())
    missing = {"status"} if name == "200-status-missing" else set()
    for key in expected.keys() - missing - {"expires_at"}:
        assert received[key] == expected[key]
    assert not missing & received.keys()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(status: int) -> None:
    """The location is the batch, or a path that creates one."""
    places = {}
    for form in ("none", "done"):
        with HostileServer(WAYS[f"{status}-with-location:{form}"]) as server:
            response = create(server, server.store.upload(10)["id"])
            places[form] = response.headers["location"]
            made = [batch.id for batch in server.store.made]

    assert places == {"none": "/v1/batches/", "done": f"/v1/batches/{made[0]}"}


def test_the_way_applies_to_the_first_creations() -> None:
    """Uploads and lists work; the third creation works if the way applies twice."""
    with (
        HostileServer(WAYS["504:none"], times=2) as server,
        httpx.Client(base_url=server.base_url, trust_env=False, verify=CONTEXT) as http,
    ):
        form = {"files": {"file": ("a.jsonl", b"{}")}, "data": {"purpose": "batch"}}
        file = http.post("/files", **form).json()  # type: ignore[arg-type]
        body = {"input_file_id": file["data"]["id"]}
        statuses = [http.post("/batches", json=body).status_code for _ in range(3)]
        batch = server.store.made[0]
        again = http.get(f"/batches/{batch.id}").json()

    assert (file["code"], file["data"]["object"]) == (20000, "file")
    assert statuses == [504, 504, 200]
    assert again == batch.as_dict()
    assert len(server.made_of(body["input_file_id"])) == 1


def test_the_server_knows_no_client() -> None:
    """Its modules import the standard library and each other."""
    foreign = set()
    for path in FOLDER.glob("*.py"):
        if path.name in WITH_THE_CLIENT:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                foreign |= {alias.name.partition(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom) and not node.level:
                foreign.add(str(node.module).partition(".")[0])

    assert foreign <= sys.stdlib_module_names


def test_a_connection_that_is_one_answer_behind() -> None:
    """Each request gets the answer to the one before it; a new connection is in step."""
    with HostileServer(WAYS["one-answer-behind-after-an-id:done"]) as server:
        body = {"input_file_id": server.store.upload(10)["id"]}
        with httpx.Client(base_url=server.base_url, trust_env=False, verify=CONTEXT) as http:
            received = [
                http.post("/batches", json=body).json(),
                http.get("/batches").json(),
                http.get("/batches/nothing").json(),
                http.get("/batches").json(),
            ]
        in_step = httpx.get(f"{server.base_url}/batches", trust_env=False, verify=CONTEXT).json()

    assert received[0] == {"id": server.store.old[0].id}
    assert received[1]["id"] == server.store.made[0].id
    assert received[2]["object"] == in_step["object"] == "list"
    assert received[3] == "404 page not found"
