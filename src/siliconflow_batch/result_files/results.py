"""
Result files: JSON Lines, one record for each line of the input file.

Rule 1: only the byte `\\n` ends a record; U+2028 and similar characters are data.
Rule 2: a response that was paid for is not lost because of careless JSON; a record is refused only
if it cannot be assigned to its request.
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


class _Record(msgspec.Struct):
    """The record of a line with a response, as most are; its body is decoded later."""

    custom_id: str
    response: _Response
    id: str | None = None
    error: None = None


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    """The part of a chat completion that holds its text."""

    choices: list[_Choice]


_decode_record = msgspec.json.Decoder(_Record).decode
_decode_completion = msgspec.json.Decoder(_Completion).decode


class Splitter:
    """
    Splits a stream of bytes into lines, without their ends (`\\n` or `\\r\\n`).

    The time is linear in the length of the stream, whatever the sizes of its chunks.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Returns the lines that `chunk` completes."""
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
        """Returns the last line if the stream did not end with `\\n`."""
        return self.feed(b"\n") if self._rest else []


# Not an attrs class: each line of a file makes one, and msgspec makes it ten times as fast.
class Result(msgspec.Struct, frozen=True, dict=True, eq=False):
    """
    The result of one line. `ok` is True if it has a response with status code 200.

    `body` is the body of the response, usually a chat completion. `error_code` and `error_message`
    are those of the record's `error`, or of the body if the line failed and `error` is null. `raw`
    is the whole record. `body` and `raw` are decoded when they are first used.
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
        return (
            f"Result(custom_id={self.custom_id!r}, ok={self.ok!r}, "
            f"error_message={self.error_message!r})"
        )

    @property
    def expired(self) -> bool:
        """Whether the completion window ended before the line was processed."""
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
        """The content of the first choice's message, if the body has one."""
        if isinstance(self._body, msgspec.Raw):
            try:
                return _decode_completion(self._body).choices[0].message.content
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, IndexError):
                pass  # another shape, or careless JSON
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
    Parses one record; raises `ResultLineInvalid` with the number `line`.

    JSON with a NaN, a number out of range, half of a surrogate pair, or a byte outside the
    custom_id that is not UTF-8 is accepted; the half and the byte become U+FFFD.
    """
    try:
        record = _decode_record(raw)
        body = record.response.body
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_leniently(raw, line)
    if memoryview(body)[0] != OBJECT:
        return _parse_leniently(raw, line)
    return Result(record.custom_id, record.id, 200, None, None, True, raw, body)


def _parse_leniently(raw: bytes, line: int) -> Result:
    """Parses the record of a line that failed, or one with careless JSON."""
    try:
        record = _lenient(raw)
    except (ValueError, RecursionError) as reason:
        raise ResultLineInvalid(line, f"not JSON ({reason})", raw) from reason
    if not isinstance(record, dict):
        raise ResultLineInvalid(line, "a record must be a JSON object", raw)
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str):
        raise ResultLineInvalid(line, "a record must have a custom_id, a string", raw)
    if "\ufffd" in custom_id and not _is_utf8(raw):
        raise ResultLineInvalid(line, "not JSON (the custom_id is not UTF-8)", raw)
    response = _object(record.get("response"))
    status, body, error = response.get("status_code"), response.get("body"), record.get("error")
    content = _object(body) or (body if isinstance(body, dict) else None)
    if error is None and status != 200:
        error = content.get("error", content) if content else body
    id, code, message = record.get("id"), *_error(error)
    return Result(
        custom_id,
        id if isinstance(id, str) else None,
        status if type(status) is int else None,
        code,
        message,
        status == 200 and content is not None,
        raw,
        content,
    )


class Reader:
    """Parses a stream of bytes, whatever the sizes of its chunks."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._lines = 0

    def feed(self, chunk: bytes) -> Iterator[Result]:
        """Yields the results that `chunk` completes."""
        return self._parsed(self._splitter.feed(chunk))

    def close(self) -> Iterator[Result]:
        """Yields the last result if the stream did not end with `\\n`."""
        return self._parsed(self._splitter.close())

    def _parsed(self, lines: list[bytes]) -> Iterator[Result]:
        for raw in lines:
            self._lines += 1
            if raw and not raw.isspace():
                yield parse(raw, self._lines)


def read(path: str | PathLike[str]) -> Iterator[Result]:
    """Yields the results of a file on disk, in the order of the file."""
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
    """Decodes JSON; what only a lenient parser accepts is decoded as well."""
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        record = json.loads(raw.decode(errors="replace").removeprefix("\ufeff"))
        text = json.dumps(record, ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _object(value: object) -> dict[str, Any]:
    """`value` if it is an object or a string that encodes one; otherwise an empty object."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = _decode(value)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _error(error: object) -> tuple[str | None, str | None]:
    """The code and the message of an error, which is an object, a string or null."""
    if isinstance(error, str):
        error = _object(error) or {"message": error or None}
    if not isinstance(error, dict):
        return None, None if error is None else json.dumps(error)
    code, message = error.get("code"), error.get("message")
    return None if code is None else str(code), None if message is None else str(message)
