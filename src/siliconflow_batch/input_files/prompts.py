"""
From prompts to request lines.

Rule: `validation.check` finds no fault in a file of lines that `chat_lines` made.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import ArgumentInvalid
from .lines import plain
from .validation import FIXED, Inspection

Messages = str | list[dict[str, Any]]
MISSING = ("NAType", "NaTType")  # what pandas has in the place of a missing value


def chat_lines(
    prompts: Iterable[Messages | tuple[str, Messages]],
    *,
    model: str | None = None,
    system: str | None = None,
    **parameters: Any,
) -> Iterator[dict[str, Any]]:
    """
    Yields a request line for each prompt.

    A prompt is a string or a list of messages, or a tuple of a custom_id and one of these; a
    mapping of custom_ids to prompts works as well. Prompts without a custom_id get `request-1`,
    `request-2`, and so on.

    `system` is added to messages that do not begin with a system message. `parameters` go into the
    body of every line; one that is None is left out.

    Raises `ArgumentInvalid`.
    """
    if isinstance(prompts, str | bytes):
        raise ArgumentInvalid(f"`prompts` must be a list of prompts, not {type(prompts).__name__}.")
    columns = getattr(prompts, "columns", None)
    if columns is not None and not isinstance(prompts, Mapping):
        raise ArgumentInvalid(
            f"`prompts` is a table with the columns {', '.join(map(repr, columns))}; pass one of "
            f"them, such as table[{next(iter(columns), 'prompt')!r}]."
        )
    if "messages" in parameters:
        raise ArgumentInvalid("Remove the parameter `messages`: they come from the prompts.")
    body = {k: plain(v) for k, v in {"model": model, **parameters}.items() if v is not None}
    return _chat_lines(prompts.items() if isinstance(prompts, Mapping) else prompts, system, body)


def _chat_lines(
    prompts: Iterable[Messages | tuple[str, Messages]],
    system: str | None,
    parameters: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    inspection = Inspection("prompts", None)
    for prompt in prompts:
        inspection.lines = number = inspection.lines + 1
        custom_id, content = f"request-{number}", prompt
        if isinstance(prompt, tuple) and len(prompt) == 2:
            custom_id, content = prompt
        if _is_missing(content):
            raise ArgumentInvalid(
                f"prompt {number} is missing ({content!r}): drop it or fill it in."
            )
        body = {**parameters, "messages": _messages(content, system)}
        line = {"custom_id": custom_id, **FIXED, "body": body}
        for field, reason in inspection.check_request(line):
            raise ArgumentInvalid(f"prompt {number}: {field}: {reason}")
        yield line
    if not inspection.lines:
        raise ArgumentInvalid("`prompts` is empty; pass at least one prompt.")


def _is_missing(content: object) -> bool:
    is_nan = isinstance(content, float) and content != content
    return content is None or is_nan or type(content).__name__ in MISSING


def _messages(content: object, system: str | None) -> object:
    """The messages of a prompt; what is not a prompt is returned unchanged, to be checked."""
    if isinstance(content, str) and content:
        messages: object = [{"role": "user", "content": content}]
    else:
        messages = content
    if not system or not isinstance(messages, list) or not messages:
        return messages
    has_system = isinstance(messages[0], dict) and messages[0].get("role") == "system"
    return messages if has_system else [{"role": "system", "content": system}, *messages]
