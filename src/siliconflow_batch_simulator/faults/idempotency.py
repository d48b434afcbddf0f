"""
Faults of repetition: a repeated request is carried out again, reading changes something, an id is
used twice.

The documents: a cancel takes effect once; retrieve, list and download change nothing; a creation
makes one batch, a refused creation none; an id names one object.
"""

import contextlib

from attrs import evolve

from ..batches.lifecycle import Batch, move
from ..files.storage import File
from ..hooks import Replacement, replaces
from ..service.batch_request import ENDPOINT
from ..service.refusals import Refused, bad_request
from ..service.service import Service
from ..switches.altering import (
    CONTENT,
    RESULT,
    RETRIEVE,
    Body,
    Create,
    ListBatches,
    OneBatch,
    Page,
    Response,
    Upload,
    altering,
)
from ..switches.switchboard import Behaviour
from .memory import times_before

FINISHED = ("completed", "cancelled", "failed", "expired")


@replaces(Service.cancel)
def _cancel_twice_moves(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    batch = service.retrieve(account, batch_id)
    if batch.status == "cancelling":
        batch.stamps["cancelling"] += 1
    return original(account, batch_id)


@replaces(Service.cancel)
def _cancel_twice_500(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    if service.retrieve(account, batch_id).status == "cancelling":
        raise Refused(500, "Internal Server Error")
    return original(account, batch_id)


@replaces(Service.cancel)
def _cancel_twice_resumes(
    original: OneBatch, service: Service, account: str, batch_id: str
) -> Batch:
    batch = service.retrieve(account, batch_id)
    if batch.status != "cancelling":
        return original(account, batch_id)
    del batch.stamps["cancelling"]
    batch.status = "in_progress" if "in_progress" in batch.stamps else "in_queue"
    return batch


def _late_cancel_moves(status: str, stamp: str) -> Replacement:
    """A cancel of a batch with this final status is refused, but moves one of its times."""

    @replaces(Service.cancel)
    def cancel(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
        batch = service.retrieve(account, batch_id)
        if batch.status == status:
            batch.stamps[stamp] = batch.stamps.get(stamp, service.clock.now()) + 1
        return original(account, batch_id)

    return cancel


@replaces(Service.create)
def _create_twice(original: Create, _: Service, account: str, body: object) -> Batch:
    original(account, body)
    return original(account, body)


@replaces(Service.create)
def _create_merged(original: Create, service: Service, account: str, body: object) -> Batch:
    for batch in service.accounts[account].batches:
        if isinstance(body, dict) and batch.input_file_id == body.get("input_file_id"):
            return batch
    return original(account, body)


@replaces(Service.create)
def _create_refused_kept(original: Create, service: Service, account: str, body: object) -> Batch:
    try:
        return original(account, body)
    except Refused:
        legal = {"endpoint": ENDPOINT, "completion_window": "24h"}
        for file in service.accounts[account].uploads[::-1]:
            with contextlib.suppress(Refused):
                original(account, {**legal, "input_file_id": file.id})
                break
        raise


@replaces(Service.create)
def _input_used_once(original: Create, service: Service, account: str, body: object) -> Batch:
    used = {batch.input_file_id for batch in service.accounts[account].batches}
    if isinstance(body, dict) and body.get("input_file_id") in used:
        raise bad_request("The input file is already used by a batch.")
    return original(account, body)


@replaces(Service.create)
def _batch_id_repeated(original: Create, service: Service, account: str, body: object) -> Batch:
    batch = original(account, body)
    previous = service.accounts[account].batches[-2:-1]
    return evolve(batch, id=previous[0].id) if previous else batch


@replaces(Service.upload)
def _file_id_repeated(original: Upload, service: Service, file: File) -> Body:
    body = original(file)
    previous = service.accounts[file.account].uploads[-2:-1]
    return {**body, "data": {**body["data"], "id": previous[0].id}} if previous else body


@replaces(Service.upload)
def _upload_twice(original: Upload, service: Service, file: File) -> Body:
    original(evolve(file, id=service.storage.new_id("file-")))
    return original(file)


@replaces(Service.upload)
def _upload_overwrites(original: Upload, service: Service, file: File) -> Body:
    running = {batch.input_file_id for batch in service.batches.values() if not batch.final}
    for older in service.accounts[file.account].uploads:
        if older.name == file.name and older.id not in running:
            service.storage.files[older.id] = evolve(file, id=older.id)
    return original(file)


@replaces(Service.retrieve)
def _retrieve_writes(original: OneBatch, _: Service, account: str, batch_id: str) -> Batch:
    batch = original(account, batch_id)
    batch.metadata = {**(batch.metadata or {}), "read": "yes"}
    return batch


@replaces(Service.retrieve)
def _retrieve_cancels(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    batch = original(account, batch_id)
    if batch.status == "in_queue":
        move(batch, "cancel", service.clock.now())
    return batch


@replaces(Service.list_batches)
def _list_cancels(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    page, has_more = original(account, limit, after)
    for batch in page:
        if batch.status == "in_queue":
            move(batch, "cancel", service.clock.now())
    return page, has_more


@replaces(Service.list_batches)
def _list_once(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    page, has_more = original(account, limit, after)
    return [batch for batch in page if not times_before(service, "list-once", batch.id)], has_more


@replaces(Service.list_batches)
def _list_turns(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    page, has_more = original(account, limit, after)
    return page[::-1] if times_before(service, "list-turns", account) % 2 else page, has_more


def _gone_after_once(fault: str, operation: str, *statuses: str) -> Replacement:
    """What was read once is then unknown; with `statuses`, only batches with one of them."""

    def change(response: Response) -> None:
        affected = not statuses or response.json["status"] in statuses
        if affected and times_before(response.service, fault, response.scope["path"]):
            response.status, response.json = 404, "404 page not found"
            response.headers["content-type"] = "application/json"

    return altering(change, operation)


def _download_changes(response: Response) -> None:
    if times_before(response.service, "download-changes", response.scope["path"]):
        response.body = response.body.partition(b"\n")[2]


FAULTS = {
    "cancel-twice-moves": Behaviour(
        "a second cancel moves `cancelling_at` by a second", _cancel_twice_moves
    ),
    "cancel-twice-500": Behaviour("a second cancel returns 500", _cancel_twice_500),
    "cancel-twice-resumes": Behaviour("a second cancel undoes the first", _cancel_twice_resumes),
    "cancelled-again": Behaviour(
        "a cancel of a cancelled batch is refused but moves `cancelled_at`",
        _late_cancel_moves("cancelled", "cancelled"),
    ),
    "completed-cancelling": Behaviour(
        "a cancel of a completed batch is refused but sets `cancelling_at`",
        _late_cancel_moves("completed", "cancelling"),
    ),
    "create-twice": Behaviour("a creation makes two batches", _create_twice),
    "create-merged": Behaviour(
        "a second creation from a file returns the first batch", _create_merged
    ),
    "create-refused-kept": Behaviour(
        "a refused creation makes a batch from the latest upload", _create_refused_kept
    ),
    "input-used-once": Behaviour("a file can be used for one batch only", _input_used_once),
    "batch-id-repeated": Behaviour(
        "a creation returns the id of the previous batch", _batch_id_repeated
    ),
    "file-id-repeated": Behaviour(
        "an upload returns the id of the previous file", _file_id_repeated
    ),
    "upload-twice": Behaviour("an upload makes two files", _upload_twice),
    "upload-overwrites": Behaviour(
        "an upload replaces earlier files of the same name", _upload_overwrites
    ),
    "retrieve-writes": Behaviour("retrieving a batch adds to its metadata", _retrieve_writes),
    "retrieve-cancels": Behaviour(
        "retrieving a batch that is in_queue cancels it", _retrieve_cancels
    ),
    "retrieve-once": Behaviour(
        "a finished batch can be retrieved once, then the response is 404",
        _gone_after_once("retrieve-once", RETRIEVE, *FINISHED),
    ),
    "list-cancels": Behaviour("listing a batch that is in_queue cancels it", _list_cancels),
    "list-once": Behaviour("a batch is listed only once", _list_once),
    "list-turns": Behaviour("every second list of batches is in reverse order", _list_turns),
    "content-once": Behaviour(
        "the content of a file can be read once, then the response is 404",
        _gone_after_once("content-once", CONTENT),
    ),
    "download-once": Behaviour(
        "a result file can be downloaded once, then the response is 404",
        _gone_after_once("download-once", RESULT),
    ),
    "download-changes": Behaviour(
        "a result file lacks its first line when it is downloaded again",
        altering(_download_changes, RESULT),
    ),
}
