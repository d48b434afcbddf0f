"""
Random answers of a service that is not itself, and a raw socket server that gives them.

`OddAnswers(seed)` mutates a right answer: its status, headers, JSON or bytes. The server
knows HTTP just well enough to read a request and to keep the connection.
"""

import json
import random
import socket
import threading
import zlib
from collections.abc import Callable
from typing import Any, Self

STATUSES = (
    *(200, 200, 200, 200, 201, 202, 204, 206, 226, 299, 300, 301, 302, 303, 304, 307, 308),
    *(400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415, 418, 422, 425, 428, 429, 431),
    *(451, 499, 500, 501, 502, 503, 504, 508, 511, 520, 529, 599, 600, 999),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, -0.0, 1e300, 10**30, "", " ", "\ud800", "\x00", "🦊" * 300),
    *(
        {},
        [],
        [None],
        [[]],
        {"": None},
        {"id": 7},
        {"message": None},
        "NaN",
        "2026-11-31",
        "Infinity",
    ),
)
SNIPPETS = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 10_000,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\xff",
)
CHARSETS = (
    "utf-16",
    "utf-7",
    "latin-1",
    "no-such-charset",
    "rot13",
    "idna",
    "utf-8; charset=utf-16",
)
ENCODINGS = ("gzip", "br", "deflate", "zstd", "identity, gzip", "rot13", "gzip, gzip")
HEADERS = (
    *(
        ("Set-Cookie", "sid=\xfcber; Path=/"),
        ("Set-Cookie", "a=" + "b" * 9000),
        ("Retry-After", "-1"),
    ),
    *(("Retry-After", "soon"), ("Retry-After", "\xfc"), ("Retry-After", "1e999"), ("ETag", "\xe9")),
    *(
        ("Location", "http://[::1"),
        ("Location", "\xff"),
        ("Location", "ftp://x/"),
        ("Location", ""),
    ),
    *(("Location", "http://127.0.0.1:1/"), ("Location", "//"), ("Content-Range", "bytes 7-/x")),
    *(
        ("X-Request-Id", "\x1b[31m"),
        ("Link", "<"),
        ("Alt-Svc", 'h3=":443"'),
        ("Connection", "close"),
    ),
)


class OddAnswers:
    """Each call gives the bytes of a random answer, made from a right body."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - not for secrets

    def __call__(self, right: Any) -> bytes:
        chance = self.random
        body = self._body(right)
        status = chance.choice(STATUSES) if chance.random() < 0.5 else 200
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        kind = chance.randrange(8)
        if kind == 0:
            headers[0] = ("Content-Type", f"application/json; charset={chance.choice(CHARSETS)}")
        elif kind == 1:
            encoding = chance.choice(ENCODINGS)
            body = zlib.compress(body) if chance.random() < 0.3 else body
            headers = [*headers[:1], ("Content-Length", str(len(body)))]
            headers.append(("Content-Encoding", encoding))
        elif kind == 2:
            wrong = chance.choice(("0", "1", "-5", "x", str(len(body) + 1), "9" * 30, ""))
            headers[1] = ("Content-Length", wrong)
        elif kind == 3:
            headers[1:] = [("Transfer-Encoding", "chunked")]
            end = chance.choice((b"0\r\n\r\n", b"", b"zz\r\n", b"0\r\nX: y\r\n\r\n", b"\r\n"))
            body = b"%x\r\n%s\r\n" % (len(body), body) + end
        elif kind == 4:
            headers += [chance.choice(HEADERS)]
        elif kind == 5:
            headers = headers[1:]
        lines = [f"HTTP/1.1 {status} Odd", *(f"{name}: {value}" for name, value in headers)]
        answer = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        if chance.random() < 0.05:
            answer = self._damaged(answer)
        return answer

    def _body(self, right: Any) -> bytes:
        chance = self.random
        if isinstance(right, bytes):
            lines = [json.dumps(self._mutated(json.loads(line))) for line in right.splitlines()]
            body = "\n".join(lines).encode()
        else:
            body = json.dumps(self._mutated(right)).encode()
        match chance.randrange(10):
            case 0:
                body = self._damaged(body)
            case 1:
                at = body.find(b":") + 1
                body = body[:at] + chance.choice(SNIPPETS) + body[at:]
            case 2:
                body = body.decode().encode(chance.choice(("utf-16", "utf-8-sig", "utf-32")))
            case 3:
                body = chance.choice(
                    (b"", b"<html>busy</html>", b"null", b"[]", b'"no"', b"\xff\xfe")
                )
        return body

    def _mutated(self, value: Any) -> Any:
        """The value with a few of its parts replaced, removed or wrapped."""
        value = json.loads(json.dumps(value))
        for _ in range(self.random.randrange(4)):
            value = self._with_one_change(value)
        return value

    def _with_one_change(self, value: Any) -> Any:
        chance = self.random
        if chance.random() < 0.25 or not isinstance(value, dict | list) or not value:
            return chance.choice((chance.choice(VALUES), [value], {"data": value}))
        key = chance.choice([*value] if isinstance(value, dict) else range(len(value)))
        if chance.random() < 0.2:
            del value[key]
        elif isinstance(value[key], dict | list) and value[key] and chance.random() < 0.7:
            value[key] = self._with_one_change(value[key])
        else:
            value[key] = chance.choice(VALUES)
        return value

    def _damaged(self, raw: bytes) -> bytes:
        chance = self.random
        at = chance.randrange(len(raw) + 1)
        return chance.choice(
            (raw[:at], raw[:at] + chance.randbytes(3) + raw[at:], raw[:at] + raw[at + 2 :])
        )


class RawServer:
    """A server that answers each request with the bytes that `answer(method, path)` returns."""

    def __init__(self, answer: Callable[[str, str], bytes]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for connection in list(self._open):
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        try:
            while request := stream.readline():
                method, path, _ = request.decode().split()
                self._skip_request(stream)
                answer = self._answer(method, path)
                connection.sendall(answer)
                if not _is_kept(answer):
                    connection.shutdown(socket.SHUT_RDWR)
                    return
        except (OSError, ValueError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()

    @staticmethod
    def _skip_request(stream: Any) -> None:
        length, chunked = 0, False
        while line := stream.readline().strip().lower():
            length = int(line[15:]) if line.startswith(b"content-length:") else length
            chunked |= line == b"transfer-encoding: chunked"
        stream.read(length)
        while chunked and (size := int(stream.readline(), 16)):
            stream.read(size + 2)
        if chunked:
            stream.readline()


def _is_kept(answer: bytes) -> bool:
    """Whether an HTTP client can tell where the answer ends, so that the connection stays open."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return b"\r\nContent-Length: %d\r\n" % len(body) in head + b"\r\n" and b" 204 " not in head
