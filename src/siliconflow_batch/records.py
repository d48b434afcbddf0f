"""
Result files: JSON Lines, one record for each line that was answered, failed or expired.

Rule 1: a record ends at the byte `\\n` alone; U+2028 and its like are data inside a JSON string.
Rule 2: an answer that was paid for is not lost to a quirk; only what cannot be tied to its
request is refused.
"""

import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec
from attrs import field, frozen

from .errors import ResultLineInvalid

BOM = b"\xef\xbb\xbf"

_decode = msgspec.json.Decoder().decode


class Splitter:
    """
    Splits a stream of bytes into lines, in time linear in its length however it is cut.

    Lines come without their ends (`\\n` or `\\r\\n`); those of white space only are dropped.
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
        return [piece.removesuffix(b"\r") for piece in pieces if piece and not piece.isspace()]

    def close(self) -> list[bytes]:
        """The last line, where the stream did not end with `\\n`."""
        return self.feed(b"\n") if self._rest else []


@frozen
class Result:
    """
    What became of one line; `raw` is the whole record, with all that has no name here.

    `body` is the chat completion, or what else answered. `error_code` and `error_message` come from
    the record's error or, where that is null and the line failed, from the body.
    """

    custom_id: str
    id: str | None
    status_code: int | None
    body: dict[str, Any] | None = field(repr=False)
    error_code: str | None
    error_message: str | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def ok(self) -> bool:
        return self.status_code == 200 and self.body is not None

    @property
    def expired(self) -> bool:
        """The completion window closed before the line ran."""
        return self.error_code == "batch_expired"

    @property
    def text(self) -> str | None:
        """The content of the first choice's message."""
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

    What is JSON but for a NaN, a number out of range or half a surrogate pair, as careless servers
    write it, is read all the same; the half becomes U+FFFD.
    """
    try:
        record = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        record = _careless(raw, line)
    if not isinstance(record, dict):
        raise ResultLineInvalid(line, "a record must be a JSON object", raw)
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str):
        raise ResultLineInvalid(line, "a record must have a custom_id, a string", raw)
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
        answer,
        code,
        message,
        record,
    )


def read(path: str | PathLike[str]) -> Iterator[Result]:
    """Yields the results of a file on disk, one at a time; their order is the service's."""
    with Path(path).open("rb") as file:
        for line, raw in enumerate(file, 1):
            if not raw.isspace():
                yield parse(raw, line)


def _careless(raw: bytes, line: int) -> Any:
    try:
        record = json.loads(raw.decode().removeprefix("\ufeff"))
        text = json.dumps(record, ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError) as error:
        raise ResultLineInvalid(line, f"not JSON ({error})", raw) from error


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
