"""
From an HTTP response to an object, or to the exception that describes the response.

Rule: every response becomes an object that has what its caller cannot do without, or an `APIError`
with the message of the service. Other fields may be odd; `objects` reads them leniently.
"""

import contextlib
import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec
from attrs import define

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
from ..objects import Batch, File
from ..parameters import ID
from ..steps import Reply

ERRORS: dict[int, type[APIError]] = {
    400: BadRequest,
    401: KeyRefused,
    403: AccessDenied,
    404: NotFound,
    429: RateLimited,
}
# The first one is documented, although for another operation; the others are common names.
REQUEST_IDS = ("x-siliconcloud-trace-id", "x-request-id", "x-trace-id")
XML_ERROR = re.compile(r"<(Code|Message)>([^<]{1,500})</\1>")  # of object stores
MOST_LEVELS = 100  # of nesting; Python can write no JSON of some hundred levels
_decode = msgspec.json.Decoder().decode


def read(response: httpx.Response) -> Reply:
    """The JSON of a response whose body was read; raises an `APIError` if there is none."""
    raise_for_status(response)
    try:
        body = _json(response)
    except (ValueError, RecursionError) as error:
        raise unreadable(response, f"{error!r} in {text(response)}") from error
    if _is_failure(body):
        code, message = error_message(response)
        raise api_error(EnvelopedFailure, response, message, code)
    return Reply(body, response)


def raise_for_status(response: httpx.Response) -> None:
    """Raises the `APIError` of any status but 2xx; the body must have been read."""
    if not response.is_success:
        raise refusal(response)


def refusal(response: httpx.Response) -> APIError:
    """The `APIError` of a response that is not what was asked for."""
    status = response.status_code
    if response.is_success:
        return unreadable(response, f"unexpected status {status}")
    code, message = error_message(response)
    error = ERRORS.get(status, ServiceUnavailable if status >= 500 else APIError)
    return api_error(error, response, message or response.reason_phrase, code)


def read_batch(reply: Reply) -> Batch:
    """The batch of a response; raises `UnreadableAnswer` unless it has an id and a status."""
    made = read_named_batch(reply)
    if made is None:
        raise unreadable(reply.response, f"the batch has no id: {text(reply.response)}")
    if not isinstance(made.raw.get("status"), str) or not made.raw["status"]:
        raise unreadable(reply.response, f"the batch has no status: {text(reply.response)}")
    return made


def read_named_batch(reply: Reply) -> Batch | None:
    """The batch of a response, if it has an id."""
    return Batch(reply.body, reply.response) if _has_id(reply.body) else None


def read_upload(reply: Reply) -> File:
    """The file of an upload, from its envelope or without one; raises `UnreadableAnswer`."""
    body = reply.body
    file = body.get("data", body) if isinstance(body, dict) else body
    if not _has_id(file):
        raise unreadable(reply.response, f"the file has no id: {text(reply.response)}")
    return File(file, reply.response)


def read_files(reply: Reply) -> tuple[list[File], int]:
    """The files of a list, and the number of items without an id; raises `UnreadableAnswer`."""
    body = reply.body
    if isinstance(body, dict) and isinstance(body.get("data"), dict):
        body = body["data"]  # an envelope
    data = body if isinstance(body, list) else _items(body)
    if data is None:
        raise unreadable(reply.response, f"the list of files has no `data`: {text(reply.response)}")
    files = [File(file, reply.response) for file in data if _has_id(file)]
    return files, len(data) - len(files)


@define(frozen=True)
class Page:
    """
    A page of the list of batches. `left_out` counts the items that have no id.
    """

    batches: list[Batch]
    has_more: bool | None
    last_id: str | None
    left_out: int


def read_page(reply: Reply) -> Page:
    """A page of batches; raises `UnreadableAnswer` unless it has a list of them."""
    body, data = reply.body, _items(reply.body)
    # An empty page can be evidence that a batch does not exist, so null needs `has_more`.
    if data is None or (body["data"] is None and body.get("has_more") is not False):
        raise unreadable(reply.response, f"the list has no `data`: {text(reply.response)}")
    has_more, last_id = body.get("has_more"), body.get("last_id")
    batches = [Batch(item, reply.response) for item in data if _has_id(item)]
    return Page(
        batches,
        has_more if isinstance(has_more, bool) else None,
        last_id if isinstance(last_id, str) and ID.fullmatch(last_id) else None,
        len(data) - len(batches),
    )


def _items(body: Any) -> list[Any] | None:
    """The items of a list, which some services write as null if there are none."""
    data = body.get("data", False) if isinstance(body, dict) else False
    return [] if data is None else data if isinstance(data, list) else None


def _has_id(item: Any) -> bool:
    id = item.get("id") if isinstance(item, dict) else None
    return isinstance(id, str) and ID.fullmatch(id) is not None


def api_error(
    error: type[APIError], response: httpx.Response, message: str, code: int | str | None = None
) -> APIError:
    headers = response.headers
    return error(
        response.status_code,
        message,
        code=code,
        body=text(response),
        request_id=next((headers[name] for name in REQUEST_IDS if name in headers), None),
        retry_after=retry_after(headers.get("retry-after")),
        operation=f"{response.request.method} {response.request.url.path}",
    )


def error_message(response: httpx.Response) -> tuple[int | str | None, str]:
    """The code and the message of an error body, in any of its shapes."""
    try:
        body = _json(response)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, str):
        return None, body
    if isinstance(body, dict):
        inner = body["error"] if isinstance(body.get("error"), dict) else body
        code, message = inner.get("code"), inner.get("message")
        if not isinstance(message, str) or not message:
            message = text(response)
        is_code = isinstance(code, int | str) and not isinstance(code, bool) and code != ""
        return code if is_code else None, message
    if location := response.headers.get("location"):
        return None, f"moved to {location.partition('?')[0]}"
    named = dict(XML_ERROR.findall(text(response)))
    return named.get("Code"), named.get("Message") or text(response).strip()


def text(response: httpx.Response) -> str:
    """
    The body as text: UTF-8 if it can be that, or else of the charset that the service names.

    JSON is UTF-8 whatever charset is named, and that may not exist.
    """
    if b"\0" not in response.content:
        with contextlib.suppress(UnicodeDecodeError):
            return response.content.decode()
    for charset in (response.charset_encoding, "utf-8"):
        try:
            return response.content.decode(charset or "utf-8", "replace")
        except (LookupError, ValueError):  # no encoding of text, or one that replaces nothing
            continue
    raise AssertionError  # UTF-8 replaces what it cannot decode


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
    """
    The body; msgspec needs half the time of `response.json()` for a long page.

    Numbers that Python or JSON cannot hold, such as NaN or one of 10,000 digits, stay text.
    """
    content = response.content
    try:
        body = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # or a BOM, or UTF-16
        body = json.loads(content, parse_int=_integer, parse_float=_finite, parse_constant=str)
    if content.count(b"[") + content.count(b"{") > MOST_LEVELS and _is_deep(body):
        raise ValueError(f"nested more than {MOST_LEVELS} levels deep")
    return body


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def _finite(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _is_deep(body: Any) -> bool:
    level = [body]
    for _ in range(MOST_LEVELS):
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def _is_failure(body: Any) -> bool:
    """Whether a body without an id reports a failure under status 200."""
    if not isinstance(body, dict) or "id" in body:
        return False
    is_error = "message" in body or "error" in body
    is_list = body.get("object") == "list" and not is_error
    is_envelope = body.get("status") is False or (body.get("data", body) is None and not is_list)
    return is_envelope or ("data" not in body and is_error)


def unreadable(response: httpx.Response, reason: str) -> APIError:
    return api_error(UnreadableAnswer, response, reason)
