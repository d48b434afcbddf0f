"""
The text of messages and errors.

Rule 1: control characters in text from the service or from files are escaped, also in JSON, so that
the output is safe on a terminal.
Rule 2: an error is printed with its own first paragraph. Advice that is about Python is replaced by
a command from ADVICE.
"""

import json
import re
from typing import Any

from attrs import asdict

from ..errors import (
    BatchNotCompleted,
    CreateOutcomeUnknown,
    InputFileInvalid,
    KeyMissing,
    ResultsIncomplete,
    WaitTimedOut,
)
from .exits import NotEnded, exit_status

# Control characters, line separators, marks of the text direction, lone surrogates.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# The attributes of exceptions that are printed as JSON.
FACTS = (
    *("status", "code", "operation", "request_id", "retry_after"),
    *("token", "input_file_id", "batch_id", "reasons", "ids", "seconds", "received", "filename"),
)
KEYS = "Set SILICONFLOW_API_KEY; create a key at https://cloud.siliconflow.cn/account/ak."
LOOK = (
    "Run the same command again in some minutes: it looks for the batch before anything is sent. "
    "If the account has no batch at all, add --new-account. To look only:"
)
ADVICE: tuple[tuple[type[Exception], str, tuple[str, ...]], ...] = (
    (KeyMissing, KEYS, ()),
    (CreateOutcomeUnknown, LOOK, ("status", "--token", "{token}")),
    (WaitTimedOut, "The batch continues. To wait for it again:", ("wait", "{batch_id}")),
    (
        NotEnded,
        "The batch continues. To wait for its results:",
        ("results", "--wait", "{batch_id}"),
    ),
    (
        ResultsIncomplete,
        "To get the lines without an answer, ready to be submitted again:",
        ("results", "{batch_id}", "--failed-input", "again.jsonl"),
    ),
    (BatchNotCompleted, "To get the results that it has:", ("results", "{batch_id}")),
)


def safe(text: str) -> str:
    """The text with control characters and line breaks escaped."""
    return UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def to_json(value: Any, ascii_only: bool = False) -> str:
    """
    One line of JSON, with the same characters escaped as by `safe`.

    JSON has no NaN and no infinite numbers; they become null.
    """
    try:
        text = json.dumps(value, ensure_ascii=ascii_only, default=str, allow_nan=False)
    except ValueError:
        odd = json.dumps(value, default=str)
        finite = json.loads(odd, parse_constant=lambda _: None)
        text = json.dumps(finite, ensure_ascii=ascii_only)
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def parts(error: Exception) -> tuple[str, str, tuple[str, ...]]:
    """The error's message, the advice, and the arguments of the command to run next."""
    message, _, advice = _text(error).partition("\n\n")
    for kind, instead, arguments in ADVICE:
        if isinstance(error, kind):
            steps = tuple(part.format_map(vars(error)) for part in arguments)
            file_id = getattr(error, "input_file_id", None)
            return message, instead, steps + (("--file", file_id) if file_id else ())
    return message, advice, ()


def facts(error: Exception, about: str) -> dict[str, Any]:
    """An error as a JSON object; `about` names the file or batch."""
    attributes = {name: getattr(error, name, None) for name in FACTS}
    result: dict[str, Any] = {"kind": type(error).__name__, "message": parts(error)[0]}
    result |= {"exit": exit_status(error)} | ({"about": about} if about else {})
    if isinstance(error, InputFileInvalid):
        result["faults"] = [asdict(fault) for fault in error.faults]
    if isinstance(error, ResultsIncomplete):
        result |= error.summary.facts()
    return result | {name: fact for name, fact in attributes.items() if fact is not None}


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
