"""
From an HTTP response to a model, or to the exception that describes the response.

Rule: every response becomes a model whose fields have their declared types, or an `APIError` with
the message of the service.
"""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

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
from ..steps import Reply
from .typecheck import fits

ERRORS: dict[int, type[APIError]] = {
    400: BadRequest,
    401: KeyRefused,
    403: AccessDenied,
    404: NotFound,
    429: RateLimited,
}
# The first one is documented, although for another operation; the others are common names.
REQUEST_IDS = ("x-siliconcloud-trace-id", "x-request-id", "x-trace-id")
# What parsing raises: of the JSON, or in the generated `from_dict`, which trusts its argument.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)

_decode = msgspec.json.Decoder().decode


def read(response: httpx.Response, model: type[Any]) -> Reply:
    """The model in a response whose body was read; raises an `APIError` if there is none."""
    raise_for_status(response)
    try:
        parsed = model.from_dict(_json(response))
    except UNREADABLE as error:
        raise _unreadable(response, error) from error
    if _is_failure(parsed):
        code, message = error_message(response)
        raise api_error(EnvelopedFailure, response, message, code)
    if not fits(parsed, model):
        reason = f"the response is not a valid {model.__name__}: {response.text}"
        raise api_error(UnreadableAnswer, response, reason)
    return Reply(parsed, response)


def raise_for_status(response: httpx.Response) -> None:
    """Raises the `APIError` of any status but 200; the body must have been read."""
    status = response.status_code
    if status != httpx.codes.OK:
        code, message = error_message(response)
        error = ERRORS.get(status, ServiceUnavailable if status >= 500 else APIError)
        raise api_error(error, response, message or response.reason_phrase, code)


def api_error(
    error: type[APIError], response: httpx.Response, message: str, code: int | None = None
) -> APIError:
    headers = response.headers
    return error(
        response.status_code,
        message,
        code=code,
        body=response.text,
        request_id=next((headers[name] for name in REQUEST_IDS if name in headers), None),
        retry_after=retry_after(headers.get("retry-after")),
        operation=f"{response.request.method} {response.request.url.path}",
    )


def error_message(response: httpx.Response) -> tuple[int | None, str]:
    """The code and the message of an error body, in any of its shapes."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, str):
        return None, body
    if isinstance(body, dict):
        inner = body["error"] if isinstance(body.get("error"), dict) else body
        code, message = inner.get("code"), inner.get("message")
        return code if isinstance(code, int) else None, str(message or response.text)
    return None, response.text.strip()


def retry_after(header: str | None) -> float | None:
    """Seconds, from a number or a date; None if the header is neither."""
    try:
        seconds = float(header or "nan")
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(str(header)) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _json(response: httpx.Response) -> Any:
    """The body; msgspec needs half the time of `response.json()` for a long page."""
    try:
        return _decode(response.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return response.json()  # not strict: NaN, a byte order mark, UTF-16


def _is_failure(parsed: Any) -> bool:
    """Whether an envelope reports a failure under status 200."""
    return getattr(parsed, "status", None) is False or (
        hasattr(parsed, "data") and parsed.data is None
    )


def _unreadable(response: httpx.Response, error: Exception) -> APIError:
    """The exception for a response whose parsing raised `error`."""
    code, message = error_message(response)
    if code is not None and '"id"' not in response.text:
        return api_error(EnvelopedFailure, response, message, code)
    return api_error(UnreadableAnswer, response, f"{error!r} in {response.text}", code)
