"""
Variants of result files: how a batch names them, and how they are transferred.
"""

import gzip
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..hooks import replaces
from ..http.app import Application, json_response, label
from ..service.refusals import Refused
from ..service.service import Service
from ..switches.altering import (
    CONTENT,
    RESULT,
    Body,
    Link,
    Response,
    View,
    altering,
    altering_batch,
    altering_requests,
)
from ..switches.switchboard import Behaviour

DELAY = 2.0  # simulated seconds from the end of a batch to the names of its result files
URL_SECONDS = 3600  # simulated seconds for which a URL of `result-url-expires` works
STORE = "/store"  # before the path of a result file to which `result-redirect` leads


def _is_result_file(scope: Scope, service: Service) -> bool:
    """Whether a request is for a result file, by its URL or by its id."""
    operation = label(scope)
    if operation != CONTENT:
        return operation == RESULT
    file = service.storage.files.get(scope["path"].split("/")[-2])
    return file is not None and file.token is not None


def _result_ids(body: Body, batch: Batch) -> None:
    body.update(output_file_id=batch.output_file_id, error_file_id=batch.error_file_id)


def _empty_error_file(body: Body, batch: Batch) -> None:
    if batch.final and body["error_file_id"] is None:
        body["error_file_id"] = ""


@replaces(Service.view)
def _delayed(original: View, service: Service, batch: Batch, link: Link) -> Body:
    body = original(batch, link)
    completed = batch.stamps.get("completed")
    if completed is not None and service.clock.now() < completed + DELAY:
        body.update(output_file_id=None, error_file_id=None)
    return body


@replaces(Service.view)
def _with_expiring_urls(original: View, service: Service, batch: Batch, link: Link) -> Body:
    expires = int(service.clock.now()) + URL_SECONDS
    return original(batch, lambda token: f"{link(token)}?expires={expires}")


@replaces(Application.respond)
async def _refuse_expired_urls(
    original: ASGIApp, app: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    if label(scope) == RESULT:
        (expires, *_) = parse_qs(scope["query_string"].decode("latin-1")).get("expires", ["0"])
        if not expires.isdecimal() or app.service.clock.now() >= int(expires):
            return await json_response("Forbidden", 403)(scope, receive, send)
    return await original(scope, receive, send)


@replaces(Application.respond)
async def _redirected(
    original: ASGIApp, app: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    path = scope["path"]
    stored = {**scope, "path": path.removeprefix(STORE), "raw_path": None}
    if path.startswith(STORE) and _is_result_file(stored, app.service):
        return await original(stored, receive, send)
    if not _is_result_file(scope, app.service):
        return await original(scope, receive, send)
    query = scope["query_string"].decode("latin-1")
    if label(scope) == CONTENT:  # the target needs no key, like a result URL
        try:
            account = app.service.authenticate(Request(scope).headers.get("authorization"))
            file = app.service.content(account, path.split("/")[-2])
        except Refused:
            return await original(scope, receive, send)
        path = f"/results/{file.token}"
        query = f"expires={int(app.service.clock.now()) + URL_SECONDS}"
    target = f"{STORE}{path}{'?' if query else ''}{query}"
    return await RedirectResponse(target, 302)(scope, receive, send)


def _without_range(scope: Scope, service: Service) -> Scope:
    """Compressed files are sent as a whole."""
    if not _is_result_file(scope, service):
        return scope
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}


def _gzipped(response: Response) -> None:
    if _is_result_file(response.scope, response.service):
        for name in ("accept-ranges", "etag"):
            response.headers.pop(name, None)
        response.headers["content-encoding"] = "gzip"
        response.body = gzip.compress(response.body)


@replaces(Application.respond)
async def _chunked(
    original: ASGIApp, app: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    async def send_without_length(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
            message = {**message, "headers": headers}
        await send(message)

    is_result = _is_result_file(scope, app.service)
    await original(scope, receive, send_without_length if is_result else send)


VARIANTS = {
    "result-ids": Behaviour(
        "result files are named by file id",
        altering_batch(_result_ids),
        question="result-reference",
    ),
    "error-file-empty-string": Behaviour(
        "`error_file_id` is an empty string if no line failed",
        altering_batch(_empty_error_file),
        question="no-failures",
    ),
    "output-delayed": Behaviour(
        "a batch names its result files two seconds after it was completed",
        _delayed,
        question="result-delay",
    ),
    "result-url-expires": Behaviour(
        "the URL of a result file returns 403 an hour after the response that named it",
        (_with_expiring_urls, _refuse_expired_urls),
        question="result-expiry",
    ),
    "result-gzip": Behaviour(
        "result files are compressed, whatever the request accepts",
        (altering(_gzipped, RESULT, CONTENT), altering_requests(_without_range, RESULT, CONTENT)),
        question="result-encoding",
    ),
    "result-chunked": Behaviour(
        "result files come without Content-Length", _chunked, question="result-length"
    ),
    "result-redirect": Behaviour(
        "a result file is behind a redirect to another path",
        _redirected,
        question="result-redirect",
    ),
}
