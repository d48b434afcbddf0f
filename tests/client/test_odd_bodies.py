"""Bodies and headers that are not what a service should send: read, or an exception of the tree."""

import contextlib
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import Retries, errors
from support.batches import BATCH
from support.scripted_server import Answer, ScriptedServer, answer

Open = Callable[..., Any]
DEPTHS = (101, 500, 900, 940, 980, 5_000, 100_000)


def with_field(name: str, raw: str, **headers: str) -> Answer:
    """A batch with this text as the value of a field."""
    rest = {key: value for key, value in BATCH.items() if key != name}
    body = json.dumps(rest)[:-1] + f', "{name}": {raw}}}'
    return Answer(200, body.encode(), headers)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(opened: Open, server: ScriptedServer) -> Any:
    return opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("brackets", ["[]", '{"a":1}'], ids=["lists", "objects"])
def test_deep_json_is_unreadable(
    client: Any, server: ScriptedServer, depth: int, brackets: str
) -> None:
    """What is nested so deeply that Python may not write it again is refused at once."""
    begin, end = brackets[: -len("]")].removesuffix("1"), brackets[-1]
    deep = with_field("metadata", begin * depth + "1" + end * depth)
    server.script = [deep, answer(BATCH)]

    with pytest.raises(errors.UnreadableAnswer):
        client.retrieve("batch_a")
    assert client.retrieve("batch_a").status == "in_queue"


def test_brackets_in_text_are_not_deep(client: Any, server: ScriptedServer) -> None:
    """Only nesting counts."""
    server.script = [answer({**BATCH, "errors": ["[{" * 1_000]})]

    assert client.retrieve("batch_a").errors == ["[{" * 1_000]


@pytest.mark.parametrize("depth", [900, 980, 100_000])
def test_a_deep_message_is_text(client: Any, server: ScriptedServer, depth: int) -> None:
    """An error that cannot be parsed has its body as its message."""
    body = '{"code": 1, "message": ' + "[" * depth + "]" * depth + "}"
    server.script = [Answer(400, body.encode()), answer(BATCH)]

    with pytest.raises(errors.BadRequest, match="message"):
        client.retrieve("batch_a")
    assert client.retrieve("batch_a").status == "in_queue"


@pytest.mark.parametrize("name", ["created_at", "request_counts", "metadata", "priority"])
@pytest.mark.parametrize(
    "number", ["9" * 10_000, "-" + "9" * 10_000, "1e999", "-1e999", "NaN", "Infinity", "-Infinity"]
)
def test_a_number_that_nothing_can_hold_is_text(
    client: Any, server: ScriptedServer, name: str, number: str
) -> None:
    """It reads as None, and `raw` has its digits, which can be written as JSON again."""
    server.script = [with_field(name, number)]

    batch = client.retrieve("batch_a")

    assert batch.raw[name] == number
    assert (batch.created_at is None) is (name == "created_at")
    assert number in json.dumps(batch.raw, allow_nan=False)


@pytest.mark.parametrize("charset", ["utf-16", "gbk", "utf-7", "rot13", "idna", "no-such", "\xfc"])
def test_the_charset_of_json_is_utf_8(client: Any, server: ScriptedServer, charset: str) -> None:
    """A body that is UTF-8 is read as such, whatever the header says."""
    named = {"content-type": f"application/json; charset={charset}"}
    name = json.dumps({**BATCH, "file_name": "\u8f93\u5165"}, ensure_ascii=False).encode()
    refusal = Answer(401, "\u65e0\u6548\u7684\u5bc6\u94a5".encode(), named)
    server.script = [Answer(200, name, named), refusal, answer(BATCH)]

    assert client.retrieve("batch_a").file_name == "\u8f93\u5165"
    with pytest.raises(errors.KeyRefused, match="\u65e0\u6548\u7684\u5bc6\u94a5"):
        client.retrieve("batch_a")
    assert client.retrieve("batch_a").status == "in_queue"


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "gbk", "utf-32"])
def test_another_encoding_that_the_header_names_is_read(
    client: Any, server: ScriptedServer, charset: str
) -> None:
    """An error page in the encoding that it names has a readable message."""
    page = Answer(502, "\u65e0\u6548".encode(charset), {"content-type": f"a/b; charset={charset}"})
    server.script = [page]

    with pytest.raises(errors.ServiceUnavailable, match="\u65e0\u6548"):
        client.retrieve("batch_a")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
def test_json_in_another_encoding_is_read(
    client: Any, server: ScriptedServer, encoding: str
) -> None:
    """The encodings that JSON once had are recognized without a header."""
    server.script = [Answer(200, json.dumps(BATCH).encode(encoding))]

    assert client.retrieve("batch_a").raw == BATCH


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "rot13"])
@pytest.mark.parametrize("body", [json.dumps(BATCH).encode(), b"", b"\x1f\x8b\x08", b"\xff" * 99])
def test_a_wrong_content_encoding(
    client: Any, server: ScriptedServer, encoding: str, body: bytes
) -> None:
    """It is read if it can be, or an exception of the package; the next call works."""
    server.script = [Answer(200, body, {"content-encoding": encoding}), answer(BATCH)]

    with contextlib.suppress(errors.SiliconFlowError):
        assert client.retrieve("batch_a").raw == BATCH
    assert client.retrieve("batch_a").raw == BATCH


@pytest.mark.parametrize("status", [406, 415])
class TestIdentityRefused:
    """A server that sends no uncompressed body."""

    def test_the_file_is_requested_with_compression(
        self, client: Any, server: ScriptedServer, status: int, tmp_path: Path
    ) -> None:
        """The second request does not insist, also if a request is never repeated."""
        packed = Answer(200, gzip.compress(b"{}\n"), {"content-encoding": "gzip"})
        server.script = [Answer(status), packed]

        assert client.download("file-a", tmp_path / "target").read_bytes() == b"{}\n"
        first, second = (headers["accept-encoding"] for _, headers in server.received)
        assert first == "identity"
        assert "gzip" in second

    def test_a_second_refusal_is_raised(
        self, client: Any, server: ScriptedServer, status: int, tmp_path: Path
    ) -> None:
        """The service refuses for another reason; no file is left."""
        server.script = [Answer(status, b"no")]

        with pytest.raises(errors.APIError, match="no"):
            client.download("file-a", tmp_path / "target")

        assert len(server.received) == 2
        assert list(tmp_path.iterdir()) == []
