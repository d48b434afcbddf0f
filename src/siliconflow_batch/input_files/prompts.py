"""
Prompts to request lines, and lines to a file.

Rule: what `chat_lines` makes of JSON values, `lines.check` passes.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ArgumentInvalid
from .validation import FIXED, Inspection

Messages = str | list[dict[str, Any]]
# Data for JSON, ends of lines for programs that split text with str.splitlines.
ENDS_OF_LINES = "\u0085\u2028\u2029"


def chat_lines(
    prompts: Iterable[Messages | tuple[str, Messages]],
    *,
    model: str | None = None,
    system: str | None = None,
    **parameters: Any,
) -> Iterator[dict[str, Any]]:
    """
    Yields a request line for each prompt: a string, a list of messages, or one of these in a tuple
    behind its custom_id. Without, the ids are `request-1`, `request-2`, …

    `system` goes before messages that do not begin with a system message of their own. A parameter
    that is None is left out.
    """
    if isinstance(prompts, str | bytes):
        raise ArgumentInvalid(f"prompts must be a list of prompts, not {type(prompts).__name__}")
    if taken := {"messages", "stream"} & parameters.keys():
        raise ArgumentInvalid(f"{min(taken)} is no parameter of a batch's lines")
    given = {k: v for k, v in {"model": model, **parameters}.items() if v is not None}
    return _chat_lines(prompts.items() if isinstance(prompts, Mapping) else prompts, system, given)


def write_lines(path: str | os.PathLike[str], lines: Iterable[Mapping[str, Any]]) -> int:
    """Returns how many lines were written; on any error the file is as it was, or not there."""
    target = Path(path).resolve()
    draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
    number = 0
    try:
        with draft.open("xb") as file:
            for number, line in enumerate(lines, 1):
                file.write(_encoded(number, line))
            if not number:
                raise ArgumentInvalid("there are no lines to write")
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return number


def _chat_lines(
    prompts: Iterable[Messages | tuple[str, Messages]],
    system: str | None,
    parameters: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    inspection = Inspection("prompts", None)
    for prompt in prompts:
        inspection.lines = number = inspection.lines + 1
        custom_id, said = f"request-{number}", prompt
        if isinstance(prompt, tuple) and len(prompt) == 2:
            custom_id, said = prompt
        body = {**parameters, "messages": _messages(said, system)}
        line = {"custom_id": custom_id, **FIXED, "body": body}
        for place, reason in inspection.judge(line):
            raise ArgumentInvalid(f"prompt {number}: {place}: {reason}")
        yield line
    if not inspection.lines:
        raise ArgumentInvalid("there are no prompts")


def _messages(said: object, system: str | None) -> object:
    """What stands in a line for a prompt; what is no prompt is left for the judge to refuse."""
    messages = [{"role": "user", "content": said}] if said and isinstance(said, str) else said
    if not system or not isinstance(messages, list) or not messages:
        return messages
    has_own = isinstance(messages[0], dict) and messages[0].get("role") == "system"
    return messages if has_own else [{"role": "system", "content": system}, *messages]


def _encoded(number: int, line: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(dict(line), ensure_ascii=False, allow_nan=False)
        for end in ENDS_OF_LINES:
            text = text.replace(end, f"\\u{ord(end):04x}")
        return text.encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentInvalid(f"line {number} cannot be written as JSON: {error}") from error
