"""
Deliberate defects, to prove that the conformance suite sees them.

Rule 1: a fault is a row of FAULTS and breaks one thing; the sound code knows of no faults.
Rule 2: each fault contradicts the documents. What the service may legally do is not a fault.
"""

from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, evolve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .lifecycle import Batch
from .lines import Inspection
from .refusals import Refused
from .service import Service
from .storage import File

Body = dict[str, Any]
EVERYTHING = 10**9


@define(frozen=True)
class Fault:
    """
    `target` is a method of the service, of its `storage` or `execution`, or `app`, the application;
    `broken` gets the sound one, and the service, and returns what takes its place.
    """

    description: str
    target: str
    broken: Callable[[Any, Service], Any]


def check(names: Iterable[str]) -> None:
    """Raises `ValueError` on a name that is not in FAULTS."""
    for name in names:
        if name not in FAULTS:
            raise ValueError(f"There is no fault {name!r}. The faults are: {', '.join(FAULTS)}.")


def install(service: Service, app: ASGIApp, names: Iterable[str]) -> ASGIApp:
    """Breaks `service` and returns the application to serve."""
    for name in names:
        fault = FAULTS[name]
        if fault.target == "app":
            app = fault.broken(app, service)
            continue
        part, _, method = fault.target.rpartition(".")
        owner = getattr(service, part) if part else service
        setattr(owner, method, fault.broken(getattr(owner, method), service))
    return app


def _saying(change: Callable[[Body, Batch], None]) -> Callable[[Any, Service], Any]:
    """A fault of what is said of a batch: `change` spoils the body."""

    def broken(sound: Any, _: Service) -> Any:
        def view(batch: Batch, link: Callable[[str], str]) -> Body:
            body: Body = sound(batch, link)
            change(body, batch)
            return body

        return view

    return broken


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
    def list_batches(account: int, limit: int, after: str | None) -> Any:
        everything = sound(account, EVERYTHING, None)[0]
        ids = [batch.id for batch in everything]
        if after not in ids:
            return sound(account, limit, after)
        rest = everything[ids.index(after) :]
        return rest[:limit], len(rest) > limit

    return list_batches


def _retrieve_shared(sound: Any, service: Service) -> Any:
    def retrieve(account: int, batch_id: str) -> Any:
        batch = service.batches.get(batch_id)
        return sound(account if batch is None else batch.account, batch_id)

    return retrieve


def _cancel_finished(sound: Any, service: Service) -> Any:
    def cancel(account: int, batch_id: str) -> Any:
        batch = service.retrieve(account, batch_id)
        if not batch.final:
            return sound(account, batch_id)
        batch.status = "cancelled"
        batch.stamps.setdefault("cancelling", service.clock.now())
        batch.stamps.setdefault("cancelled", service.clock.now())
        return batch

    return cancel


def _unknown_invented(sound: Any, service: Service) -> Any:
    def retrieve(account: int, batch_id: str) -> Any:
        try:
            return sound(account, batch_id)
        except Refused:
            return Batch(batch_id, account, "file-x", "x.jsonl", 1, 24, service.clock.now())

    return retrieve


def _replace_ignored(sound: Any, _: Service) -> Any:
    def create(account: int, body: object) -> Batch:
        batch: Batch = sound(account, body)
        batch.model = None
        return batch

    return create


def _line_lost(sound: Any, service: Service) -> Any:
    def publish(batch: Batch, at: float) -> None:
        path = service.storage.folder / f"{batch.id}_output.jsonl"
        if path.exists():
            path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
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
            file = service.storage.files[file.id] = evolve(file, inspection=lenient)
        return file

    return keep_input


def _upload_renamed(sound: Any, _: Service) -> Any:
    def upload(account: int, name: str, source: Any) -> Any:
        return sound(account, name.lower().replace(" ", "_"), source)

    return upload


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
    "after-ignored": Fault(
        "every page is the first one",
        "list_batches",
        lambda sound, _: lambda account, limit, after: sound(account, limit, None),
    ),
    "after-inclusive": Fault(
        "a page begins with the batch that `after` names", "list_batches", _after_inclusive
    ),
    "limit-ignored": Fault(
        "a page holds every batch",
        "list_batches",
        lambda sound, _: lambda account, limit, after: sound(account, EVERYTHING, after),
    ),
    "has-more-false": Fault(
        "`has_more` is false on every page",
        "list_batches",
        lambda sound, _: lambda account, limit, after: (sound(account, limit, after)[0], False),
    ),
    "list-shared": Fault(
        "every account sees the first one's batches",
        "list_batches",
        lambda sound, _: lambda account, limit, after: sound(0, limit, after),
    ),
    "retrieve-shared": Fault(
        "a batch can be read with another account's key", "retrieve", _retrieve_shared
    ),
    "unknown-invented": Fault(
        "an unknown batch is answered with an invention", "retrieve", _unknown_invented
    ),
    "any-key": Fault(
        "every key opens the first account", "authenticate", lambda sound, _: lambda header: 0
    ),
    "cancel-finished": Fault("a finished batch can be cancelled", "cancel", _cancel_finished),
    "cancel-ignored": Fault(
        "a cancel answers 200 and does nothing", "cancel", lambda sound, service: service.retrieve
    ),
    "metadata-lost": Fault(
        "metadata is not kept", "view", _saying(lambda body, _: body.update(metadata=None))
    ),
    "window-ignored": Fault(
        "`expires_at` is a day after creation whatever the window",
        "view",
        _saying(lambda body, _: body.update(expires_at=body["created_at"] + 86_400)),
    ),
    "milliseconds": Fault("timestamps are in milliseconds", "view", _saying(_milliseconds)),
    "counts-twice": Fault("failed lines count as completed as well", "view", _saying(_count_twice)),
    "start-forgotten": Fault(
        "a finished batch has no `in_progress_at`", "view", _saying(_forget_start)
    ),
    "output-missing": Fault(
        "`output_file_id` never comes",
        "view",
        _saying(lambda body, _: body.update(output_file_id=None)),
    ),
    "replace-ignored": Fault("`replace.model` changes nothing", "create", _replace_ignored),
    "never-started": Fault(
        "a batch stays in the queue for ever",
        "execution.settle",
        lambda sound, _: lambda batch, now: None,
    ),
    "line-lost": Fault(
        "the last answered line is missing from the output file", "execution.publish", _line_lost
    ),
    "results-mixed": Fault(
        "failed lines stand in the output file as well", "execution.publish", _results_mixed
    ),
    "custom-id-twice": Fault(
        "a custom_id may stand twice in a file", "storage.keep_input", _custom_id_twice
    ),
    "upload-renamed": Fault("the name of an upload is changed", "upload", _upload_renamed),
    "errors-as-objects": Fault("404 is answered with an object", "app", _errors_as_objects),
}
