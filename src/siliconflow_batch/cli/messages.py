"""
What may be printed, and in which words.

Rule 1: what comes from the service or from files has no control characters left when it is printed
for people, and JSON has the same ones escaped: both are safe on a terminal.
Rule 2: an error keeps its own first words; its advice, where that speaks Python, gives way to a
command of ADVICE.
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
    WaitTimedOut,
)
from .exits import NotEnded, code

# Controls, line separators, marks that turn the direction of text, halves of surrogate pairs.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# The attributes of exceptions that are said in JSON.
FACTS = (
    *("status", "code", "operation", "request_id", "retry_after"),
    *(
        "token",
        "batch_id",
        "reasons",
        "seconds",
        "answered",
        "failed",
        "missing",
        "received",
        "filename",
    ),
)
KEYS = "Set SILICONFLOW_API_KEY; keys are made at https://cloud.siliconflow.cn/account/ak."
LOOK = "Look more than once, as lists can lag, and submit again only where this finds no batch:"
ADVICE: tuple[tuple[type[Exception], str, tuple[str, ...]], ...] = (
    (KeyMissing, KEYS, ()),
    (CreateOutcomeUnknown, LOOK, ("status", "--token", "{token}")),
    (WaitTimedOut, "It goes on; wait for it again:", ("wait", "{batch_id}")),
    (NotEnded, "It goes on; wait for it first:", ("results", "--wait", "{batch_id}")),
    (BatchNotCompleted, "What was answered until then:", ("results", "{batch_id}")),
)


def safe(text: str) -> str:
    """One line that does nothing to a terminal."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def to_json(value: Any, ascii_only: bool = False) -> str:
    """One line of JSON, with every character escaped that `safe` would escape."""
    text = json.dumps(value, ensure_ascii=ascii_only, default=str)
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def parts(error: Exception) -> tuple[str, str, tuple[str, ...]]:
    """The situation, what to do about it, and the arguments of the command that does it."""
    said, _, advice = _said(error).partition("\n\n")
    for kind, instead, arguments in ADVICE:
        if isinstance(error, kind):
            return said, instead, tuple(part.format_map(vars(error)) for part in arguments)
    return said, advice, ()


def facts(error: Exception, about: str) -> dict[str, Any]:
    """An error for programs."""
    found = {name: getattr(error, name, None) for name in FACTS}
    said: dict[str, Any] = {"kind": type(error).__name__, "message": parts(error)[0]}
    said |= {"exit": code(error)} | ({"about": about} if about else {})
    if isinstance(error, InputFileInvalid):
        said["faults"] = [asdict(fault) for fault in error.faults]
    return said | {name: fact for name, fact in found.items() if fact is not None}


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
