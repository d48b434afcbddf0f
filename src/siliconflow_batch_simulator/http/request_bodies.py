"""
Request bodies: JSON and multipart forms, within their limits.

Rule: a body that cannot be read is refused with 400; no more of it is read than allowed.
"""

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ..service.refusals import bad_request

MAX_JSON = 1_000_000
MAX_UPLOAD = 1_000_000_000
MULTIPART_OVERHEAD = 10_000  # boundaries, part headers and the other fields around the file


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
        return await MultiPartParser(request.headers, stream, max_files=1, max_fields=100).parse()
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
