"""
From a raw answer to a model, or to the exception that says what the server said.

Rule: whatever the server sends ends in a model whose fields have their declared types, or in an
`APIError` with the server's words.
"""

import math
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ..errors import (
    AccessDenied,
    APIError,
    BadRequest,
    EnvelopedFailure,
    KeyRefused,
    NotFound,
    RateLimited,
    ServiceUnavailable,
    UnreadableAnswer,
)
from .typecheck import fits

KINDS: dict[int, type[APIError]] = {
    400: BadRequest,
    401: KeyRefused,
    403: AccessDenied,
    404: NotFound,
    429: RateLimited,
}
REQUEST_IDS = ("x-request-id", "x-siliconcloud-trace-id", "x-trace-id")
# What the generated code raises on a body that is not what it trusts it to be.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)

# The generated functions give away the parsed body alone where they fail; this is the answer that
# they failed on.
latest: ContextVar[httpx.Response | None] = ContextVar("latest", default=None)


def refuse(response: httpx.Response) -> None:
    """Raises the exception of an answer that is not 200; its body must have been read."""
    status = response.status_code
    if status != httpx.codes.OK:
        code, message = words(response)
        kind = KINDS.get(status, ServiceUnavailable if status >= 500 else APIError)
        raise make(kind, response, message or response.reason_phrase, code)


def judged(found: Any, model: type[Any]) -> Any:
    """`found`, when it is a sound `model`."""
    response = latest.get()
    if response is None:
        raise UnreadableAnswer(0, "there was no answer to read")
    envelope = getattr(found, "status", None) is False or (
        hasattr(found, "data") and found.data is None
    )
    if envelope:
        code, message = words(response)
        raise make(EnvelopedFailure, response, message, code)
    if not fits(found, model):
        raise make(UnreadableAnswer, response, f"this is no {model.__name__}: {response.text}")
    return found


def unreadable(error: Exception) -> APIError:
    """The exception for an answer on which the generated code failed with `error`."""
    response = latest.get()
    if response is None:
        return UnreadableAnswer(0, f"there was no answer to read: {error!r}")
    code, message = words(response)
    failed = code is not None and '"id"' not in response.text
    kind = EnvelopedFailure if failed else UnreadableAnswer
    return make(kind, response, message if failed else f"{error!r} in {response.text}", code)


def make(
    kind: type[APIError], response: httpx.Response, message: str, code: int | None = None
) -> APIError:
    headers = response.headers
    return kind(
        response.status_code,
        message,
        code=code,
        body=response.text,
        request_id=next((headers[name] for name in REQUEST_IDS if name in headers), None),
        retry_after=retry_after(headers.get("retry-after")),
        operation=f"{response.request.method} {response.request.url.path}",
    )


def words(response: httpx.Response) -> tuple[int | None, str]:
    """The code and the message of an error body, in any of its shapes."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, str):
        return None, body
    if isinstance(body, dict):
        inner = body["error"] if isinstance(body.get("error"), dict) else body
        code, message = inner.get("code"), inner.get("message")
        return code if isinstance(code, int) else None, str(message or response.text)
    return None, response.text.strip()


def retry_after(header: str | None) -> float | None:
    """Seconds, from a number or a date; None where it says neither."""
    try:
        seconds = float(header or "nan")
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(str(header)) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
