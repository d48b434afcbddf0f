"""
Result lines: the same request line always gets the same result.

Rule: no clock and no randomness; whatever varies is an argument.
"""

import hashlib
from typing import Any

# The batch guide limits thinking_budget; chat-completions servers commonly limit the others.
# A line with a value outside these limits fails with 400.
PARAMETER_LIMITS = {
    "max_tokens": (1, 1_000_000),
    "temperature": (0, 2),
    "thinking_budget": (128, 32_768),
    "top_p": (0, 1),
}
ERROR_CODE = 20012  # in the body of every failed line, as in the documented 400
EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}


def line_id(batch_id: str, number: int) -> str:
    return "batch_req_" + hashlib.blake2s(f"{batch_id}/{number}".encode()).hexdigest()[:16]


def result(request: dict[str, Any], model: str | None, id: str, at: int) -> dict[str, Any]:
    """
    The result line of a request line; `model`, unless it is None, overrides the line's own.

    A line fails if a message has no content, if a parameter is no number or outside its limits, or
    if its body contains
    `"simulate": {"status_code": 503, "message": "…"}`.
    """
    body = request["body"]
    if error := _error(body):
        return failed(request, id, *error)
    return record(request, id, 200, completion(body, model or body["model"], id, at))


def record(request: dict[str, Any], id: str, status_code: int, body: Any) -> dict[str, Any]:
    """A result line that contains a response, successful or not."""
    return {
        "id": id,
        "custom_id": request["custom_id"],
        "response": {"status_code": status_code, "request_id": id, "body": body},
        "error": None,
    }


def failed(request: dict[str, Any], id: str, status_code: int, message: str) -> dict[str, Any]:
    """A result line whose response is an error body."""
    body = {"code": ERROR_CODE, "message": message, "data": None}
    return record(request, id, status_code, body)


def succeeded(line: dict[str, Any]) -> bool:
    """Whether a result line belongs in the output file."""
    return line["response"] is not None and line["response"]["status_code"] == 200


def expired(request: dict[str, Any], id: str) -> dict[str, Any]:
    """The error line of a request that was not executed in time, as the batch guide shows it."""
    return {"id": id, "custom_id": request["custom_id"], "response": None, "error": EXPIRED}


def completion(body: dict[str, Any], model: str, id: str, at: int) -> dict[str, Any]:
    """A chat completion that repeats the last message."""
    prompts = [_text(message.get("content")) for message in body["messages"]]
    content = f"Simulated answer to: {prompts[-1]}"
    prompt_tokens = sum(len(prompt.split()) for prompt in prompts)
    completion_tokens = len(content.split())
    return {
        "id": "chatcmpl-" + id.removeprefix("batch_req_"),
        "object": "chat.completion",
        "created": at,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def _error(body: dict[str, Any]) -> tuple[int, str] | None:
    requested = body.get("simulate")
    if isinstance(requested, dict) and requested.get("status_code") in range(400, 600):
        message = requested.get("message", "The line requested an error.")
        return requested["status_code"], str(message)
    for message in body["messages"]:
        content, role = message.get("content"), message["role"]
        if not isinstance(content, str | list) and not (content is None and role == "assistant"):
            return 400, f"the content of a message must be a text or a list, not {content!r}."
    for name, (low, high) in PARAMETER_LIMITS.items():
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            return 400, f"{name} must be a number, not {value!r}."
        if isinstance(value, int | float) and not low <= value <= high:
            return 400, f"{name} must be between {low} and {high}, not {value!r}."
    return None


def _text(content: object) -> str:
    """The text of a message: the string itself, or the text parts of a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
