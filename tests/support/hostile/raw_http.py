"""
Requests and answers as bytes on a socket.

Rule: nothing here repairs anything; an answer leaves as it was written.
"""

import contextlib
import json
import select
import socket
import struct
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

PIECE = 65536
NO_LINGER = struct.pack("ii", 1, 0)
DRAIN = 5.0  # seconds for which a closed connection is read, so that no reset follows the FIN


class ConnectionEnded(Exception):
    """The peer closed the connection."""


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path.rstrip("/")

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass
class Incoming:
    """
    The requests that arrive on one connection.

    `owed` is the answer to an earlier request that the next request gets, if they are out of step.
    """

    connection: socket.socket
    owed: bytes = b""
    _buffer: bytes = b""

    def first_line(self) -> tuple[str, str]:
        """The method and the target of the next request, of which nothing is taken yet."""
        while True:
            seen = self._buffer or self.connection.recv(PIECE, socket.MSG_PEEK)
            if not seen:
                raise ConnectionEnded
            line, end, _ = seen.partition(b"\r\n")
            if end:
                method, target, _ = line.decode("ascii").split(" ")
                return method, target
            time.sleep(0.001)  # a peek does not wait for more than it has shown

    def head(self) -> Request:
        """The next request without its body."""
        text = self._until(b"\r\n\r\n").decode("latin-1")
        first, *lines = text.split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return Request(method, target, headers)

    def whole(self) -> Request:
        """The next request with its body."""
        head = self.head()
        if head.headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self._exactly(int(head.headers.get("content-length", "0")))
        return Request(head.method, head.target, head.headers, body)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            self._exactly(2)
        self._until(b"\r\n")
        return body

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._more()
        part, _, self._buffer = self._buffer.partition(end)
        return part

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        part, self._buffer = self._buffer[:size], self._buffer[size:]
        return part

    def _more(self) -> None:
        received = self.connection.recv(PIECE)
        if not received:
            raise ConnectionEnded
        self._buffer += received


def answer(
    status: int,
    body: bytes | str = b"",
    *headers: str,
    kind: str = "application/json",
    length: bool = True,
) -> bytes:
    """An answer in the right form; `headers` are lines."""
    body = body.encode() if isinstance(body, str) else body
    lines = [status_line(status), f"Content-Type: {kind}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_line(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}"


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def reset(connection: socket.socket) -> None:
    """Ends a connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    connection.close()


def finish(connection: socket.socket) -> None:
    """Ends a connection with a FIN, and reads what the peer still sends."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        wait_for_the_end(connection, DRAIN)
    connection.close()


def wait_for_the_end(connection: socket.socket, seconds: float) -> None:
    """Sends nothing until the peer closes the connection."""
    end = time.monotonic() + seconds
    with contextlib.suppress(OSError, ValueError):
        while (left := end - time.monotonic()) > 0:
            if select.select([connection], [], [], left)[0] and not connection.recv(PIECE):
                return
