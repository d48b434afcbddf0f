"""
Received requests: a log line for each, and the requests themselves.

Rule: keys, bodies, queries and the tokens of download URLs are never logged.
"""

import logging
import re
import time

import orjson
from attrs import define
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("siliconflow_batch_simulator")
MAX_BODY = 1_000_000
TOKEN = re.compile("/results/.*", re.DOTALL)


@define
class Received:
    """
    A request as it was received, without its key; `authorized` is whether it had one.

    `json` is None if the body is not JSON, as in uploads, or has not been received yet.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    authorized: bool
    json: object = None


class Traffic:
    """ASGI middleware; `received` holds the latest requests, oldest first."""

    def __init__(self, app: ASGIApp, keep: int = 10_000) -> None:
        self._app, self._keep = app, keep
        self.received: list[Received] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        logs, keeps = log.isEnabledFor(logging.INFO), self._keep > 0
        if scope["type"] != "http" or not (logs or keeps):
            return await self._app(scope, receive, send)
        began, status, body = time.perf_counter(), 0, bytearray()
        received = _received(scope)
        if keeps:
            self._add(received)

        async def copy_body() -> Message:
            message = await receive()
            if len(body) <= MAX_BODY:
                body.extend(message.get("body", b""))
            return message

        async def note_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            copies = keeps and _is_json(scope)
            await self._app(scope, copy_body if copies else receive, note_status)
        finally:
            received.json = _json(bytes(body))
            path = TOKEN.sub("/results/…", scope["path"])
            duration = (time.perf_counter() - began) * 1000
            log.info("%s %r %s %.1f ms", scope["method"], path, status or "-", duration)

    def _add(self, received: Received) -> None:
        self.received.append(received)
        if len(self.received) > 2 * self._keep:
            self.received = self.received[-self._keep :]


def _received(scope: Scope) -> Received:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    authorized = headers.pop("authorization", None) is not None
    query = scope["query_string"].decode("latin-1")
    return Received(scope["method"], scope["path"], query, headers, authorized)


def _is_json(scope: Scope) -> bool:
    return any(b"json" in value for name, value in scope["headers"] if name == b"content-type")


def _json(body: bytes) -> object:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None
