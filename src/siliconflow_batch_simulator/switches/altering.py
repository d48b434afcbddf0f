"""
Replacements that alter requests, responses and views of batches.

Rule: nothing here decides what is altered; the tables of variants and faults do.
"""

from collections.abc import Callable, Collection
from typing import Any, BinaryIO

import orjson
from attrs import define
from starlette.responses import Response as StarletteResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..files.storage import File
from ..hooks import Replacement, replaces
from ..http.app import Application, label
from ..service.refusals import Refused
from ..service.service import Service

Body = dict[str, Any]
Link = Callable[[str], str]
Page = tuple[list[Batch], bool]  # and whether more batches follow

# The signatures of the hooks, for the `original` argument of replacements.
Create = Callable[[str, object], Batch]
OneBatch = Callable[[str, str], Batch]  # retrieve and cancel
ListBatches = Callable[[str, int, str | None], Page]
View = Callable[[Batch, Link], Body]
Upload = Callable[[File], Body]
KeepInput = Callable[[str, str, BinaryIO, float], File]
Reply = Callable[[Batch, Body, str, int], Body]
Upcoming = Callable[[Batch], tuple[str, float] | None]
InputErrors = Callable[[File, str | None], list[str] | None]
ListFiles = Callable[[str, int], Body]
Content = Callable[[str, str], File]
RefusalBody = Callable[[Refused], Any]

CREATE, LIST = "POST /batches", "GET /batches"
RETRIEVE, CANCEL = "GET /batches/{batch_id}", "POST /batches/{batch_id}/cancel"
UPLOAD, FILES = "POST /files", "GET /files"
CONTENT, RESULT = "GET /files/{file_id}/content", "GET /results/{token}"
ONE_BATCH = (CREATE, RETRIEVE, CANCEL)
NO_LIMIT = 10**9


@define
class Response:
    """A complete response to the request of `scope`."""

    status: int
    headers: dict[str, str]
    body: bytes
    scope: Scope
    service: Service

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @json.setter
    def json(self, value: Any) -> None:
        self.body = orjson.dumps(value)


def altering_batch(change: Callable[[Body, Batch], object]) -> Replacement:
    """`change` alters the body of a batch in every response that contains one."""

    @replaces(Service.view)
    def view(original: View, _: Service, batch: Batch, link: Link) -> Body:
        body = original(batch, link)
        change(body, batch)
        return body

    return view


def altering(
    change: Callable[[Response], object],
    *operations: str,
    status: int | Collection[int] | None = 200,
) -> Replacement:
    """
    `change` alters the responses to `operations`, by default to every request.

    `status` is the status of the responses that are altered, or several; None is any.
    """
    statuses = {status} if isinstance(status, int) else status

    @replaces(Application.respond)
    async def respond(
        original: ASGIApp, app: Application, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["method"] == "HEAD" or (operations and label(scope) not in operations):
            return await original(scope, receive, send)
        response = await _complete(original, app, scope, receive, send, statuses)
        if response is None:
            return None
        change(response)
        changed = StarletteResponse(response.body, response.status, response.headers)
        return await changed(scope, receive, send)

    return respond


async def _complete(
    original: ASGIApp,
    app: Application,
    scope: Scope,
    receive: Receive,
    send: Send,
    statuses: Collection[int] | None,
) -> Response | None:
    """
    The whole response if it has one of the statuses.

    Otherwise None: the response was sent on, or another behaviour ended the connection.
    """
    start: Message = {}
    body = bytearray()

    async def keep(message: Message) -> None:
        is_start = message["type"] == "http.response.start"
        if is_start and (statuses is None or message["status"] in statuses):
            start.update(message)
        if not start:
            await send(message)
        body.extend(message.get("body", b"") if start else b"")

    await original(scope, receive, keep)
    if not start:
        return None
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    headers.pop("content-length", None)
    return Response(start["status"], headers, bytes(body), scope, app.service)


def altering_json(change: Callable[[Any], Any], *operations: str, status: int = 200) -> Replacement:
    """`change` gets the JSON body of a response and returns the new one."""

    def rewrite(response: Response) -> None:
        response.json = change(response.json)

    return altering(rewrite, *operations, status=status)


def altering_listed_files(change: Callable[[Body], Body]) -> Replacement:
    """`change` gets each item in the list of files and returns the new one."""

    def rewrite(body: Body) -> Body:
        return {**body, "data": {**body["data"], "data": list(map(change, body["data"]["data"]))}}

    return altering_json(rewrite, FILES)


def altering_listed_batches(change: Callable[[Body], Body]) -> Replacement:
    """`change` gets each item in the list of batches and returns the new one."""
    return altering_json(lambda page: {**page, "data": list(map(change, page["data"]))}, LIST)


def altering_requests(change: Callable[[Scope, Service], Scope], *operations: str) -> Replacement:
    """`change` gets the scope of a request, by default of any, and returns the new one."""

    @replaces(Application.respond)
    async def respond(
        original: ASGIApp, app: Application, scope: Scope, receive: Receive, send: Send
    ) -> None:
        affected = not operations or label(scope) in operations
        await original(change(scope, app.service) if affected else scope, receive, send)

    return respond


def altering_queries(change: Callable[[bytes], bytes], operation: str) -> Replacement:
    """`change` gets the query of requests for `operation` and returns the new one."""
    return altering_requests(
        lambda scope, _: {**scope, "query_string": change(scope["query_string"])}, operation
    )
