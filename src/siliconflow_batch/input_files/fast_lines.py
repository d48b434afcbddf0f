"""
A fast check of one input line. Most lines pass it, and need no other check.

Rule: a line that passes has no fault of its own. A line that does not pass may still be valid.
"""

from typing import Literal

import msgspec


class Message(msgspec.Struct):
    role: Literal["system", "user", "assistant"]
    content: str | list[msgspec.Raw]


class Body(msgspec.Struct):
    messages: list[Message]
    model: str | None = None
    # Declared so that a number out of range is detected; undeclared fields are not decoded.
    max_tokens: float | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    n: float | None = None
    thinking_budget: None = None
    stream: bool | None = None


class Request(msgspec.Struct):
    custom_id: str
    body: Body
    method: Literal["POST"] = "POST"
    url: Literal["/v1/chat/completions"] = "/v1/chat/completions"


_decode = msgspec.json.Decoder(Request).decode


def read(raw: bytes) -> Request | None:
    """The request of a line, or None if the line needs the full check."""
    try:
        request = _decode(raw)
        if not raw.isascii():
            raw.decode()  # msgspec does not check strings that it skips
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    messages = request.body.messages
    keys_once = raw.count(b'"custom_id"') == raw.count(b'"body"') == 1
    has_content = all(message.content or message.content == "" for message in messages)
    ends_with_user = bool(messages) and messages[-1].role == "user"
    is_sound = keys_once and has_content and ends_with_user and request.custom_id
    return request if is_sound else None
