"""
Deliberate defects, to prove that the conformance suite sees them.

Rule 1: a fault is a row of FAULTS and breaks one thing; the sound code knows of no faults.
Rule 2: each fault contradicts the documents. What the service may legally do is not a fault.
"""

from typing import Any

from attrs import evolve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .lifecycle import Batch
from .lines import Inspection
from .refusals import Refused
from .service import Service
from .storage import File
from .switchboard import Behaviour, saying

Body = dict[str, Any]
EVERYTHING = 10**9


def _milliseconds(body: Body, _: Batch) -> None:
    for name in body:
        if name.endswith("_at") and body[name] is not None:
            body[name] *= 1000


def _count_twice(body: Body, _: Batch) -> None:
    if body["request_counts"]:
        body["request_counts"]["completed"] += body["request_counts"]["failed"]


def _forget_start(body: Body, batch: Batch) -> None:
    if batch.final:
        body["in_progress_at"] = None


def _after_inclusive(sound: Any, _: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        everything = sound(account, EVERYTHING, None)[0]
        ids = [batch.id for batch in everything]
        if after not in ids:
            return sound(account, limit, after)
        rest = everything[ids.index(after) :]
        return rest[:limit], len(rest) > limit

    return list_batches


def _retrieve_shared(sound: Any, service: Service) -> Any:
    def retrieve(account: str, batch_id: str) -> Any:
        batch = service.batches.get(batch_id)
        return sound(account if batch is None else batch.account, batch_id)

    return retrieve


def _cancel_finished(sound: Any, service: Service) -> Any:
    def cancel(account: str, batch_id: str) -> Any:
        batch = service.retrieve(account, batch_id)
        if not batch.final:
            return sound(account, batch_id)
        batch.status = "cancelled"
        batch.stamps.setdefault("cancelling", service.clock.now())
        batch.stamps.setdefault("cancelled", service.clock.now())
        return batch

    return cancel


def _unknown_invented(sound: Any, service: Service) -> Any:
    def retrieve(account: str, batch_id: str) -> Any:
        try:
            return sound(account, batch_id)
        except Refused:
            return Batch(batch_id, account, "file-x", "x.jsonl", 1, 24, service.clock.now())

    return retrieve


def _replace_ignored(sound: Any, _: Service) -> Any:
    def create(account: str, body: object) -> Batch:
        batch: Batch = sound(account, body)
        batch.model = None
        return batch

    return create


def _line_lost(sound: Any, service: Service) -> Any:
    def publish(batch: Batch, at: float) -> None:
        path = service.storage.folder / f"{batch.id}_output.jsonl"
        if path.exists():
            kept = path.read_bytes().split(b"\n")[:-2]
            path.write_bytes(b"".join(row + b"\n" for row in kept))
        sound(batch, at)

    return publish


def _results_mixed(sound: Any, service: Service) -> Any:
    def publish(batch: Batch, at: float) -> None:
        output = service.storage.folder / f"{batch.id}_output.jsonl"
        error = service.storage.folder / f"{batch.id}_error.jsonl"
        if error.exists():
            with output.open("ab") as file:
                file.write(error.read_bytes())
        sound(batch, at)

    return publish


def _custom_id_twice(sound: Any, service: Service) -> Any:
    def keep_input(*arguments: Any) -> File:
        file: File = sound(*arguments)
        if file.inspection and "earlier line" in (file.inspection.fault or ""):
            lenient = Inspection(file.inspection.lines, {"a-model"})
            file = evolve(file, inspection=lenient)
        return file

    return keep_input


def _upload_renamed(sound: Any, _: Service) -> Any:
    def keep_input(account: str, name: str, source: Any, at: float) -> Any:
        return sound(account, name.lower().replace(" ", "_"), source, at)

    return keep_input


def _errors_as_objects(sound: ASGIApp, _: Service) -> ASGIApp:
    body = b'{"error":{"message":"not found"}}'

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        unknown = False

        async def rewrite(message: Message) -> None:
            nonlocal unknown
            if message["type"] == "http.response.start" and message["status"] == 404:
                unknown = True
                headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                length = (b"content-length", str(len(body)).encode())
                message = {**message, "headers": [*headers, length]}
            elif unknown:
                message = {"type": "http.response.body", "body": body}
            await send(message)

        await sound(scope, receive, rewrite)

    return app


FAULTS = {
    "after-ignored": Behaviour(
        "every page is the first one",
        "list_batches",
        lambda sound, _: lambda account, limit, after: sound(account, limit, None),
    ),
    "after-inclusive": Behaviour(
        "a page begins with the batch that `after` names", "list_batches", _after_inclusive
    ),
    "limit-ignored": Behaviour(
        "a page holds every batch",
        "list_batches",
        lambda sound, _: lambda account, limit, after: sound(account, EVERYTHING, after),
    ),
    "has-more-false": Behaviour(
        "`has_more` is false on every page",
        "list_batches",
        lambda sound, _: lambda account, limit, after: (sound(account, limit, after)[0], False),
    ),
    "list-shared": Behaviour(
        "every account sees the first one's batches",
        "list_batches",
        lambda sound, service: (
            lambda account, limit, after: sound(next(iter(service.accounts)), limit, after)
        ),
    ),
    "retrieve-shared": Behaviour(
        "a batch can be read with another account's key", "retrieve", _retrieve_shared
    ),
    "unknown-invented": Behaviour(
        "an unknown batch is answered with an invention", "retrieve", _unknown_invented
    ),
    "any-key": Behaviour(
        "every key opens the first account",
        "authenticate",
        lambda sound, service: lambda header: next(iter(service.accounts)),
    ),
    "cancel-finished": Behaviour("a finished batch can be cancelled", "cancel", _cancel_finished),
    "cancel-ignored": Behaviour(
        "a cancel answers 200 and does nothing", "cancel", lambda sound, service: service.retrieve
    ),
    "metadata-lost": Behaviour(
        "metadata is not kept", "view", saying(lambda body, _: body.update(metadata=None))
    ),
    "window-ignored": Behaviour(
        "`expires_at` is a day after creation whatever the window",
        "view",
        saying(lambda body, _: body.update(expires_at=body["created_at"] + 86_400)),
    ),
    "milliseconds": Behaviour("timestamps are in milliseconds", "view", saying(_milliseconds)),
    "counts-twice": Behaviour(
        "failed lines count as completed as well", "view", saying(_count_twice)
    ),
    "start-forgotten": Behaviour(
        "a finished batch has no `in_progress_at`", "view", saying(_forget_start)
    ),
    "output-missing": Behaviour(
        "`output_file_id` never comes",
        "view",
        saying(lambda body, _: body.update(output_file_id=None)),
    ),
    "replace-ignored": Behaviour("`replace.model` changes nothing", "create", _replace_ignored),
    "never-started": Behaviour(
        "a batch stays in the queue for ever",
        "execution.settle",
        lambda sound, _: lambda batch, now: False,
    ),
    "line-lost": Behaviour(
        "the last answered line is missing from the output file", "execution.publish", _line_lost
    ),
    "results-mixed": Behaviour(
        "failed lines stand in the output file as well", "execution.publish", _results_mixed
    ),
    "custom-id-twice": Behaviour(
        "a custom_id may stand twice in a file", "storage.keep_input", _custom_id_twice
    ),
    "upload-renamed": Behaviour(
        "the name of an upload is changed", "storage.keep_input", _upload_renamed
    ),
    "errors-as-objects": Behaviour("404 is answered with an object", "app", _errors_as_objects),
}
