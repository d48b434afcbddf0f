"""
The bytes of broken answers to a creation.

Each function takes a `Case` and returns what the server sends before it ends the connection.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .raw_http import answer, as_json, status_line

OVERLOAD = {
    "code": 50505,
    "message": "Model service overloaded. Please try again later.",
    "data": None,
}
REFUSAL = {
    "code": 20012,
    "message": "Model does not exist. Please check it carefully.",
    "data": None,
}
RATE_LIMIT = {
    "message": "Request was rejected due to rate limiting. Details:RPM limit reached.",
    "data": None,
}


@dataclass(frozen=True)
class Case:
    """
    One creation. `batch` is what it made, or None if it made nothing so far.

    `another` is an older batch of the account, or one that does not exist if there is no older one;
    `page` and `file` are answers to other requests.
    """

    batch: dict[str, Any] | None
    another: dict[str, Any]
    page: dict[str, Any]
    file: dict[str, Any]

    @property
    def status(self) -> int:
        return 503 if self.batch is None else 200

    @property
    def body(self) -> bytes:
        """The true answer: the batch, or that the service is overloaded."""
        return as_json(OVERLOAD if self.batch is None else self.batch)

    @property
    def true_answer(self) -> bytes:
        return answer(self.status, self.body)


Answer = Callable[[Case], bytes]


def nothing(case: Case) -> bytes:
    return b""


def true(case: Case) -> bytes:
    return case.true_answer


def text(raw: bytes) -> Answer:
    return lambda case: raw


def html(status: int) -> bytes:
    phrase = status_line(status).partition(" ")[2]
    return f"<html><head><title>{phrase}</title></head><body>{phrase}</body></html>".encode()


def cut_answer(keep: Callable[[bytes], int]) -> Answer:
    """The first bytes of the true answer; `keep` returns how many."""
    return lambda case: case.true_answer[: keep(case.true_answer)]


def in_the_status_line(raw: bytes) -> int:
    return 7


def after_the_status_line(raw: bytes) -> int:
    return raw.index(b"\r\n") + 2


def in_the_headers(raw: bytes) -> int:
    return raw.index(b"Content-Length") + 9


def after_the_headers(raw: bytes) -> int:
    return raw.index(b"\r\n\r\n") + 4


def before_the_id(raw: bytes) -> int:
    return after_the_headers(raw) + 4


def after_the_id(raw: bytes) -> int:
    return raw.index(b"input_file_id") if b"input_file_id" in raw else after_the_headers(raw) + 20


def before_the_last_byte(raw: bytes) -> int:
    return len(raw) - 1


def chunked(*ends: bytes, whole: bool) -> Answer:
    """Two chunks, the second one whole or cut in half, and then `ends`."""

    def write(case: Case) -> bytes:
        head = f"{status_line(case.status)}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        first, second = case.body[:10], case.body[10:]
        sent = second if whole else second[: len(second) // 2]
        pieces = b"%x\r\n%s\r\n%x\r\n%s" % (len(first), first, len(second), sent)
        return head + pieces + b"".join(ends)

    return write


def first_chunk_only(case: Case) -> bytes:
    head = f"{status_line(case.status)}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"a\r\n" + case.body[:10] + b"\r\n"


def bad_chunk_size(case: Case) -> bytes:
    head = f"{status_line(case.status)}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"zz\r\n" + case.body + b"\r\n0\r\n\r\n"


def lengths(*values: Callable[[int], object]) -> Answer:
    """The true answer with these Content-Length headers, from its real length."""

    def write(case: Case) -> bytes:
        lines = [f"Content-Length: {value(len(case.body))}" for value in values]
        return answer(case.status, case.body, *lines, length=False)

    return write


def before_the_answer(*interim: bytes) -> Answer:
    return lambda case: b"".join(interim) + case.true_answer


def with_headers(*lines: str) -> Answer:
    return lambda case: answer(case.status, case.body, *lines)


def with_status_line(line: str) -> Answer:
    """The true answer under another status line."""
    return lambda case: line.encode() + case.true_answer[case.true_answer.index(b"\r\n") :]


def without_head(case: Case) -> bytes:
    return case.body


def only(body: Callable[[Case], Any]) -> Answer:
    """The answer to another request instead of the true one."""
    return lambda case: answer(200, as_json(body(case)))


def stale(body: Callable[[Case], Any]) -> Answer:
    """The answer to another request in front of the true one."""
    return lambda case: answer(200, as_json(body(case))) + case.true_answer


def true_answer_twice(case: Case) -> bytes:
    return case.true_answer * 2


def compressed_and_cut(case: Case) -> bytes:
    return answer(case.status, gzip.compress(case.body)[:-12], "Content-Encoding: gzip")


def fixed(status: int, body: bytes | str = b"", *headers: str, kind: str = "text/html") -> Answer:
    """The same answer to every request."""
    return lambda case: answer(status, body, *headers, kind=kind)


def with_batch(status: int, *headers: str) -> Answer:
    """The true body under another status."""
    return lambda case: answer(status, case.body, *headers)


def altered(change: Callable[[dict[str, Any]], Any]) -> Answer:
    """A 200 with a changed batch; only for work that was done."""

    def write(case: Case) -> bytes:
        assert case.batch is not None
        return answer(200, as_json(change(json.loads(case.body))))

    return write


def encoded(change: Callable[[bytes], bytes]) -> Answer:
    return lambda case: answer(case.status, change(case.body))


def without(*names: str) -> Answer:
    return altered(lambda batch: {name: batch[name] for name in batch if name not in names})


def with_values(**values: Any) -> Answer:
    return altered(lambda batch: {**batch, **values})


def redirect(status: int) -> Answer:
    """To the batch if there is one; otherwise to a path that creates one as well."""

    def write(case: Case) -> bytes:
        place = "/v1/batches/" if case.batch is None else f"/v1/batches/{case.batch['id']}"
        return answer(status, html(status), f"Location: {place}", kind="text/html")

    return write
