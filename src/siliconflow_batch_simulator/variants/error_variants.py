"""
Variants of error bodies: their codes and their shapes.

Rule: these are the outermost variants, so that they also alter the errors of bad days.
"""

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..hooks import replaces
from ..http.app import Application
from ..service.refusals import Refused
from ..service.service import Service
from ..switches.altering import Body, RefusalBody, Response, altering, altering_json
from ..switches.switchboard import Behaviour

# Codes that public programs report with 403, and that a copied table names for 404. An object
# without `code` is documented for 429 on another operation.
CODES = {403: 30001, 404: 20011}


@replaces(Service.refusal_body)
def _code_for_each_reason(original: RefusalBody, _: Service, refused: Refused) -> Body:
    body = original(refused)
    return {**body, "code": refused.reason.value} if refused.status == 400 else body


def _without_code(body: Body) -> Body:
    return {name: value for name, value in body.items() if name != "code"}


def _as_object(response: Response) -> None:
    try:
        message = response.json
    except orjson.JSONDecodeError:
        message = response.body.decode(errors="replace")
    if isinstance(message, str):
        code = {"code": CODES[response.status]} if response.status in CODES else {}
        response.json = {**code, "message": message, "data": None}
        response.headers["content-type"] = "application/json"


@replaces(Application.respond)
async def _bare_text(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    """Removes the quotes of errors that are JSON strings; the media type stays."""
    start: Message = {}

    async def unquote(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start" and message["status"] >= 400:
            start = message
            return
        if start and message["body"].startswith(b'"'):
            message = {**message, "body": message["body"][1:-1]}
            length = (b"content-length", str(len(message["body"])).encode())
            others = [pair for pair in start["headers"] if pair[0] != b"content-length"]
            start = {**start, "headers": [*others, length]}
        if start:
            await send(start)
        await send(message)

    await original(scope, receive, unquote)


VARIANTS = {
    "error-codes": Behaviour(
        "each reason for a 400 has a code of its own", _code_for_each_reason, question="error-code"
    ),
    "error-code-missing": Behaviour(
        "the body of a 400 has no code",
        altering_json(_without_code, status=400),
        question="error-code",
    ),
    "errors-as-error-bodies": Behaviour(
        "errors that are strings are objects with `message` and `data`, some with `code`",
        altering(_as_object, status=(401, 403, 404, 429)),
        question="error-shape",
    ),
    "errors-bare-text": Behaviour(
        "error strings have no quotes", _bare_text, question="error-shape"
    ),
}
