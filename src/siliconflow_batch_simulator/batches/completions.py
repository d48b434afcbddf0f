"""
One line in, one result line out: the same answer for the same line, always.

Rule: no clock and no randomness; what varies comes in as an argument.
"""

import hashlib
from typing import Any

from ..refusals import BAD_REQUEST_CODE

# What the documents and every chat-completions server limit; outside, a line fails with 400.
# thinking_budget is the batch guide's, the others are common to OpenAI-style services.
PARAMETER_LIMITS = {
    "max_tokens": (1, 1_000_000),
    "temperature": (0, 2),
    "thinking_budget": (128, 32_768),
    "top_p": (0, 1),
}
EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}


def line_id(batch_id: str, number: int) -> str:
    return "batch_req_" + hashlib.blake2s(f"{batch_id}/{number}".encode()).hexdigest()[:16]


def answer(request: dict[str, Any], model: str | None, id: str, at: int) -> dict[str, Any]:
    """
    The result line of a request line; `model`, where it is not None, replaces the line's own.

    A line fails when a parameter is outside its limits, or when its body asks for it with
    `"simulate": {"status_code": 503, "message": "…"}`.
    """
    body = request["body"]
    if refusal := _refusal(body):
        return failed(request, id, *refusal)
    return record(request, id, 200, completion(body, model or body["model"], id, at))


def record(request: dict[str, Any], id: str, status_code: int, body: Any) -> dict[str, Any]:
    """A result line with what answered the request, well or not."""
    return {
        "id": id,
        "custom_id": request["custom_id"],
        "response": {"status_code": status_code, "request_id": id, "body": body},
        "error": None,
    }


def failed(request: dict[str, Any], id: str, status_code: int, message: str) -> dict[str, Any]:
    """The result line of a request that was refused."""
    body = {"code": BAD_REQUEST_CODE, "message": message, "data": None}
    return record(request, id, status_code, body)


def succeeded(line: dict[str, Any]) -> bool:
    """Whether a result line belongs into the output file."""
    return line["response"] is not None and line["response"]["status_code"] == 200


def expired(request: dict[str, Any], id: str) -> dict[str, Any]:
    """The error line of a request that was not executed in time, as the batch guide shows it."""
    return {"id": id, "custom_id": request["custom_id"], "response": None, "error": EXPIRED}


def completion(body: dict[str, Any], model: str, id: str, at: int) -> dict[str, Any]:
    """A chat completion that says back what the last message asked."""
    asked = [_text(message.get("content")) for message in body["messages"]]
    said = f"Simulated answer to: {asked[-1]}"
    prompt_tokens = sum(len(text.split()) for text in asked)
    completion_tokens = len(said.split())
    return {
        "id": "chatcmpl-" + id.removeprefix("batch_req_"),
        "object": "chat.completion",
        "created": at,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": said},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def _refusal(body: dict[str, Any]) -> tuple[int, str] | None:
    wish = body.get("simulate")
    if isinstance(wish, dict) and wish.get("status_code") in range(400, 600):
        return wish["status_code"], str(wish.get("message", "The line asked to fail."))
    for name, (low, high) in PARAMETER_LIMITS.items():
        value = body.get(name)
        if isinstance(value, int | float) and not low <= value <= high:
            return 400, f"{name} must lie between {low} and {high}, not {value!r}."
    return None


def _text(content: object) -> str:
    """The words of a message: its string, or the text parts of a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
