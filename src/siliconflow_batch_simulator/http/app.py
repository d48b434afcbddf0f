"""
The service over HTTP: an ASGI application.

Rule 1: every operation is a row of OPERATIONS; the key is checked before anything else is read.
Rule 2: what was refused inside becomes a response here and nowhere else.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route, compile_path
from starlette.types import Lifespan, Scope

from ..refusals import NOT_FOUND, Refused, bad_request
from ..service import Service

DEFAULT_LIMIT = 20
MAX_JSON = 1_000_000
MAX_UPLOAD = 1_000_000_000
MULTIPART_SLACK = 10_000  # boundaries, part headers and `purpose` around the file's own bytes

Handler = Callable[[Service, str, Request], Awaitable[Response]]


def json_response(body: Any, status: int = 200, headers: Any = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


async def create_batch(service: Service, account: str, request: Request) -> Response:
    batch = service.create(account, await read_json(request))
    return json_response(service.view(batch, _link(request)))


async def list_batches(service: Service, account: str, request: Request) -> Response:
    after = request.query_params.get("after")
    page, has_more = service.list_batches(account, _limit(request), after)
    link = _link(request)
    return json_response(
        {
            "object": "list",
            "data": [{**service.view(batch, link), "file_name": batch.file_name} for batch in page],
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
            "has_more": has_more,
        }
    )


async def retrieve_batch(service: Service, account: str, request: Request) -> Response:
    batch = service.retrieve(account, request.path_params["batch_id"])
    return json_response(service.view(batch, _link(request)))


async def cancel_batch(service: Service, account: str, request: Request) -> Response:
    batch = service.cancel(account, request.path_params["batch_id"])
    return json_response(service.view(batch, _link(request)))


async def upload_file(service: Service, account: str, request: Request) -> Response:
    with service.uploading():
        return await _store(service, account, request)


async def _store(service: Service, account: str, request: Request) -> Response:
    form = await _form(request)
    try:
        file = form.get("file")
        if form.get("purpose") != "batch":
            raise bad_request(f"purpose must be 'batch', not {form.get('purpose')!r}.")
        if not isinstance(file, UploadFile):
            raise bad_request("file must be a part with a file name.")
        if (file.size or 0) > MAX_UPLOAD:
            raise bad_request(f"The file is larger than {MAX_UPLOAD} bytes.")
        name, now = file.filename or "", service.clock.now()
        kept = await run_in_threadpool(service.storage.keep_input, account, name, file.file, now)
        return json_response(service.upload(kept))
    finally:
        await form.close()


async def list_files(service: Service, account: str, request: Request) -> Response:
    purpose = request.query_params.get("purpose", "batch")
    if purpose != "batch":
        raise bad_request(f"purpose must be 'batch', not {purpose!r}.")
    return json_response(service.list_files(account, _limit(request)))


async def download_file(service: Service, account: str, request: Request) -> Response:
    file = service.content(account, request.path_params["file_id"])
    return _bytes(file.path)


OPERATIONS: dict[str, dict[str, Handler]] = {
    "/v1/batches": {"GET": list_batches, "POST": create_batch},
    "/v1/batches/{batch_id}": {"GET": retrieve_batch},
    "/v1/batches/{batch_id}/cancel": {"POST": cancel_batch},
    "/v1/files": {"GET": list_files, "POST": upload_file},
    "/v1/files/{file_id}/content": {"GET": download_file},
}


RESULTS = "/results/{token}"
LABELS = {
    f"{method} {path.removeprefix('/v1')}": (method, compile_path(path)[0])
    for path, methods in [*OPERATIONS.items(), (RESULTS, ["GET"])]
    for method in methods
}


def label(scope: Scope) -> str | None:
    """The operation of a request, as in `POST /batches`; None where there is none."""
    asked = "GET" if scope["method"] == "HEAD" else scope["method"]
    for name, (method, path) in LABELS.items():
        if method == asked and path.match(scope["path"]):
            return name
    return None


def build_app(
    service: Service, more: Sequence[BaseRoute] = (), lifespan: Lifespan[Starlette] | None = None
) -> Starlette:
    """The application for one service; result files are at `/results/{token}`, without a key."""

    def endpoint(handlers: dict[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            account = service.authenticate(request.headers.get("authorization"))
            method = "GET" if request.method == "HEAD" else request.method
            return await handlers[method](service, account, request)

        return respond

    async def result(request: Request) -> Response:
        return _bytes(service.result(request.path_params["token"]).path)

    routes = [
        Route(path, endpoint(handlers), methods=list(handlers))
        for path, handlers in OPERATIONS.items()
    ]
    app = Starlette(
        routes=[*routes, Route(RESULTS, result), *more],
        lifespan=lifespan,
        exception_handlers={
            Refused: _refused,
            HTTPException: _unrouted,
            ClientDisconnect: _gone,
            Exception: _broken,
        },
    )
    app.router.redirect_slashes = False
    return app


def refuse(refused: Refused) -> Response:
    return json_response(refused.body, refused.status)


async def _refused(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)  # noqa: S101 - Starlette's handlers take any exception
    return refuse(refused)


async def _unrouted(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    body = NOT_FOUND[1] if error.status_code == NOT_FOUND[0] else error.detail
    return json_response(body, error.status_code, error.headers)


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _broken(_: Request, error: Exception) -> Response:
    return json_response(f"The simulator is broken: {type(error).__name__}.", 500)


async def read_json(request: Request) -> Any:
    if _media_type(request) != "application/json":
        raise bad_request("The body must be sent as application/json.")
    try:
        return orjson.loads(b"".join([chunk async for chunk in _limited(request, MAX_JSON)]))
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is not JSON: {error}.") from error


async def _form(request: Request) -> FormData:
    if _media_type(request) != "multipart/form-data":
        raise bad_request("The body must be multipart/form-data with the fields purpose and file.")
    stream = _limited(request, MAX_UPLOAD + MULTIPART_SLACK)
    try:
        return await MultiPartParser(request.headers, stream, max_files=1, max_fields=100).parse()
    except MultiPartException as error:
        raise bad_request(f"The multipart body cannot be read: {error.message}") from error


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise bad_request(f"The body is larger than {limit} bytes.")
        yield chunk


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _limit(request: Request) -> int:
    given = request.query_params.get("limit")
    if given is None:
        return DEFAULT_LIMIT
    if not (given.isascii() and given.isdigit()) or not given.strip("0"):
        raise bad_request(f"limit must be a whole number of at least 1, not {given!r}.")
    return int(given[-18:]) if len(given.lstrip("0")) <= 18 else 10**18


def _link(request: Request) -> Callable[[str], str]:
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return lambda token: f"{origin}/results/{token}"


def _bytes(path: Path) -> Response:
    return FileResponse(path, media_type="application/octet-stream")
