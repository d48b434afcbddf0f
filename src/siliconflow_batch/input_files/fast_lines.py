"""
A quick look at a line of input: most have no fault, and need no more.

Rule: a line that passes has no fault of its own. One that does not pass may have none either.
"""

from typing import Literal

import msgspec


class Message(msgspec.Struct):
    role: Literal["system", "user", "assistant"]


class Body(msgspec.Struct):
    messages: list[Message]
    model: str | None = None
    # Named so that a number out of range is seen; what has no name here is not looked into.
    max_tokens: float | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    n: float | None = None
    thinking_budget: None = None
    stream: None = None


class Request(msgspec.Struct):
    custom_id: str
    body: Body
    method: Literal["POST"] = "POST"
    url: Literal["/v1/chat/completions"] = "/v1/chat/completions"


_decode = msgspec.json.Decoder(Request).decode


def read(raw: bytes) -> Request | None:
    """What a line asks for, or None where it is worth a second look."""
    try:
        request = _decode(raw)
        if not raw.isascii():
            raw.decode()  # strings that were skipped could be anything
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    messages = request.body.messages
    once = raw.count(b'"custom_id"') == raw.count(b'"body"') == 1
    asked = bool(messages) and messages[-1].role == "user"
    return request if once and asked and request.custom_id else None
