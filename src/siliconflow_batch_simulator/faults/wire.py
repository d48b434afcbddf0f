"""
Faults of the wire: status codes, media types, JSON, envelopes, fields, methods.

The documents: each operation returns 200 and the shape on its page; errors have the status and the
body of the error-code page; 404 has the string "404 page not found".
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..hooks import Replacement, replaces
from ..http.app import Application, label
from ..http.serving import CLOSE
from ..service.refusals import Refused
from ..service.service import Service
from ..switches.altering import (
    CANCEL,
    CONTENT,
    CREATE,
    FILES,
    LIST,
    ONE_BATCH,
    RETRIEVE,
    UPLOAD,
    Body,
    OneBatch,
    Response,
    altering,
    altering_batch,
    altering_json,
    altering_requests,
)
from ..switches.switchboard import Behaviour

JSON = (CREATE, LIST, RETRIEVE, CANCEL, UPLOAD, FILES)


def _with_status(code: int, *operations: str, status: int) -> Replacement:
    """Responses with `status` get the status `code`."""

    def change(response: Response) -> None:
        response.status = code

    return altering(change, *operations, status=status)


def _altering_bytes(change: Callable[[bytes], bytes], *operations: str) -> Replacement:
    def rewrite(response: Response) -> None:
        response.body = change(response.body)

    return altering(rewrite, *operations)


def _altering_times(change: Callable[[int | None], object]) -> Replacement:
    def rewrite(body: Body, _: Batch) -> None:
        body.update({name: change(body[name]) for name in body if name.endswith("_at")})

    return altering_batch(rewrite)


def _as_html(response: Response) -> None:
    response.headers["content-type"] = "text/html"


@replaces(Service.retrieve)
def _unknown_invented(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    try:
        return original(account, batch_id)
    except Refused:
        return Batch(batch_id, account, "file-x", "x.jsonl", 1, 24, service.clock.now())


def _with_snake_case(body: Body) -> Body:
    file = {**body["data"]}
    file["created_at"] = file.pop("createdAt")
    return {**body, "data": file}


def _allow_missing(response: Response) -> None:
    del response.headers["allow"]


@replaces(Application.respond)
async def _length_too_long(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    async def send_with_wrong_length(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            headers[b"content-length"] = str(int(headers[b"content-length"]) + 1).encode()
            await send({**message, "headers": list(headers.items())})
        else:
            await send({**message, "more_body": True})
            if not message.get("more_body"):
                scope["extensions"][CLOSE]()

    await original(scope, receive, send_with_wrong_length if label(scope) == FILES else send)


def _empty_file(response: Response) -> None:
    response.status, response.body = 200, b""
    response.headers["content-type"] = "application/octet-stream"


def _put_as_post(scope: Scope, _: Service) -> Scope:
    return {**scope, "method": "POST"} if scope["method"] == "PUT" else scope


def _unknown_path_200(response: Response) -> None:
    if label(response.scope) is None:
        response.status = 200


def _created_with_metadata(response: Response) -> None:
    if response.json["metadata"]:
        response.status = 201


def _purpose_omitted(response: Response) -> None:
    if b"purpose=" not in response.scope["query_string"]:
        response.status, response.json = 404, "404 page not found"


def _options_broken(response: Response) -> None:
    if response.scope["method"] == "OPTIONS":
        response.status = 500


FAULTS = {
    "errors-as-objects": Behaviour(
        "the body of a 404 is an object with the key `error`",
        altering_json(lambda _: {"error": {"message": "not found"}}, status=404),
    ),
    "unknown-invented": Behaviour(
        "retrieving an unknown batch returns an invented one", _unknown_invented
    ),
    "metadata-201": Behaviour(
        "a creation with metadata returns 201, and one without returns 200",
        altering(_created_with_metadata, CREATE),
    ),
    "purpose-omitted-404": Behaviour(
        "the list of files returns 404 without `purpose`", altering(_purpose_omitted, FILES)
    ),
    "unknown-500": Behaviour(
        "retrieving an unknown batch returns 500", _with_status(500, RETRIEVE, status=404)
    ),
    "refusal-200": Behaviour(
        "a refused creation returns 200 with the error body", _with_status(200, CREATE, status=400)
    ),
    "refusal-422": Behaviour(
        "422 is returned where 400 is documented", _with_status(422, status=400)
    ),
    "refusal-as-text": Behaviour(
        "the body of a 400 is a string", altering_json(lambda body: body["message"], status=400)
    ),
    "unauthorized-403": Behaviour("a wrong key returns 403", _with_status(403, status=401)),
    "unauthorized-as-object": Behaviour(
        "the body of a 401 is an object with the key `error`",
        altering_json(lambda body: {"error": {"message": body}}, status=401),
    ),
    "unknown-content-empty": Behaviour(
        "the content of an unknown file is empty instead of 404",
        altering(_empty_file, CONTENT, status=404),
    ),
    "length-too-long": Behaviour(
        "Content-Length of the list of files is one byte too large", _length_too_long
    ),
    "json-as-html": Behaviour("JSON is sent as text/html", altering(_as_html, *JSON)),
    "json-trailing-comma": Behaviour(
        "a batch is JSON with a comma before the last brace",
        _altering_bytes(lambda body: body[:-1] + b",}", *ONE_BATCH),
    ),
    "json-key-twice": Behaviour(
        "a batch has two statuses under the same key",
        _altering_bytes(lambda body: b'{"status":"failed",' + body[1:], *ONE_BATCH),
    ),
    "json-in-latin-1": Behaviour(
        "JSON is sent in Latin-1",
        _altering_bytes(lambda body: body.decode().encode("latin-1", "replace"), *JSON),
    ),
    "batch-enveloped": Behaviour(
        "a batch is in the envelope that files have",
        altering_json(
            lambda body: {"code": 20000, "message": "Ok", "status": True, "data": body}, *ONE_BATCH
        ),
    ),
    "has-more-as-text": Behaviour(
        "`has_more` is a string",
        altering_json(lambda page: {**page, "has_more": str(page["has_more"]).lower()}, LIST),
    ),
    "times-as-text": Behaviour(
        "times are strings", _altering_times(lambda at: None if at is None else str(at))
    ),
    "times-zero": Behaviour(
        "unset times are 0 instead of null", _altering_times(lambda at: at or 0)
    ),
    "upload-flat": Behaviour(
        "the response to an upload has no envelope",
        altering_json(lambda body: body["data"], UPLOAD),
    ),
    "upload-status-false": Behaviour(
        "the envelope of a successful upload has status false",
        altering_json(lambda body: {**body, "status": False}, UPLOAD),
    ),
    "upload-snake-case": Behaviour(
        "the response to an upload has created_at in place of createdAt",
        altering_json(_with_snake_case, UPLOAD),
    ),
    "files-flat": Behaviour(
        "the list of files is in `data` instead of `data.data`",
        altering_json(lambda body: {**body, "data": body["data"]["data"]}, FILES),
    ),
    "allow-missing": Behaviour("405 has no Allow header", altering(_allow_missing, status=405)),
    "put-taken": Behaviour("PUT is accepted in place of POST", altering_requests(_put_as_post)),
    "options-broken": Behaviour("OPTIONS returns 500", altering(_options_broken, status=405)),
    "unknown-path-200": Behaviour(
        "an unknown path returns 200", altering(_unknown_path_200, status=404)
    ),
}
