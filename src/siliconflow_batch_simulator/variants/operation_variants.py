"""
Variants of the operations on batches: what is accepted, when, and with which status.
"""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.execution import Execution
from ..batches.lifecycle import Batch
from ..files.storage import File
from ..hooks import replaces
from ..http.app import Application, label
from ..service.input_check import input_error, input_reason
from ..service.refusals import Reason, Refused, bad_request
from ..service.service import Service
from ..switches.altering import (
    CREATE,
    Body,
    Create,
    InputErrors,
    Link,
    OneBatch,
    Response,
    Upcoming,
    Upload,
    View,
    altering,
)
from ..switches.switchboard import Behaviour

LATE = 120.0  # simulated seconds; common clients and gateways wait for 60
POLL = 0.02  # real seconds between two checks of the simulated time
EARLY_EXPIRY = 28_135  # seconds from `created_at` to `expires_at` in the guide's example
OPTIONAL_FIELDS = ("metadata", "replace")


@replaces(Service.retrieve)
def _unknown_batch_400(original: OneBatch, _: Service, account: str, batch_id: str) -> Batch:
    try:
        return original(account, batch_id)
    except Refused as refused:
        message = f"The batch {batch_id!r} does not exist."
        raise bad_request(message, Reason.NOT_FOUND) from refused


def _as_created(response: Response) -> None:
    response.status = 201


@replaces(Application.respond)
async def _slow_after(
    original: ASGIApp, app: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    """Carries out a creation, and keeps its response back; refusals are not delayed."""
    if label(scope) != CREATE:
        return await original(scope, receive, send)
    response: list[Message] = []

    async def keep(message: Message) -> None:
        response.append(message)

    await original(scope, receive, keep)
    if response and response[0]["status"] == 200:
        await _pass_time(app.service, receive)
    for message in response:
        await send(message)
    return None


async def _pass_time(service: Service, receive: Receive) -> None:
    """Waits for `LATE` simulated seconds, or until the client disconnects."""
    due = service.clock.now() + LATE
    disconnected: asyncio.Future[Any] = asyncio.ensure_future(receive())
    while service.clock.now() < due and not disconnected.done():
        await asyncio.wait([disconnected], timeout=POLL)
    disconnected.cancel()


@replaces(Service.upload)
def _refused_at_upload(original: Upload, _: Service, file: File) -> Body:
    if file.inspection is not None and file.inspection.message:
        file.path.unlink(missing_ok=True)
        message = f"The file is invalid: {file.inspection.message}."
        raise bad_request(message, input_reason(file))
    return original(file)


@replaces(Service.input_errors)
def _fails_late(
    original: InputErrors, _: Service, file: File, model: str | None
) -> list[str] | None:
    error = input_error(file, model)
    return [error] if error else original(file, model)


@replaces(Service.create)
def _null_accepted(original: Create, _: Service, account: str, body: object) -> Batch:
    if isinstance(body, dict):
        missing = {name for name in OPTIONAL_FIELDS if body.get(name) is None}
        body = {name: value for name, value in body.items() if name not in missing}
    return original(account, body)


@replaces(Service.cancel)
def _cancel_finished_200(
    original: OneBatch, service: Service, account: str, batch_id: str
) -> Batch:
    batch = service.retrieve(account, batch_id)
    return batch if batch.final else original(account, batch_id)


@replaces(Service.view)
def _validating_first(original: View, service: Service, batch: Batch, link: Link) -> Body:
    body = original(batch, link)
    validated = batch.created + service.pace.queued / 2
    if body["status"] == "in_queue" and service.clock.now() < validated:
        body["status"] = "validating"
    return body


@replaces(Service.view)
def _expires_at_early(original: View, _: Service, batch: Batch, link: Link) -> Body:
    body = original(batch, link)
    body["expires_at"] = body["created_at"] + EARLY_EXPIRY
    return body


@replaces(Execution.upcoming)
def _expiring_early(original: Upcoming, _: Execution, batch: Batch) -> tuple[str, float] | None:
    upcoming = original(batch)
    expires = batch.created + EARLY_EXPIRY
    if batch.status in ("in_queue", "in_progress") and upcoming and upcoming[1] >= expires:
        return "expire", expires
    return upcoming


VARIANTS = {
    "unknown-batch-400": Behaviour(
        "a batch that does not exist returns 400", _unknown_batch_400, question="unknown-batch"
    ),
    "created-201": Behaviour(
        "a creation returns 201", altering(_as_created, CREATE), question="created-status"
    ),
    "slow-after": Behaviour(
        "a creation is carried out, and its response comes two minutes later",
        _slow_after,
        question="late-response",
    ),
    "input-refused-at-upload": Behaviour(
        "the upload of an invalid input file returns 400",
        _refused_at_upload,
        question="invalid-input",
    ),
    "input-fails-late": Behaviour(
        "a batch from an invalid input file is created and becomes `failed`",
        _fails_late,
        question="invalid-input",
    ),
    "null-accepted": Behaviour(
        "`metadata` and `replace` may be null in a request",
        _null_accepted,
        question="null-in-request",
    ),
    "cancel-finished-200": Behaviour(
        "a cancel of a finished batch returns 200 with the batch as it is",
        _cancel_finished_200,
        question="finished-cancel",
    ),
    "validating-first": Behaviour(
        "a new batch has the status `validating` before `in_queue`",
        _validating_first,
        question="waiting-status",
    ),
    "expires-early": Behaviour(
        "a batch expires 28,135 seconds after its creation, whatever its window",
        (_expires_at_early, _expiring_early),
        question="expires-at",
    ),
}
