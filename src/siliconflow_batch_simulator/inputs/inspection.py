"""
Input files: JSON Lines, one chat request a line.

Rule 1: lines end at the byte `\n` alone; other line separators are legal inside a JSON string.
Rule 2: a file is inspected once, when it arrives; a batch made from it reads the verdict.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field

MAX_LINES = 5_000
MAX_LINE = 4_000_000  # bytes; no document says
ROLES = ("system", "user", "assistant")


class LineInvalid(Exception):
    """A line of an input file that the service does not take."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number, self.reason = number, reason

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


@define
class Inspection:
    """What is known of an input file; `fault` is its first one, None when there is none."""

    lines: int = 0
    models: set[str | None] = field(factory=set)
    fault: str | None = None


def read_lines(path: Path, offset: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yields each line from `offset` on, without its end, and the offset behind it."""
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            offset += len(raw)
            yield raw.rstrip(b"\r\n"), offset


def inspect(path: Path) -> Inspection:
    """
    Counts the lines of a file and judges them until the first fault.

    Never holds more of the file than one line of `MAX_LINE` bytes, however long its lines are.
    """
    found = Inspection()
    seen: set[str] = set()
    begins = True
    with path.open("rb") as file:
        while piece := file.readline(MAX_LINE + 1):
            if begins:
                found.lines += 1
                if found.fault is None and found.lines <= MAX_LINES:
                    _inspect_line(found, piece, seen)
            begins = piece.endswith(b"\n")
    if found.lines == 0:
        found.fault = "the file has no lines"
    elif found.lines > MAX_LINES:
        found.fault = f"the file has {found.lines} lines; at most {MAX_LINES} are allowed"
    return found


def _inspect_line(found: Inspection, raw: bytes, seen: set[str]) -> None:
    try:
        if len(raw) > MAX_LINE:
            raise LineInvalid(found.lines, f"the line is longer than {MAX_LINE} bytes")
        found.models.add(_judge(found.lines, raw.rstrip(b"\r\n"), seen))
    except LineInvalid as invalid:
        found.fault = str(invalid)


def _judge(number: int, raw: bytes, seen: set[str]) -> str | None:
    """Returns the model that the line names, or raises `LineInvalid`."""
    request = _object(number, raw)
    custom_id = request.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        raise LineInvalid(number, f"custom_id must be a string of its own, not {custom_id!r}")
    if custom_id in seen:
        raise LineInvalid(number, f"custom_id {custom_id!r} stands in an earlier line")
    seen.add(custom_id)
    for name, only in (("method", "POST"), ("url", "/v1/chat/completions")):
        if request.get(name, only) != only:
            raise LineInvalid(number, f"{name} must be {only!r}, not {request[name]!r}")
    body = request.get("body")
    if not isinstance(body, dict):
        raise LineInvalid(number, "body must be an object")
    _judge_messages(number, body.get("messages"))
    model = body.get("model")
    if model is not None and (not isinstance(model, str) or not model):
        raise LineInvalid(number, f"body.model must be a model's name, not {model!r}")
    return model


def _judge_messages(number: int, messages: object) -> None:
    if not isinstance(messages, list) or not messages:
        raise LineInvalid(number, "body.messages must be a list of at least one message")
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise LineInvalid(number, f"a message's role must be one of {ROLES}, not {role!r}")
    if messages[-1]["role"] != "user":
        last = messages[-1]["role"]
        raise LineInvalid(number, f"the last message must come from 'user', not {last!r}")


def _object(number: int, raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise LineInvalid(number, "the line is empty")
    try:
        raw.decode("utf-8")
        value = orjson.loads(raw)
    except UnicodeDecodeError as error:
        raise LineInvalid(number, f"byte {error.start} is not UTF-8") from error
    except orjson.JSONDecodeError as error:
        raise LineInvalid(number, f"not JSON: {error.msg} at character {error.pos}") from error
    if not isinstance(value, dict):
        raise LineInvalid(number, f"a line must be a JSON object, not {type(value).__name__}")
    return value
