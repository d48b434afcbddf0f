"""
Input files: JSON Lines, one chat request per line.

Rule 1: only the byte `\n` ends a line; other line separators are legal inside a JSON string.
Rule 2: a file is inspected once, on upload; batches use the stored result.
Rule 3: code recognises an error by its `InputFileError`, never by its message.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field

MAX_LINES = 5_000
MAX_LINE = 16_000_000  # bytes; no document names a limit
ROLES = ("system", "user", "assistant")


class InputFileError(Enum):
    """Why an input file is invalid; the value is the template of the message."""

    NO_LINES = "the file has no lines"
    TOO_MANY_LINES = "the file has {lines} lines; at most {limit} are allowed"
    LINE_TOO_LONG = "the line is longer than {limit} bytes"
    LINE_EMPTY = "the line is empty"
    NOT_UTF_8 = "byte {position} is not UTF-8"
    NOT_JSON = "not JSON: {reason} at character {position}"
    NOT_AN_OBJECT = "the line must be a JSON object, not {type}"
    CUSTOM_ID_INVALID = "custom_id must be a non-empty string, not {value!r}"
    CUSTOM_ID_REPEATED = "custom_id {value!r} is already used by an earlier line"
    METHOD_UNSUPPORTED = "method must be 'POST', not {value!r}"
    URL_UNSUPPORTED = "url must be '/v1/chat/completions', not {value!r}"
    BODY_INVALID = "body must be an object"
    MESSAGES_INVALID = "body.messages must be a list of at least one message"
    ROLE_UNKNOWN = "the role of a message must be one of {roles}, not {value!r}"
    LAST_ROLE_NOT_USER = "the last message must have role 'user', not {value!r}"
    MODEL_INVALID = "body.model must be the name of a model, not {value!r}"


class LineInvalid(Exception):
    """A line of an input file that the service does not accept."""

    def __init__(self, error: InputFileError, message: str) -> None:
        super().__init__(error, message)
        self.error, self.message = error, message

    def __str__(self) -> str:
        return self.message


@define
class Inspection:
    """
    The result of inspecting an input file; `models` are those that its lines name.

    `error` is the code of the first error and `message` its text; both are None in a valid file.
    """

    lines: int = 0
    models: set[str | None] = field(factory=set)
    error: InputFileError | None = None
    message: str | None = None


def read_lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yields each line that begins at or after `offset`, without its end, and where it ends."""
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            offset += len(raw)
            yield raw.rstrip(b"\r\n"), offset


def inspect(path: Path) -> Inspection:
    """
    Counts the lines of a file and checks them up to the first error.

    Holds at most `MAX_LINE` bytes of the file in memory, however long its lines are.
    """
    result = Inspection()
    custom_ids: set[str] = set()
    at_line_start = True
    with path.open("rb") as file:
        while piece := file.readline(MAX_LINE + 1):
            if at_line_start:
                result.lines += 1
                if result.error is None and result.lines <= MAX_LINES:
                    _inspect_line(result, piece, custom_ids)
            at_line_start = piece.endswith(b"\n")
    if result.lines == 0:
        result.error = InputFileError.NO_LINES
        result.message = result.error.value
    elif result.lines > MAX_LINES:
        result.error = InputFileError.TOO_MANY_LINES
        result.message = result.error.value.format(lines=result.lines, limit=MAX_LINES)
    return result


def _inspect_line(result: Inspection, raw: bytes, custom_ids: set[str]) -> None:
    try:
        if len(raw) > MAX_LINE:
            raise _invalid(InputFileError.LINE_TOO_LONG, limit=MAX_LINE)
        result.models.add(_check_request(raw.rstrip(b"\r\n"), custom_ids))
    except LineInvalid as invalid:
        result.error = invalid.error
        result.message = f"line {result.lines}: {invalid}"


def _invalid(error: InputFileError, **details: object) -> LineInvalid:
    return LineInvalid(error, error.value.format(**details))


def _check_request(raw: bytes, custom_ids: set[str]) -> str | None:
    """Returns the model that the line names; raises `LineInvalid`."""
    request = _parse(raw)
    custom_id = request.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        raise _invalid(InputFileError.CUSTOM_ID_INVALID, value=custom_id)
    if custom_id in custom_ids:
        raise _invalid(InputFileError.CUSTOM_ID_REPEATED, value=custom_id)
    custom_ids.add(custom_id)
    if request.get("method", "POST") != "POST":
        raise _invalid(InputFileError.METHOD_UNSUPPORTED, value=request["method"])
    if request.get("url", "/v1/chat/completions") != "/v1/chat/completions":
        raise _invalid(InputFileError.URL_UNSUPPORTED, value=request["url"])
    body = request.get("body")
    if not isinstance(body, dict):
        raise _invalid(InputFileError.BODY_INVALID)
    _check_messages(body.get("messages"))
    model = body.get("model")
    if model is not None and (not isinstance(model, str) or not model):
        raise _invalid(InputFileError.MODEL_INVALID, value=model)
    return model


def _check_messages(messages: object) -> None:
    if not isinstance(messages, list) or not messages:
        raise _invalid(InputFileError.MESSAGES_INVALID)
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise _invalid(InputFileError.ROLE_UNKNOWN, roles=ROLES, value=role)
    if messages[-1]["role"] != "user":
        raise _invalid(InputFileError.LAST_ROLE_NOT_USER, value=messages[-1]["role"])


def _parse(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise _invalid(InputFileError.LINE_EMPTY)
    try:
        raw.decode("utf-8")
        value = orjson.loads(raw)
    except UnicodeDecodeError as error:
        raise _invalid(InputFileError.NOT_UTF_8, position=error.start) from error
    except orjson.JSONDecodeError as error:
        raise _invalid(InputFileError.NOT_JSON, reason=error.msg, position=error.pos) from error
    if not isinstance(value, dict):
        raise _invalid(InputFileError.NOT_AN_OBJECT, type=type(value).__name__)
    return value
