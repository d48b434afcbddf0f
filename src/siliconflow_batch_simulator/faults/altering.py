"""
What faults share: requests and answers altered on their way, and what a fault remembers.

Rule 1: nothing here decides what is wrong; the rows of the tables do.
Rule 2: what a fault remembers lies with the service it was seen at, and ends with it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import orjson
from attrs import define
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..http.app import label
from ..service import Service
from ..state.storage import File

Body = dict[str, Any]
Replace = Callable[[Any, Service], Any]

CREATE, LIST = "POST /batches", "GET /batches"
RETRIEVE, CANCEL = "GET /batches/{batch_id}", "POST /batches/{batch_id}/cancel"
UPLOAD, FILES = "POST /files", "GET /files"
CONTENT, RESULT = "GET /files/{file_id}/content", "GET /results/{token}"
ONE_BATCH = (CREATE, RETRIEVE, CANCEL)
EVERYTHING = 10**9


@define
class Answer:
    """A response on its way to whoever sent `scope`."""

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


def altering(
    change: Callable[[Answer], None], *operations: str, status: int | None = 200
) -> Replace:
    """
    The application, with `change` for its answers to `operations`, or to everything.

    Answers of another status pass as they are, where one is given.
    """

    def replace(sound: ASGIApp, service: Service) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["method"] == "HEAD" or (operations and label(scope) not in operations):
                return await sound(scope, receive, send)
            start: Message = {}
            body = bytearray()

            async def keep(message: Message) -> None:
                start.update(message if message["type"] == "http.response.start" else {})
                body.extend(message.get("body", b""))

            await sound(scope, receive, keep)
            if not start:
                return None  # another behaviour ended the connection
            headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
            headers.pop("content-length", None)
            answer = Answer(start["status"], headers, bytes(body), scope, service)
            if status in (None, answer.status):
                change(answer)
            response = Response(answer.body, answer.status, answer.headers)
            return await response(scope, receive, send)

        return app

    return replace


def altering_json(change: Callable[[Any], Any], *operations: str, status: int = 200) -> Replace:
    """The application, whose JSON answers are what `change` makes of them."""

    def rewrite(answer: Answer) -> None:
        answer.json = change(answer.json)

    return altering(rewrite, *operations, status=status)


def altering_files(change: Callable[[Body], Body]) -> Replace:
    """The application, whose list of files says of each what `change` makes of it."""

    def rewrite(body: Body) -> Body:
        return {**body, "data": {**body["data"], "data": list(map(change, body["data"]["data"]))}}

    return altering_json(rewrite, FILES)


def altering_listed(change: Callable[[Body], Body]) -> Replace:
    """The application, whose list of batches says of each what `change` makes of it."""
    return altering_json(lambda page: {**page, "data": list(map(change, page["data"]))}, LIST)


def asking(change: Callable[[Scope, Service], Scope], *operations: str) -> Replace:
    """The application, which gets what `change` makes of the requests of `operations`."""

    def replace(sound: ASGIApp, service: Service) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            meant = not operations or label(scope) in operations
            await sound(change(scope, service) if meant else scope, receive, send)

        return app

    return replace


def querying(change: Callable[[bytes], bytes], operation: str) -> Replace:
    """The application, which gets what `change` makes of an operation's query."""
    return asking(
        lambda scope, _: {**scope, "query_string": change(scope["query_string"])}, operation
    )


def memory(service: Service, fault: str) -> Counter[str]:
    """How often a fault saw what, at one service."""
    kept: defaultdict[str, Counter[str]]
    kept = vars(service).setdefault("seen_by_faults", defaultdict(Counter))
    return kept[fault]


def again(service: Service, fault: str, what: str) -> int:
    """How often a fault saw `what` before; counts this time."""
    seen = memory(service, fault)
    seen[what] += 1
    return seen[what] - 1


def named_file(service: Service, body: object) -> File | None:
    """The input file that a creation names."""
    named = body.get("input_file_id") if isinstance(body, dict) else None
    file = service.storage.files.get(named) if isinstance(named, str) else None
    return file if file is not None and file.inspection is not None else None
