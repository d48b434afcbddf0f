"""
The service over HTTP: an ASGI application.

Rule 1: every operation is a row of OPERATIONS; the key is checked before anything else is read.
Rule 2: a refusal becomes a response here and nowhere else.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
from attrs import define
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route, compile_path
from starlette.types import Lifespan, Receive, Scope, Send

from ..hooks import Hook
from ..service.refusals import NOT_FOUND, Reason, Refused, bad_request
from ..service.service import Service
from .request_bodies import MAX_UPLOAD, read_form, read_json

DEFAULT_LIMIT, FILES_LIMIT = 20, 10  # the documents state the second

Handler = Callable[[Service, str, Request], Awaitable[Response]]


def json_response(body: Any, status: int = 200, headers: Any = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


async def create_batch(service: Service, account: str, request: Request) -> Response:
    batch = service.create(account, await read_json(request))
    return json_response(service.view(batch, _link(request)))


async def list_batches(service: Service, account: str, request: Request) -> Response:
    after = request.query_params.get("after")
    page, has_more = service.list_batches(account, _limit(request, DEFAULT_LIMIT), after)
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
    form = await read_form(request)
    try:
        file = form.get("file")
        if form.get("purpose") != "batch":
            raise _purpose_refused(form.get("purpose"))
        if not isinstance(file, UploadFile):
            raise bad_request("file must be a part with a file name.")
        if (file.size or 0) > MAX_UPLOAD:
            raise bad_request(f"The file is larger than {MAX_UPLOAD} bytes.", Reason.FILE_SIZE)
        name, now = file.filename or "", service.clock.now()
        kept = await run_in_threadpool(service.storage.keep_input, account, name, file.file, now)
        return json_response(service.upload(kept))
    finally:
        await form.close()


async def list_files(service: Service, account: str, request: Request) -> Response:
    purpose = request.query_params.get("purpose", "batch")
    if purpose != "batch":
        raise _purpose_refused(purpose)
    return json_response(service.list_files(account, _limit(request, FILES_LIMIT)))


async def download_file(service: Service, account: str, request: Request) -> Response:
    file = service.content(account, request.path_params["file_id"])
    return _download(file.path)


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
    """The operation of a request, such as `POST /batches`; None for an unknown one."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    for name, (allowed, path) in LABELS.items():
        if allowed == method and path.match(scope["path"]):
            return name
    return None


@define(eq=False)
class Application:
    """The ASGI application of one service."""

    service: Service
    _routes: Starlette

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, with the replacements that are active."""
        await self.respond(scope, receive, send)

    @Hook
    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes(scope, receive, send)


def build_app(
    service: Service, more: Sequence[BaseRoute] = (), lifespan: Lifespan[Starlette] | None = None
) -> Application:
    """The application; result files are at `/results/{token}` and need no key."""

    def endpoint(handlers: dict[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            account = service.authenticate(request.headers.get("authorization"))
            method = "GET" if request.method == "HEAD" else request.method
            return await handlers[method](service, account, request)

        return respond

    async def result(request: Request) -> Response:
        return _download(service.result(request.path_params["token"]).path)

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101 - the type of Starlette's handlers is wider
        return json_response(service.refusal_body(error), error.status)

    routes = [
        Route(path, endpoint(handlers), methods=list(handlers))
        for path, handlers in OPERATIONS.items()
    ]
    app = Starlette(
        routes=[*routes, Route(RESULTS, result), *more],
        lifespan=lifespan,
        exception_handlers={
            Refused: refused,
            HTTPException: _not_routed,
            ClientDisconnect: _disconnected,
            Exception: _internal_error,
        },
    )
    app.router.redirect_slashes = False
    return Application(service, app)


def refusal_response(refused: Refused) -> Response:
    return json_response(refused.body, refused.status)


async def _not_routed(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    body = NOT_FOUND[1] if error.status_code == NOT_FOUND[0] else error.detail
    return json_response(body, error.status_code, error.headers)


async def _disconnected(_: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody receives it


async def _internal_error(_: Request, error: Exception) -> Response:
    return json_response(f"Internal error of the simulator: {type(error).__name__}.", 500)


def _purpose_refused(purpose: object) -> Refused:
    return bad_request(f"purpose must be 'batch', not {purpose!r}.", Reason.PURPOSE)


def _limit(request: Request, default: int) -> int:
    text = request.query_params.get("limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        message = f"limit must be a whole number of at least 1, not {text!r}."
        raise bad_request(message, Reason.LIMIT)
    return int(text[-18:]) if len(text.lstrip("0")) <= 18 else 10**18


def _link(request: Request) -> Callable[[str], str]:
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return lambda token: f"{origin}/results/{token}"


def _download(path: Path) -> Response:
    return FileResponse(path, media_type="application/octet-stream")
