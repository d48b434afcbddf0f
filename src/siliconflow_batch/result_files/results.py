"""
Result files: JSON Lines, one record for each line of the input file.

Rule 1: a response that was paid for is not lost because of careless JSON.
Rule 2: a record that cannot be assigned to its request is a failed result without a `custom_id`; it
hides no other record.
"""

from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec

from .line_outcomes import Usage, as_object, decode_leniently, outcome

INVALID = "invalid_record"  # the `error_code` of a record that cannot be read


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    usage: Usage | None = None
    error: None = None


class _Response(msgspec.Struct):
    status_code: Literal[200]
    body: _Completion


class _Record(msgspec.Struct):
    """The record of a line that was answered, as most are; `line_outcomes` reads all others."""

    custom_id: Annotated[str, msgspec.Meta(min_length=1)]
    response: _Response
    id: str | None = None
    error: None = None


_decode_record = msgspec.json.Decoder(_Record).decode


# Not an attrs class: each line of a file makes one, and msgspec makes it ten times as fast.
class Result(msgspec.Struct, frozen=True, dict=True, eq=False):
    """
    The result of one line. `ok` is True if it has an answer; a failed line has a message.

    `error_code` and `error_message` are those of the record's `error` or of the body. `text` is the
    content of the first choice's message, and `usage` are the tokens, if the body has them. `file`
    is "output" or "error", `line` the number in it, from 1, and `raw_bytes` are its bytes.

    `raw`, the whole record, and `body`, usually a chat completion, are decoded when they are first
    used. A record that cannot be read has an empty `custom_id` and the `error_code`
    `invalid_record`; its `raw` is empty unless it is a JSON object.
    """

    custom_id: str
    ok: bool
    raw_bytes: bytes
    text: str | None = None
    usage: Usage | None = None
    id: str | None = None
    status_code: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    file: str = "output"
    line: int = 0

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
        body = as_object(self.raw.get("response")).get("body")
        return as_object(body) or (body if isinstance(body, dict) else None)

    @cached_property
    def raw(self) -> dict[str, Any]:
        try:
            record = decode_leniently(self.raw_bytes)
        except (ValueError, RecursionError):
            return {}
        return record if isinstance(record, dict) else {}


def parse(raw: bytes, line: int, file: str = "output") -> Result:
    """
    Parses one record, whose number in the "output" or "error" file is `line`.

    JSON with a NaN, a number out of range, half of a surrogate pair, or a byte outside the
    custom_id that is not UTF-8 is accepted; the half and the byte become U+FFFD.
    """
    try:
        record = _decode_record(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_leniently(raw, line, file)
    body = record.response.body
    text, usage = body.choices[0].message.content, body.usage
    return Result(record.custom_id, True, raw, text, usage, record.id, 200, None, None, file, line)


def _parse_leniently(raw: bytes, line: int, file: str) -> Result:
    """Parses the record of a line that failed, or one with careless JSON."""
    try:
        record = decode_leniently(raw)
        fault = _fault(record, raw)
    except (ValueError, RecursionError) as reason:
        record, fault = None, f"not JSON ({reason})"
    record = record if isinstance(record, dict) else {}
    status, text, usage, code, message = outcome(record)
    if fault is not None:
        code, message = INVALID, f"line {line} of the {file} file: {fault}"
    id = record.get("id")
    return Result(
        "" if fault is not None else record["custom_id"],
        message is None,
        raw,
        text,
        usage,
        id if isinstance(id, str) else None,
        status,
        code,
        message,
        file,
        line,
    )


def _fault(record: object, raw: bytes) -> str | None:
    """Why a record cannot be assigned to its request."""
    if not isinstance(record, dict):
        return "a record must be a JSON object"
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        return f"a record must have a custom_id, a string, not {custom_id!r:.80}"
    if "\ufffd" in custom_id and not _is_utf8(raw):
        return "not JSON (the custom_id is not UTF-8)"
    return None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
