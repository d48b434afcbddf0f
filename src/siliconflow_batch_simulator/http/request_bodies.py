"""
Request bodies: JSON and multipart forms, within their limits.

Rule: a body that cannot be read is refused with 400; no more of it is read than allowed.
"""

import re
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ..service.refusals import bad_request

MAX_JSON = 1_000_000
MAX_UPLOAD = 1_000_000_000
EXTENDED_NAME = re.compile(
    r""";\s*filename\*\s*=\s*"?(?P<charset>[\w-]+)'[\w-]*'(?P<name>[^\s;"]+)""", re.IGNORECASE
)
MULTIPART_OVERHEAD = 10_000  # boundaries, part headers and the other fields around the file


class _FormParser(MultiPartParser):
    """
    Reads a part that has only `filename*` as a file with that name.

    RFC 7578 forbids `filename*` in forms, and Starlette ignores it; some clients send it.
    """

    def on_headers_finished(self) -> None:
        part = self._current_part
        disposition = part.content_disposition or b""
        name = _extended_file_name(disposition)
        if name is not None:
            part.content_disposition = disposition + b'; filename="x"'
        super().on_headers_finished()
        if name is not None and part.file is not None:
            part.file.filename = name


def _extended_file_name(disposition: bytes) -> str | None:
    """The name in `filename*` (RFC 5987) if there is no `filename`; None if it is malformed."""
    if b"filename" in parse_options_header(disposition)[1]:
        return None
    match = EXTENDED_NAME.search(disposition.decode("latin-1"))
    if match is None:
        return None
    try:
        return unquote_to_bytes(match["name"]).decode(match["charset"])
    except (UnicodeDecodeError, LookupError):
        return None


async def read_json(request: Request) -> Any:
    if _media_type(request) != "application/json":
        raise bad_request("The Content-Type must be application/json.")
    try:
        return orjson.loads(b"".join([chunk async for chunk in _limited(request, MAX_JSON)]))
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is not JSON: {error}.") from error


async def read_form(request: Request) -> FormData:
    """The caller closes the form."""
    if _media_type(request) != "multipart/form-data":
        raise bad_request("The body must be multipart/form-data with the fields purpose and file.")
    stream = _limited(request, MAX_UPLOAD + MULTIPART_OVERHEAD)
    try:
        return await _FormParser(request.headers, stream, max_files=1, max_fields=100).parse()
    except MultiPartException as error:
        raise bad_request(f"The multipart body is invalid: {error.message}") from error


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise bad_request(f"The body is larger than {limit} bytes.")
        yield chunk


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
