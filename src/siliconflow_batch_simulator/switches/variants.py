"""
Bad days that the service may legally have: a program must live with each of them.

Rule 1: a variant contradicts no document; what does is a fault.
Rule 2: bodies are the published ones, and the ones that public programs report.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.completions import failed
from ..batches.lifecycle import Batch
from ..http.app import json_response
from ..refusals import RATE_LIMITED
from ..service import Service
from .switchboard import Behaviour, saying

SLOW = 1.0  # real seconds before a slow answer
LAG = 10.0  # simulated seconds until a lagging list knows a batch
EVERYTHING = 10**9
OPTIONAL = ("finalizing_at", "cancelling_at", "cancelled_at")  # absent from the guide's example
HTML = "<html><head><title>504 Gateway Time-out</title></head><body></body></html>"
OVERLOADED = "Model service overloaded. Please try again later."
ABORT, CLOSE = "simulator.abort", "simulator.close"

Body = dict[str, Any]


def _answering(
    status: int, body: str, media_type: str = "application/json", **headers: str
) -> Callable[[ASGIApp, Service], ASGIApp]:
    """The operation is not reached; `body` is answered as it stands."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda sound, service: Response(body, status, named, media_type=media_type)


async def _abort(scope: Scope, receive: Receive) -> None:
    """Resets the connection, and waits until the server knows that it is gone."""
    scope["extensions"][ABORT]()
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset_before(sound: ASGIApp, _: Service) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await _abort(scope, receive)

    return app


def _reset_after(sound: ASGIApp, _: Service) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def lost(message: Message) -> None:
            pass

        await sound(scope, receive, lost)
        await _abort(scope, receive)

    return app


def _slow(sound: ASGIApp, _: Service) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(SLOW)
        await sound(scope, receive, send)

    return app


def _truncated(sound: ASGIApp, _: Service) -> ASGIApp:
    """The first half of the body comes, then the connection is closed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        total = sent = 0

        async def cut(message: Message) -> None:
            nonlocal total, sent
            if message["type"] == "http.response.start":
                total = int(dict(message["headers"]).get(b"content-length", 0))
                await send(message)
            elif sent < total // 2:
                piece = message.get("body", b"")[: total // 2 - sent]
                sent += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if sent >= total // 2:
                    scope["extensions"][CLOSE]()

        await sound(scope, receive, cut)

    return app


def _refused_midway(sound: ASGIApp, _: Service) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await json_response(OVERLOADED, 503)(scope, receive, send)

    return app


def _lagging(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        everything, _ = sound(account, EVERYTHING, None)
        known = [batch for batch in everything if batch.created <= service.clock.now() - LAG]
        ids = [batch.id for batch in known]
        if after is not None and after not in ids:
            return sound(account, limit, after)
        rest = known if after is None else known[ids.index(after) + 1 :]
        return rest[:limit], len(rest) > limit

    return list_batches


def _ids(body: Body, batch: Batch) -> None:
    body.update(output_file_id=batch.output_file_id, error_file_id=batch.error_file_id)


def _empty_error_file(body: Body, batch: Batch) -> None:
    if batch.final and body["error_file_id"] is None:
        body["error_file_id"] = ""


def _unknown_status(body: Body, _: Batch) -> None:
    if body["status"] == "in_progress":
        body["status"] = "throttled"


def _missing(body: Body, _: Batch) -> None:
    for name in OPTIONAL:
        if body[name] is None:
            del body[name]


def _every_line_fails(sound: Any, _: Service) -> Any:
    def reply(batch: Batch, request: Body, id: str, at: int) -> Body:
        return failed(request, id, 500, "The model did not answer.")

    return reply


def _bare_text(sound: ASGIApp, _: Service) -> ASGIApp:
    """Errors that are JSON strings lose their quotes and keep their media type."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}

        async def unquote(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] >= 400:
                start = message
                return
            if start and message["body"].startswith(b'"'):
                message = {**message, "body": message["body"][1:-1]}
                length = (b"content-length", str(len(message["body"])).encode())
                kept = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                start = {**start, "headers": [*kept, length]}
            if start:
                await send(start)
            await send(message)

        await sound(scope, receive, unquote)

    return app


VARIANTS = {
    "rate-limited": Behaviour(
        "429 with bare text under a JSON media type", "app", _answering(429, RATE_LIMITED)
    ),
    "rate-limited-plain": Behaviour(
        "429 with plain text", "app", _answering(429, RATE_LIMITED, "text/plain")
    ),
    "rate-limited-retry-after": Behaviour(
        "429 with bare text and Retry-After: 1",
        "app",
        _answering(429, RATE_LIMITED, retry_after="1"),
    ),
    "forbidden": Behaviour(
        "403, as an account without balance gets", "app", _answering(403, '"Forbidden"')
    ),
    "server-error": Behaviour(
        "500 with a JSON string", "app", _answering(500, '"Internal Server Error"')
    ),
    "overloaded-string": Behaviour(
        "503 with a JSON string", "app", _answering(503, f'"{OVERLOADED}"')
    ),
    "overloaded-object": Behaviour(
        "503 with an error body",
        "app",
        _answering(503, f'{{"code": 50505, "message": "{OVERLOADED}", "data": null}}'),
    ),
    "timeout-string": Behaviour(
        "504 with a JSON string", "app", _answering(504, '"Gateway Timeout"')
    ),
    "timeout-html": Behaviour("504 with HTML", "app", _answering(504, HTML, "text/html")),
    "timeout-empty": Behaviour("504 with nothing", "app", _answering(504, "", "text/plain")),
    "reset-before": Behaviour("the connection is reset before the work", "app", _reset_before),
    "reset-after": Behaviour(
        "the work is done, then the connection is reset: the answer is lost", "app", _reset_after
    ),
    "slow": Behaviour("the answer takes a second longer", "app", _slow),
    "download-truncated": Behaviour(
        "the connection is closed after half of the body", "app", _truncated
    ),
    "upload-refused-midway": Behaviour(
        "503 after the first piece of the request's body", "app", _refused_midway
    ),
    "list-lags": Behaviour("a new batch is not listed for ten seconds", "list_batches", _lagging),
    "result-ids": Behaviour("results are named by file id", "view", saying(_ids)),
    "error-file-empty-string": Behaviour(
        "`error_file_id` is an empty string where no line failed",
        "view",
        saying(_empty_error_file),
    ),
    "every-line-fails": Behaviour(
        "every line fails: completed, without an output file", "execution.reply", _every_line_fails
    ),
    "status-unknown": Behaviour(
        "a running batch has a status that no document names", "view", saying(_unknown_status)
    ),
    "fields-missing": Behaviour(
        "optional times are missing instead of null", "view", saying(_missing)
    ),
    "errors-empty-list": Behaviour(
        "`errors` is an empty list instead of null",
        "view",
        saying(lambda body, _: body.update(errors=body["errors"] or [])),
    ),
    "counts-empty": Behaviour(
        "`request_counts` is an empty object instead of null",
        "view",
        saying(lambda body, _: body.update(request_counts=body["request_counts"] or {})),
    ),
    "errors-bare-text": Behaviour("error strings come without their quotes", "app", _bare_text),
}
