"""
Result files: JSON Lines, one record for each line that was answered, failed or expired.

Rule 1: a record ends at the byte `\\n` alone; U+2028 and its like are data inside a JSON string.
Rule 2: an answer that was paid for is not lost to a quirk; only what cannot be tied to its
request is refused.
"""

import json
from collections.abc import Iterator
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..errors import ResultLineInvalid

OBJECT = ord("{")

_decode = msgspec.json.Decoder().decode


class _Response(msgspec.Struct):
    status_code: Literal[200]
    body: msgspec.Raw


class _Answered(msgspec.Struct):
    """The record of an answered line, its body left as it is: most of them are this."""

    custom_id: str
    response: _Response
    id: str | None = None
    error: None = None


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    """What of a completion its text is found in."""

    choices: list[_Choice]


_decode_answered = msgspec.json.Decoder(_Answered).decode
_decode_completion = msgspec.json.Decoder(_Completion).decode


class Splitter:
    """
    Splits a stream of bytes into lines, in time linear in its length however it is cut.

    Lines come without their ends (`\\n` or `\\r\\n`).
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes."""
        if b"\n" not in chunk:
            self._rest += chunk
            return []
        pieces = chunk.split(b"\n")
        if self._rest:
            self._rest += pieces[0]
            pieces[0] = bytes(self._rest)
        self._rest = bytearray(pieces.pop())
        return [piece.removesuffix(b"\r") for piece in pieces]

    def close(self) -> list[bytes]:
        """The last line, where the stream did not end with `\\n`."""
        return self.feed(b"\n") if self._rest else []


# Not an attrs class: a file has as many as lines, and this is made ten times as fast.
class Result(msgspec.Struct, frozen=True, dict=True, eq=False):
    """
    What became of one line; `raw` is the whole record, with all that has no name here.

    `body` is the chat completion, or what else answered. `error_code` and `error_message` come from
    the record's error or, where that is null and the line failed, from the body. Bodies are decoded
    when they are first asked for.
    """

    custom_id: str
    id: str | None
    status_code: int | None
    error_code: str | None
    error_message: str | None
    ok: bool
    _line: bytes
    _body: msgspec.Raw | dict[str, Any] | None

    def __repr__(self) -> str:
        what = {"custom_id": self.custom_id, "ok": self.ok, "error_message": self.error_message}
        return f"Result({', '.join(f'{name}={value!r}' for name, value in what.items())})"

    @property
    def expired(self) -> bool:
        """The completion window closed before the line ran."""
        return self.error_code == "batch_expired"

    @cached_property
    def body(self) -> dict[str, Any] | None:
        return _lenient(bytes(self._body)) if isinstance(self._body, msgspec.Raw) else self._body

    @cached_property
    def raw(self) -> dict[str, Any]:
        record: dict[str, Any] = _lenient(self._line)
        return record

    @property
    def text(self) -> str | None:
        """The content of the first choice's message."""
        if isinstance(self._body, msgspec.Raw):
            try:
                return _decode_completion(self._body).choices[0].message.content
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, IndexError):
                pass  # of another shape, or carelessly written
        choices = (self.body or {}).get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        content = (_object(_object(choice).get("message"))).get("content")
        return content if isinstance(content, str) else None

    @property
    def usage(self) -> dict[str, Any] | None:
        usage = (self.body or {}).get("usage")
        return usage if isinstance(usage, dict) else None


def parse(raw: bytes, line: int) -> Result:
    """
    Reads one record; `line` is for the `ResultLineInvalid` of what is none.

    What is JSON but for a NaN, a number out of range, half a surrogate pair or, in a body, a byte
    that is no UTF-8, as careless servers write it, is read all the same; the half and the byte
    become U+FFFD.
    """
    try:
        record = _decode_answered(raw)
        body = record.response.body
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_otherwise(raw, line)
    if memoryview(body)[0] != OBJECT:
        return _parse_otherwise(raw, line)
    return Result(record.custom_id, record.id, 200, None, None, True, raw, body)


def _parse_otherwise(raw: bytes, line: int) -> Result:
    """Reads the record of a line that failed, or one that is written in an unusual way."""
    try:
        record = _lenient(raw)
    except (ValueError, RecursionError) as why:
        raise ResultLineInvalid(line, f"not JSON ({why})", raw) from why
    if not isinstance(record, dict):
        raise ResultLineInvalid(line, "a record must be a JSON object", raw)
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str):
        raise ResultLineInvalid(line, "a record must have a custom_id, a string", raw)
    if "\ufffd" in custom_id and not _is_utf8(raw):
        raise ResultLineInvalid(line, "not JSON (the custom_id is not UTF-8)", raw)
    response = _object(record.get("response"))
    status, body, error = response.get("status_code"), response.get("body"), record.get("error")
    answer = _object(body) or (body if isinstance(body, dict) else None)
    if error is None and status != 200:
        error = answer.get("error", answer) if answer else body
    id, code, message = record.get("id"), *_error(error)
    return Result(
        custom_id,
        id if isinstance(id, str) else None,
        status if type(status) is int else None,
        code,
        message,
        status == 200 and answer is not None,
        raw,
        answer,
    )


class Reader:
    """Results out of a stream of bytes, however it is cut."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._lines = 0

    def feed(self, chunk: bytes) -> Iterator[Result]:
        """The results that `chunk` completes."""
        return self._parsed(self._splitter.feed(chunk))

    def close(self) -> Iterator[Result]:
        """The last result, where the stream did not end with `\\n`."""
        return self._parsed(self._splitter.close())

    def _parsed(self, lines: list[bytes]) -> Iterator[Result]:
        for raw in lines:
            self._lines += 1
            if raw and not raw.isspace():
                yield parse(raw, self._lines)


def read(path: str | PathLike[str]) -> Iterator[Result]:
    """Yields the results of a file on disk, one at a time; their order is the service's."""
    with Path(path).open("rb") as file:
        for line, raw in enumerate(file, 1):
            if not raw.isspace():
                yield parse(raw, line)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lenient(raw: bytes) -> Any:
    """JSON, where need be without what is not quite JSON in it."""
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        record = json.loads(raw.decode(errors="replace").removeprefix("\ufeff"))
        text = json.dumps(record, ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _object(value: object) -> dict[str, Any]:
    """An object as it is or out of the string it was encoded in; else an empty one."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = _decode(value)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _error(error: object) -> tuple[str | None, str | None]:
    """The code and the message of an error, whether it is an object, words or nothing."""
    if isinstance(error, str):
        error = _object(error) or {"message": error or None}
    if not isinstance(error, dict):
        return None, None if error is None else json.dumps(error)
    code, message = error.get("code"), error.get("message")
    return None if code is None else str(code), None if message is None else str(message)
