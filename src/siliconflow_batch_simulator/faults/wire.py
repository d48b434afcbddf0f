"""
Faults of the wire: status codes, media types, JSON, envelopes, names and types of fields, methods.

The documents: each operation is answered with 200 and the shape of its page; errors have the status
and the body of the error-code page; 404 is the string "404 page not found".
"""

from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..http.app import label
from ..refusals import Refused
from ..service import Service
from ..switches.switchboard import Behaviour, saying
from ..switches.variants import CLOSE
from .altering import (
    CANCEL,
    CONTENT,
    CREATE,
    FILES,
    LIST,
    ONE_BATCH,
    RETRIEVE,
    UPLOAD,
    Answer,
    Body,
    Replace,
    altering,
    altering_json,
    asking,
)

JSON = (CREATE, LIST, RETRIEVE, CANCEL, UPLOAD, FILES)


def _as(code: int) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        answer.status = code

    return change


def _raw(change: Callable[[bytes], bytes], *operations: str) -> Replace:
    def rewrite(answer: Answer) -> None:
        answer.body = change(answer.body)

    return altering(rewrite, *operations)


def _html(answer: Answer) -> None:
    answer.headers["content-type"] = "text/html"


def _latin_1(body: bytes) -> bytes:
    return body.decode().encode("latin-1", "replace")


def _unknown_invented(sound: Any, service: Service) -> Any:
    def retrieve(account: str, batch_id: str) -> Any:
        try:
            return sound(account, batch_id)
        except Refused:
            return Batch(batch_id, account, "file-x", "x.jsonl", 1, 24, service.clock.now())

    return retrieve


def _enveloped(body: Any) -> Body:
    return {"code": 20000, "message": "Ok", "status": True, "data": body}


def _snake_case(body: Body) -> Body:
    file = {**body["data"]}
    file["created_at"] = file.pop("createdAt")
    return {**body, "data": file}


def _times(change: Callable[[int | None], object]) -> Replace:
    def rewrite(body: Body, _: Batch) -> None:
        body.update({name: change(body[name]) for name in body if name.endswith("_at")})

    return saying(rewrite)


def _allow_missing(answer: Answer) -> None:
    del answer.headers["allow"]


def _length_too_long(sound: ASGIApp, _: Service) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def lie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                told = int(headers[b"content-length"]) + 1
                headers[b"content-length"] = str(told).encode()
                await send({**message, "headers": list(headers.items())})
            else:
                await send({**message, "more_body": True})
                if not message.get("more_body"):
                    scope["extensions"][CLOSE]()

        await sound(scope, receive, lie if label(scope) == FILES else send)

    return app


def _empty_file(answer: Answer) -> None:
    answer.status, answer.body = 200, b""
    answer.headers["content-type"] = "application/octet-stream"


def _put_taken(scope: Scope, _: Service) -> Scope:
    return {**scope, "method": "POST"} if scope["method"] == "PUT" else scope


def _path_found(answer: Answer) -> None:
    if label(answer.scope) is None:
        answer.status = 200


def _options_broken(answer: Answer) -> None:
    if answer.scope["method"] == "OPTIONS":
        answer.status = 500


FAULTS = {
    "errors-as-objects": Behaviour(
        "404 is answered with an object",
        "app",
        altering_json(lambda _: {"error": {"message": "not found"}}, status=404),
    ),
    "unknown-invented": Behaviour(
        "an unknown batch is answered with an invention", "retrieve", _unknown_invented
    ),
    "unknown-500": Behaviour(
        "an unknown batch is answered with 500", "app", altering(_as(500), RETRIEVE, status=404)
    ),
    "created-201": Behaviour("a creation is answered with 201", "app", altering(_as(201), CREATE)),
    "refusal-200": Behaviour(
        "a refused creation is answered with 200 and the error body",
        "app",
        altering(_as(200), CREATE, status=400),
    ),
    "refusal-422": Behaviour(
        "what 400 is documented for is answered with 422", "app", altering(_as(422), status=400)
    ),
    "refusal-as-text": Behaviour(
        "the body of a 400 is a string",
        "app",
        altering_json(lambda body: body["message"], status=400),
    ),
    "unauthorized-403": Behaviour(
        "a wrong key is answered with 403", "app", altering(_as(403), status=401)
    ),
    "unauthorized-as-object": Behaviour(
        "the body of a 401 is an object",
        "app",
        altering_json(lambda body: {"error": {"message": body}}, status=401),
    ),
    "unknown-content-empty": Behaviour(
        "an unknown file is read as one without bytes",
        "app",
        altering(_empty_file, CONTENT, status=404),
    ),
    "length-too-long": Behaviour(
        "Content-Length of a list of files is one byte too many", "app", _length_too_long
    ),
    "json-as-html": Behaviour("JSON is sent as text/html", "app", altering(_html, *JSON)),
    "json-trailing-comma": Behaviour(
        "a batch is JSON with a comma before the last brace",
        "app",
        _raw(lambda body: body[:-1] + b",}", *ONE_BATCH),
    ),
    "json-key-twice": Behaviour(
        "a batch has two statuses, under the same key",
        "app",
        _raw(lambda body: b'{"status":"failed",' + body[1:], *ONE_BATCH),
    ),
    "json-in-latin-1": Behaviour("JSON is sent in Latin-1", "app", _raw(_latin_1, *JSON)),
    "batch-enveloped": Behaviour(
        "a batch comes in the envelope of files", "app", altering_json(_enveloped, *ONE_BATCH)
    ),
    "has-more-as-text": Behaviour(
        "`has_more` is a string",
        "app",
        altering_json(lambda page: {**page, "has_more": str(page["has_more"]).lower()}, LIST),
    ),
    "times-as-text": Behaviour(
        "times are strings", "view", _times(lambda at: None if at is None else str(at))
    ),
    "times-zero": Behaviour(
        "times that have not come are 0, not null", "view", _times(lambda at: at or 0)
    ),
    "upload-flat": Behaviour(
        "an upload is answered without its envelope",
        "app",
        altering_json(lambda body: body["data"], UPLOAD),
    ),
    "upload-status-false": Behaviour(
        "the envelope of a good upload has status false",
        "app",
        altering_json(lambda body: {**body, "status": False}, UPLOAD),
    ),
    "upload-snake-case": Behaviour(
        "an upload has created_at in place of createdAt",
        "app",
        altering_json(_snake_case, UPLOAD),
    ),
    "files-flat": Behaviour(
        "the files stand in `data`, not in `data.data`",
        "app",
        altering_json(lambda body: {**body, "data": body["data"]["data"]}, FILES),
    ),
    "allow-missing": Behaviour(
        "405 comes without Allow", "app", altering(_allow_missing, status=405)
    ),
    "put-taken": Behaviour("PUT is taken for POST", "app", asking(_put_taken)),
    "options-broken": Behaviour(
        "OPTIONS is answered with 500", "app", altering(_options_broken, status=405)
    ),
    "unknown-path-200": Behaviour(
        "an unknown path is answered with 200", "app", altering(_path_found, status=404)
    ),
}
