"""
Faults of repetition: what is asked twice is done twice, reading changes something, ids are reused.

The documents: a cancel is on its way once; retrieve, list and download only look; a creation makes
one batch and a refused one none; an id names one object.
"""

import contextlib
from typing import Any

from attrs import evolve

from ..batches.lifecycle import move
from ..inputs.batch_request import ENDPOINT
from ..refusals import Refused, bad_request
from ..service import Service
from ..state.storage import File
from ..switches.switchboard import Behaviour
from .altering import CONTENT, RESULT, RETRIEVE, Answer, Replace, again, altering

FINISHED = ("completed", "cancelled", "failed", "expired")


def _cancel_moves(sound: Any, service: Service) -> Any:
    def cancel(account: str, batch_id: str) -> Any:
        batch = service.retrieve(account, batch_id)
        if batch.status == "cancelling":
            batch.stamps["cancelling"] += 1
        return sound(account, batch_id)

    return cancel


def _cancel_broken(sound: Any, service: Service) -> Any:
    def cancel(account: str, batch_id: str) -> Any:
        if service.retrieve(account, batch_id).status == "cancelling":
            raise Refused(500, "Internal Server Error")
        return sound(account, batch_id)

    return cancel


def _cancel_resumes(sound: Any, service: Service) -> Any:
    def cancel(account: str, batch_id: str) -> Any:
        batch = service.retrieve(account, batch_id)
        if batch.status != "cancelling":
            return sound(account, batch_id)
        del batch.stamps["cancelling"]
        batch.status = "in_progress" if "in_progress" in batch.stamps else "in_queue"
        return batch

    return cancel


def _refusal_stamps(status: str, stamp: str) -> Replace:
    """A cancel that comes too late is refused, and moves a time all the same."""

    def replace(sound: Any, service: Service) -> Any:
        def cancel(account: str, batch_id: str) -> Any:
            batch = service.retrieve(account, batch_id)
            if batch.status == status:
                batch.stamps[stamp] = batch.stamps.get(stamp, service.clock.now()) + 1
            return sound(account, batch_id)

        return cancel

    return replace


def _create_twice(sound: Any, _: Service) -> Any:
    def create(account: str, body: object) -> Any:
        sound(account, body)
        return sound(account, body)

    return create


def _create_merged(sound: Any, service: Service) -> Any:
    def create(account: str, body: Any) -> Any:
        for batch in service.accounts[account].batches:
            if isinstance(body, dict) and batch.input_file_id == body.get("input_file_id"):
                return batch
        return sound(account, body)

    return create


def _refused_creates(sound: Any, service: Service) -> Any:
    def create(account: str, body: Any) -> Any:
        try:
            return sound(account, body)
        except Refused:
            legal = {"endpoint": ENDPOINT, "completion_window": "24h"}
            for file in service.accounts[account].uploads[::-1]:
                with contextlib.suppress(Refused):
                    sound(account, {**legal, "input_file_id": file.id})
                    break
            raise

    return create


def _used_once(sound: Any, service: Service) -> Any:
    def create(account: str, body: Any) -> Any:
        used = {batch.input_file_id for batch in service.accounts[account].batches}
        if isinstance(body, dict) and body.get("input_file_id") in used:
            raise bad_request("The input file was used before.")
        return sound(account, body)

    return create


def _batch_id_repeated(sound: Any, service: Service) -> Any:
    def create(account: str, body: object) -> Any:
        batch = sound(account, body)
        before = service.accounts[account].batches[-2:-1]
        return evolve(batch, id=before[0].id) if before else batch

    return create


def _file_id_repeated(sound: Any, service: Service) -> Any:
    def upload(file: File) -> Any:
        body = sound(file)
        before = service.accounts[file.account].uploads[-2:-1]
        return {**body, "data": {**body["data"], "id": before[0].id}} if before else body

    return upload


def _upload_twice(sound: Any, service: Service) -> Any:
    def upload(file: File) -> Any:
        sound(evolve(file, id=service.storage.new_id("file-")))
        return sound(file)

    return upload


def _upload_overwrites(sound: Any, service: Service) -> Any:
    def upload(file: File) -> Any:
        for older in service.accounts[file.account].uploads:
            if older.name == file.name:
                service.storage.files[older.id] = evolve(file, id=older.id)
        return sound(file)

    return upload


def _retrieve_writes(sound: Any, _: Service) -> Any:
    def retrieve(account: str, batch_id: str) -> Any:
        batch = sound(account, batch_id)
        batch.metadata = {**(batch.metadata or {}), "read": "yes"}
        return batch

    return retrieve


def _retrieve_cancels(sound: Any, service: Service) -> Any:
    def retrieve(account: str, batch_id: str) -> Any:
        batch = sound(account, batch_id)
        if batch.status == "in_queue":
            move(batch, "cancel", service.clock.now())
        return batch

    return retrieve


def _list_cancels(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        page, has_more = sound(account, limit, after)
        for batch in page:
            if batch.status == "in_queue":
                move(batch, "cancel", service.clock.now())
        return page, has_more

    return list_batches


def _list_once(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        page, has_more = sound(account, limit, after)
        return [batch for batch in page if not again(service, "list-once", batch.id)], has_more

    return list_batches


def _list_turns(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        page, has_more = sound(account, limit, after)
        return page[::-1] if again(service, "list-turns", account) % 2 else page, has_more

    return list_batches


def _gone_next_time(name: str, operation: str, *statuses: str) -> Replace:
    """What was answered once is unknown from then on; batches in one of these statuses alone."""

    def change(answer: Answer) -> None:
        meant = not statuses or answer.json["status"] in statuses
        if meant and again(answer.service, name, answer.scope["path"]):
            answer.status, answer.json = 404, "404 page not found"
            answer.headers["content-type"] = "application/json"

    return altering(change, operation)


def _download_changes(answer: Answer) -> None:
    if again(answer.service, "download-changes", answer.scope["path"]):
        answer.body = answer.body.partition(b"\n")[2]


FAULTS = {
    "cancel-twice-moves": Behaviour(
        "a second cancel moves `cancelling_at` on by a second", "cancel", _cancel_moves
    ),
    "cancel-twice-500": Behaviour("a second cancel is answered with 500", "cancel", _cancel_broken),
    "cancel-twice-resumes": Behaviour(
        "a second cancel takes the first one back", "cancel", _cancel_resumes
    ),
    "cancelled-again": Behaviour(
        "a cancel of a cancelled batch is refused and moves `cancelled_at`",
        "cancel",
        _refusal_stamps("cancelled", "cancelled"),
    ),
    "completed-cancelling": Behaviour(
        "a cancel of a completed batch is refused and sets `cancelling_at`",
        "cancel",
        _refusal_stamps("completed", "cancelling"),
    ),
    "create-twice": Behaviour("a creation makes two batches", "create", _create_twice),
    "create-merged": Behaviour(
        "a second creation from a file answers with its first batch", "create", _create_merged
    ),
    "create-refused-kept": Behaviour(
        "a refused creation makes a batch of the latest upload", "create", _refused_creates
    ),
    "input-used-once": Behaviour("a file is good for one batch only", "create", _used_once),
    "batch-id-repeated": Behaviour(
        "a creation is answered with the id of the batch before", "create", _batch_id_repeated
    ),
    "file-id-repeated": Behaviour(
        "an upload is answered with the id of the file before", "upload", _file_id_repeated
    ),
    "upload-twice": Behaviour("an upload makes two files", "upload", _upload_twice),
    "upload-overwrites": Behaviour(
        "an upload takes the place of earlier ones of its name", "upload", _upload_overwrites
    ),
    "retrieve-writes": Behaviour(
        "reading a batch adds to its metadata", "retrieve", _retrieve_writes
    ),
    "retrieve-cancels": Behaviour(
        "reading a batch that is in_queue cancels it", "retrieve", _retrieve_cancels
    ),
    "retrieve-once": Behaviour(
        "a finished batch can be read once, then it is answered with 404",
        "app",
        _gone_next_time("retrieve-once", RETRIEVE, *FINISHED),
    ),
    "list-cancels": Behaviour(
        "listing a batch that is in_queue cancels it", "list_batches", _list_cancels
    ),
    "list-once": Behaviour("a batch is listed once only", "list_batches", _list_once),
    "list-turns": Behaviour(
        "every second list of batches is in the reverse order", "list_batches", _list_turns
    ),
    "content-once": Behaviour(
        "the content of a file can be read once, then it is answered with 404",
        "app",
        _gone_next_time("content-once", CONTENT),
    ),
    "download-once": Behaviour(
        "a result file can be read once, then it is answered with 404",
        "app",
        _gone_next_time("download-once", RESULT),
    ),
    "download-changes": Behaviour(
        "a result file loses its first line when it is read again",
        "app",
        altering(_download_changes, RESULT),
    ),
}
