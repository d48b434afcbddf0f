"""
Faults of coherence: one answer contradicts itself, another answer, or the result files.

The documents: every `_at` is in Unix seconds and comes with its status; expires_at is the window
behind created_at; request_counts count every line; successes are in output_file_id, failures in
error_file_id, and custom_id ties each to the input.
"""

from collections.abc import Callable
from typing import Any

import orjson

from ..batches import completions
from ..batches.lifecycle import Batch
from ..refusals import not_found
from ..service import Service
from ..switches.switchboard import Behaviour, saying
from .altering import Body, Replace, again, altering_files, altering_listed

HOUR = 3600
KINDS = ("output", "error")


def _saying_when(when: Callable[[Batch], bool], change: Callable[[Body], Body]) -> Replace:
    def rewrite(body: Body, batch: Batch) -> None:
        if when(batch):
            body.update(change(body))

    return saying(rewrite)


def _once_completed(change: Callable[[Body], Body]) -> Replace:
    return _saying_when(lambda batch: batch.status == "completed", change)


def _once_final(change: Callable[[Body], Body]) -> Replace:
    return _saying_when(lambda batch: batch.final, change)


def _counted(change: Callable[[Body], Body]) -> Replace:
    def rewrite(body: Body, _: Batch) -> None:
        if body["request_counts"]:
            body["request_counts"] = {**body["request_counts"], **change(body["request_counts"])}

    return saying(rewrite)


def _counted_early(body: Body, batch: Batch) -> None:
    if batch.status == "in_queue":
        body["request_counts"] = {"total": batch.total, "completed": batch.total, "failed": 0}


def _milliseconds(body: Body, _: Batch) -> None:
    for name in body:
        if name.endswith("_at") and body[name] is not None:
            body[name] *= 1000


def _moving(name: str, *stamps: str) -> Replace:
    """These times are a minute later each time the batch is looked at."""

    def replace(sound: Any, service: Service) -> Any:
        def view(batch: Batch, link: Any) -> Body:
            body: Body = sound(batch, link)
            late = again(service, name, batch.id)
            return {**body, **{stamp: body[stamp] + 60 * late for stamp in stamps if body[stamp]}}

        return view

    return replace


def _errors_late(sound: Any, service: Service) -> Any:
    def view(batch: Batch, link: Any) -> Body:
        body: Body = sound(batch, link)
        if batch.status == "cancelled" and again(service, "cancelled-errors-late", batch.id):
            body["errors"] = ["The batch was cancelled."]
        return body

    return view


def _swapped(body: Body, _: Batch) -> None:
    body.update(output_file_id=body["error_file_id"], error_file_id=body["output_file_id"])


def _finished_unlisted(sound: Any, _: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        page, has_more = sound(account, limit, after)
        return [batch for batch in page if not batch.final], has_more

    return list_batches


def _results_gone(sound: Any, _: Service) -> Any:
    def result(token: str) -> Any:
        raise not_found()

    return result


def _results(change: Callable[[list[bytes], list[bytes]], list[bytes]]) -> Replace:
    """The lines of the output file are made of those of both files."""

    def replace(sound: Any, service: Service) -> Any:
        def publish(batch: Batch, at: float) -> None:
            paths = [service.storage.folder / f"{batch.id}_{kind}.jsonl" for kind in KINDS]
            output, error = (
                path.read_bytes().splitlines(keepends=True) if path.exists() else []
                for path in paths
            )
            if output:
                paths[0].write_bytes(b"".join(change(output, error)))
            sound(batch, at)

        return publish

    return replace


def _as_expired(sound: Any, _: Service) -> Any:
    def reply(batch: Batch, request: Body, *more: Any) -> Body:
        line: Body = sound(batch, request, *more)
        expired = {"response": None, "error": completions.EXPIRED}
        return line if completions.succeeded(line) else {**line, **expired}

    return reply


def _stranger(output: list[bytes], _: list[bytes]) -> list[bytes]:
    unasked = {**orjson.loads(output[0]), "id": "batch_req_0", "custom_id": "not-asked-for"}
    return [*output, orjson.dumps(unasked) + b"\n"]


FAULTS = {
    "milliseconds": Behaviour("timestamps are in milliseconds", "view", saying(_milliseconds)),
    "window-ignored": Behaviour(
        "`expires_at` is a day after creation whatever the window",
        "view",
        saying(lambda body, _: body.update(expires_at=body["created_at"] + 24 * HOUR)),
    ),
    "start-forgotten": Behaviour(
        "a finished batch has no `in_progress_at`",
        "view",
        _once_final(lambda _: {"in_progress_at": None}),
    ),
    "completed-before-created": Behaviour(
        "`completed_at` is a minute before `created_at`",
        "view",
        _once_completed(lambda body: {"completed_at": body["created_at"] - 60}),
    ),
    "finalizing-after-completed": Behaviour(
        "`finalizing_at` is a minute after `completed_at`",
        "view",
        _once_completed(lambda body: {"finalizing_at": body["completed_at"] + 60}),
    ),
    "completed-without-time": Behaviour(
        "`completed_at` of a completed batch is null",
        "view",
        _once_completed(lambda _: {"completed_at": None}),
    ),
    "cancelled-without-time": Behaviour(
        "`cancelled_at` of a cancelled batch is null",
        "view",
        _once_final(lambda _: {"cancelled_at": None}),
    ),
    "ended-twice": Behaviour(
        "a completed batch has a `failed_at` as well",
        "view",
        _once_completed(lambda body: {"failed_at": body["completed_at"]}),
    ),
    "end-foretold": Behaviour(
        "`completed_at` has a time before the batch is completed",
        "view",
        _saying_when(
            lambda batch: not batch.final, lambda body: {"completed_at": body["created_at"] + 1}
        ),
    ),
    "created-at-moves": Behaviour(
        "`created_at` and `expires_at` are a minute later each time they are read",
        "view",
        _moving("created-at-moves", "created_at", "expires_at"),
    ),
    "input-file-changes": Behaviour(
        "a completed batch names another input file than at its creation",
        "view",
        _once_completed(lambda _: {"input_file_id": "file-another"}),
    ),
    "errors-when-completed": Behaviour(
        "a completed batch has errors",
        "view",
        _once_completed(lambda _: {"errors": ["The batch failed."]}),
    ),
    "cancelled-errors-late": Behaviour(
        "a cancelled batch has errors the second time it is looked at", "view", _errors_late
    ),
    "counts-twice": Behaviour(
        "failed lines count as completed as well",
        "view",
        _counted(lambda counts: {"completed": counts["completed"] + counts["failed"]}),
    ),
    "total-short": Behaviour(
        "`total` is one too few", "view", _counted(lambda counts: {"total": counts["total"] - 1})
    ),
    "counts-zero": Behaviour(
        "no line ever counts", "view", _counted(lambda _: {"completed": 0, "failed": 0})
    ),
    "counts-early": Behaviour(
        "every line counts as completed while the batch is in_queue", "view", saying(_counted_early)
    ),
    "output-missing": Behaviour(
        "`output_file_id` never comes",
        "view",
        saying(lambda body, _: body.update(output_file_id=None)),
    ),
    "output-early": Behaviour(
        "an unfinished batch names its input as its output",
        "view",
        _saying_when(
            lambda batch: not batch.final, lambda body: {"output_file_id": body["input_file_id"]}
        ),
    ),
    "error-file-missing": Behaviour(
        "`error_file_id` never comes",
        "view",
        saying(lambda body, _: body.update(error_file_id=None)),
    ),
    "error-file-always": Behaviour(
        "where no line failed, `error_file_id` names the output file",
        "view",
        _once_final(
            lambda body: {"error_file_id": body["error_file_id"] or body["output_file_id"]}
        ),
    ),
    "files-exchanged": Behaviour(
        "`output_file_id` and `error_file_id` are exchanged", "view", saying(_swapped)
    ),
    "results-gone": Behaviour("a result file is answered with 404", "result", _results_gone),
    "line-lost": Behaviour(
        "the last answered line is missing from the output file",
        "execution.publish",
        _results(lambda output, _: output[:-1]),
    ),
    "line-repeated": Behaviour(
        "the first answered line stands twice in the output file",
        "execution.publish",
        _results(lambda output, _: [*output, output[0]]),
    ),
    "line-unasked": Behaviour(
        "the output file has a custom_id that was never sent",
        "execution.publish",
        _results(_stranger),
    ),
    "results-mixed": Behaviour(
        "failed lines stand in the output file as well",
        "execution.publish",
        _results(lambda output, error: output + error),
    ),
    "failed-line-expired": Behaviour(
        "a line that failed says batch_expired, and its batch was completed",
        "execution.reply",
        _as_expired,
    ),
    "finished-unlisted": Behaviour(
        "a finished batch is not listed", "list_batches", _finished_unlisted
    ),
    "listed-earlier": Behaviour(
        "`created_at` is an hour earlier in the list than in the batch itself",
        "app",
        altering_listed(lambda batch: {**batch, "created_at": batch["created_at"] - HOUR}),
    ),
    "line-count-off": Behaviour(
        "`line_count` is one too many",
        "app",
        altering_files(lambda file: {**file, "line_count": file["line_count"] + 1}),
    ),
    "listed-bytes-zero": Behaviour(
        "the list of files says 0 bytes", "app", altering_files(lambda file: {**file, "bytes": 0})
    ),
    "listed-file-earlier": Behaviour(
        "`created_at` of a listed file is an hour before its upload",
        "app",
        altering_files(lambda file: {**file, "created_at": file["created_at"] - HOUR}),
    ),
}
