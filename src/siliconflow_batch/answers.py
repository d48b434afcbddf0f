"""
From a raw answer to a model, or to the exception that says what the server said.

Rule 1: whatever the server sends ends in a model whose fields have their declared types, or in an
`APIError` with the server's words.
Rule 2: what is declared is read off the generated models and stands nowhere else.
"""

import builtins
import math
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import httpx
from attrs import fields, has

from siliconflow_batch_api import models, types

from .errors import (
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
YEAR_10000 = 253_402_300_800  # Unix seconds; what lies beyond is no time but another unit

_HINTS: dict[Any, list[tuple[str, Any]]] = {}
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


def parsed(parse: Callable[[], Any], model: type[Any]) -> Any:
    """What a generated function parsed; raises `APIError` where that is no `model`."""
    latest.set(None)
    try:
        found = parse()
    except UNREADABLE as error:
        raise unreadable(error) from error
    return judged(found, model)


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
    if not isinstance(found, model) or not fits(found, model):
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


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has the type that a generated model declares for it, down to the leaves."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(fits(value, option) for option in get_args(hint))
    if origin is list:
        return isinstance(value, list) and all(fits(item, get_args(hint)[0]) for item in value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(hint, type) or not isinstance(value, hint):
        return hint is Any
    if isinstance(value, models.BatchMetadata):
        return all(isinstance(note, str) for note in value.additional_properties.values())
    return not has(hint) or _fields_fit(value, hint)


def _fields_fit(value: Any, model: type[Any]) -> bool:
    for name, hint in _hints(model):
        found = getattr(value, name)
        if not fits(found, hint):
            return False
        if name.endswith("_at") and isinstance(found, int) and not 0 <= found < YEAR_10000:
            return False
    return True


def _hints(model: Any) -> list[tuple[str, Any]]:
    if model not in _HINTS:
        names = {**vars(models), **vars(types), **vars(builtins), "Any": Any}
        hints = get_type_hints(model, globalns=names)
        _HINTS[model] = [(entry.name, hints[entry.name]) for entry in fields(model) if entry.init]
    return _HINTS[model]
