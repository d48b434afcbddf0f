"""
Bad days: overload, errors of gateways, and connections that end early.

Rule: bodies are those that are published or that public programs report.
"""

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.completions import failed
from ..batches.execution import Execution
from ..batches.lifecycle import Batch
from ..hooks import Replacement, replaces
from ..http.app import Application, json_response
from ..http.serving import ABORT, CLOSE
from ..service.refusals import RATE_LIMITED
from ..switches.altering import Body, Reply, altering_batch
from ..switches.switchboard import Behaviour

SLOW = 1.0  # real seconds before a slow response
HTML = "<html><head><title>504 Gateway Time-out</title></head><body></body></html>"
OVERLOADED = "Model service overloaded. Please try again later."


def _responding(
    status: int, body: str, media_type: str = "application/json", **headers: str
) -> Replacement:
    """Sends this response instead of carrying out the operation."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    @replaces(Application.respond)
    async def respond(
        original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response = Response(body, status, named, media_type=media_type)
        await response(scope, receive, send)

    return respond


async def _abort(scope: Scope, receive: Receive) -> None:
    """Resets the connection and waits until the server has noticed."""
    scope["extensions"][ABORT]()
    while (await receive())["type"] != "http.disconnect":
        pass


@replaces(Application.respond)
async def _reset_before(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    await _abort(scope, receive)


@replaces(Application.respond)
async def _reset_after(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    async def discard(message: Message) -> None:
        pass

    await original(scope, receive, discard)
    await _abort(scope, receive)


@replaces(Application.respond)
async def _slow(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    await asyncio.sleep(SLOW)
    await original(scope, receive, send)


@replaces(Application.respond)
async def _truncated(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    """Sends the first half of the body, then closes the connection."""
    total = sent = 0

    async def send_half(message: Message) -> None:
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

    await original(scope, receive, send_half)


@replaces(Application.respond)
async def _refused_midway(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    await receive()
    await json_response(OVERLOADED, 503)(scope, receive, send)


@replaces(Execution.reply)
def _every_line_fails(
    original: Reply, _: Execution, batch: Batch, request: Body, id: str, at: int
) -> Body:
    return failed(request, id, 500, "The model did not answer.")


def _unknown_status(body: Body, _: Batch) -> None:
    if body["status"] == "in_progress":
        body["status"] = "throttled"


VARIANTS = {
    "rate-limited": Behaviour(
        "429 with bare text under a JSON media type", _responding(429, RATE_LIMITED)
    ),
    "rate-limited-plain": Behaviour(
        "429 with plain text", _responding(429, RATE_LIMITED, "text/plain")
    ),
    "rate-limited-retry-after": Behaviour(
        "429 with bare text and Retry-After: 1", _responding(429, RATE_LIMITED, retry_after="1")
    ),
    "forbidden": Behaviour(
        "403, as for an account without balance", _responding(403, '"Forbidden"')
    ),
    "server-error": Behaviour(
        "500 with a JSON string", _responding(500, '"Internal Server Error"')
    ),
    "overloaded-string": Behaviour("503 with a JSON string", _responding(503, f'"{OVERLOADED}"')),
    "overloaded-object": Behaviour(
        "503 with an error body",
        _responding(503, f'{{"code": 50505, "message": "{OVERLOADED}", "data": null}}'),
    ),
    "timeout-string": Behaviour("504 with a JSON string", _responding(504, '"Gateway Timeout"')),
    "timeout-html": Behaviour("504 with HTML", _responding(504, HTML, "text/html")),
    "timeout-empty": Behaviour("504 with an empty body", _responding(504, "", "text/plain")),
    "reset-before": Behaviour(
        "the connection is reset before the operation is carried out", _reset_before
    ),
    "reset-after": Behaviour(
        "the operation is carried out, then the connection is reset: the response is lost",
        _reset_after,
    ),
    "slow": Behaviour("the response takes a second longer", _slow),
    "download-truncated": Behaviour("the connection is closed after half of the body", _truncated),
    "upload-refused-midway": Behaviour(
        "503 after the first part of the request body", _refused_midway
    ),
    "every-line-fails": Behaviour(
        "every line fails: the batch is completed without an output file", _every_line_fails
    ),
    "status-unknown": Behaviour(
        "a running batch has an undocumented status", altering_batch(_unknown_status)
    ),
}
