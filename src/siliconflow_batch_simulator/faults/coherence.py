"""
Faults of coherence: a response contradicts itself, another response, or the result files.

The documents: every `_at` is in Unix seconds and set when its status begins; expires_at is
created_at plus the window; request_counts count every line; successes are in output_file_id,
failures in error_file_id, and custom_id ties each to the input.
"""

from collections.abc import Callable

import orjson

from ..batches import completions
from ..batches.execution import Execution
from ..batches.lifecycle import Batch
from ..files.storage import File
from ..hooks import Replacement, replaces
from ..service.refusals import not_found
from ..service.service import Service
from ..switches.altering import (
    Body,
    Link,
    ListBatches,
    Page,
    Reply,
    View,
    altering_batch,
    altering_listed_batches,
    altering_listed_files,
)
from ..switches.switchboard import Behaviour
from .memory import times_before

HOUR = 3600
KINDS = ("output", "error")


def _updating(**fields: Callable[[Body], object]) -> Replacement:
    """Each field gets the value that its function makes of the body."""
    return _updating_when(lambda _: True, **fields)


def _updating_when(
    when: Callable[[Batch], bool], **fields: Callable[[Body], object]
) -> Replacement:
    """As `_updating`, for batches for which `when` is true."""

    def change(body: Body, batch: Batch) -> None:
        if when(batch):
            body.update({name: value(body) for name, value in fields.items()})

    return altering_batch(change)


def _is_completed(batch: Batch) -> bool:
    return batch.status == "completed"


def _is_final(batch: Batch) -> bool:
    return batch.final


def _is_open(batch: Batch) -> bool:
    return not batch.final


def _counting(change: Callable[[Body], Body]) -> Replacement:
    def rewrite(body: Body, _: Batch) -> None:
        if body["request_counts"]:
            body["request_counts"] = {**body["request_counts"], **change(body["request_counts"])}

    return altering_batch(rewrite)


def _without_counts(body: Body, _: Batch) -> None:
    if body["request_counts"] is None:
        del body["request_counts"]


def _counts_early(body: Body, batch: Batch) -> None:
    if batch.status == "in_queue":
        body["request_counts"] = {"total": batch.total, "completed": batch.total, "failed": 0}


def _milliseconds(body: Body, _: Batch) -> None:
    for name in body:
        if name.endswith("_at") and body[name] is not None:
            body[name] *= 1000


def _moving(fault: str, *stamps: str) -> Replacement:
    """These times are a minute later with each response that contains the batch."""

    @replaces(Service.view)
    def view(original: View, service: Service, batch: Batch, link: Link) -> Body:
        body = original(batch, link)
        minutes = times_before(service, fault, batch.id)
        return {**body, **{stamp: body[stamp] + 60 * minutes for stamp in stamps if body[stamp]}}

    return view


@replaces(Service.view)
def _cancelled_errors_late(original: View, service: Service, batch: Batch, link: Link) -> Body:
    body = original(batch, link)
    is_cancelled = batch.status == "cancelled"
    if is_cancelled and times_before(service, "cancelled-errors-late", batch.id):
        body["errors"] = ["The batch was cancelled."]
    return body


@replaces(Service.list_batches)
def _finished_unlisted(
    original: ListBatches, _: Service, account: str, limit: int, after: str | None
) -> Page:
    page, has_more = original(account, limit, after)
    return [batch for batch in page if not batch.final], has_more


@replaces(Service.result)
def _results_gone(original: Callable[[str], File], _: Service, token: str) -> File:
    raise not_found()


def _rewriting_output(change: Callable[[list[bytes], list[bytes]], list[bytes]]) -> Replacement:
    """`change` gets the lines of both result files and returns those of the output file."""

    @replaces(Execution.publish)
    def publish(
        original: Callable[[Batch, float], None], execution: Execution, batch: Batch, at: float
    ) -> None:
        paths = [execution.storage.folder / f"{batch.id}_{kind}.jsonl" for kind in KINDS]
        output, error = (
            path.read_bytes().splitlines(keepends=True) if path.exists() else [] for path in paths
        )
        if output:
            paths[0].write_bytes(b"".join(change(output, error)))
        original(batch, at)

    return publish


@replaces(Execution.reply)
def _failed_line_expired(
    original: Reply, _: Execution, batch: Batch, request: Body, id: str, at: int
) -> Body:
    line = original(batch, request, id, at)
    expired = {"response": None, "error": completions.EXPIRED}
    return line if completions.succeeded(line) else {**line, **expired}


def _with_unknown_line(output: list[bytes], _: list[bytes]) -> list[bytes]:
    unknown = {**orjson.loads(output[0]), "id": "batch_req_0", "custom_id": "not-asked-for"}
    return [*output, orjson.dumps(unknown) + b"\n"]


FAULTS = {
    "milliseconds": Behaviour("timestamps are in milliseconds", altering_batch(_milliseconds)),
    "window-ignored": Behaviour(
        "`expires_at` is a day after creation, whatever the window",
        _updating(expires_at=lambda body: body["created_at"] + 24 * HOUR),
    ),
    "start-forgotten": Behaviour(
        "a finished batch has no `in_progress_at`",
        _updating_when(_is_final, in_progress_at=lambda _: None),
    ),
    "completed-before-created": Behaviour(
        "`completed_at` is a minute before `created_at`",
        _updating_when(_is_completed, completed_at=lambda body: body["created_at"] - 60),
    ),
    "finalizing-after-completed": Behaviour(
        "`finalizing_at` is a minute after `completed_at`",
        _updating_when(_is_completed, finalizing_at=lambda body: body["completed_at"] + 60),
    ),
    "completed-without-time": Behaviour(
        "`completed_at` of a completed batch is null",
        _updating_when(_is_completed, completed_at=lambda _: None),
    ),
    "cancelled-without-time": Behaviour(
        "`cancelled_at` of a cancelled batch is null",
        _updating_when(_is_final, cancelled_at=lambda _: None),
    ),
    "ended-twice": Behaviour(
        "a completed batch also has a `failed_at`",
        _updating_when(_is_completed, failed_at=lambda body: body["completed_at"]),
    ),
    "end-foretold": Behaviour(
        "`completed_at` is set before the batch is completed",
        _updating_when(_is_open, completed_at=lambda body: body["created_at"] + 1),
    ),
    "created-at-moves": Behaviour(
        "`created_at` and `expires_at` are a minute later in each response",
        _moving("created-at-moves", "created_at", "expires_at"),
    ),
    "input-file-changes": Behaviour(
        "a completed batch names another input file than at its creation",
        _updating_when(_is_completed, input_file_id=lambda _: "file-another"),
    ),
    "errors-when-completed": Behaviour(
        "a completed batch has errors",
        _updating_when(_is_completed, errors=lambda _: ["The batch failed."]),
    ),
    "errors-as-numbers": Behaviour(
        "`errors` of a completed batch are numbers",
        _updating_when(_is_completed, errors=lambda _: [500]),
    ),
    "counts-missing": Behaviour(
        "`request_counts` is missing instead of null", altering_batch(_without_counts)
    ),
    "cancelled-errors-late": Behaviour(
        "a cancelled batch has errors from the second response on", _cancelled_errors_late
    ),
    "counts-twice": Behaviour(
        "failed lines also count as completed",
        _counting(lambda counts: {"completed": counts["completed"] + counts["failed"]}),
    ),
    "total-short": Behaviour(
        "`total` is one too small", _counting(lambda counts: {"total": counts["total"] - 1})
    ),
    "counts-stay-zero": Behaviour(
        "`completed` and `failed` are always 0", _counting(lambda _: {"completed": 0, "failed": 0})
    ),
    "counts-early": Behaviour(
        "every line counts as completed while the batch is in_queue", altering_batch(_counts_early)
    ),
    "output-missing": Behaviour(
        "`output_file_id` is always null", _updating(output_file_id=lambda _: None)
    ),
    "output-early": Behaviour(
        "an unfinished batch has its input file as `output_file_id`",
        _updating_when(_is_open, output_file_id=lambda body: body["input_file_id"]),
    ),
    "error-file-missing": Behaviour(
        "`error_file_id` is always null", _updating(error_file_id=lambda _: None)
    ),
    "error-file-always": Behaviour(
        "`error_file_id` names the output file if no line failed",
        _updating_when(
            _is_final, error_file_id=lambda body: body["error_file_id"] or body["output_file_id"]
        ),
    ),
    "files-exchanged": Behaviour(
        "`output_file_id` and `error_file_id` are swapped",
        _updating(
            output_file_id=lambda body: body["error_file_id"],
            error_file_id=lambda body: body["output_file_id"],
        ),
    ),
    "results-gone": Behaviour("downloading a result file returns 404", _results_gone),
    "line-lost": Behaviour(
        "the last line is missing from the output file",
        _rewriting_output(lambda output, _: output[:-1]),
    ),
    "line-repeated": Behaviour(
        "the first line is repeated in the output file",
        _rewriting_output(lambda output, _: [*output, output[0]]),
    ),
    "line-unasked": Behaviour(
        "the output file has a custom_id that is not in the input",
        _rewriting_output(_with_unknown_line),
    ),
    "results-mixed": Behaviour(
        "failed lines are in the output file too",
        _rewriting_output(lambda output, error: output + error),
    ),
    "failed-line-expired": Behaviour(
        "a failed line of a completed batch has the error batch_expired", _failed_line_expired
    ),
    "finished-unlisted": Behaviour("a finished batch is not listed", _finished_unlisted),
    "listed-earlier": Behaviour(
        "`created_at` is an hour earlier in the list than in the batch itself",
        altering_listed_batches(lambda batch: {**batch, "created_at": batch["created_at"] - HOUR}),
    ),
    "listed-input-id": Behaviour(
        "`input_file_id` of a listed batch is the batch's own id",
        altering_listed_batches(lambda batch: {**batch, "input_file_id": batch["id"]}),
    ),
    "listed-metadata": Behaviour(
        "the list shows the metadata of another batch",
        altering_listed_batches(lambda batch: {**batch, "metadata": {"description": "another"}}),
    ),
    "line-count-off": Behaviour(
        "`line_count` is one too large",
        altering_listed_files(lambda file: {**file, "line_count": file["line_count"] + 1}),
    ),
    "listed-bytes-zero": Behaviour(
        "`bytes` of a listed file is 0", altering_listed_files(lambda file: {**file, "bytes": 0})
    ),
    "listed-file-earlier": Behaviour(
        "`created_at` of a listed file is an hour before its upload",
        altering_listed_files(lambda file: {**file, "created_at": file["created_at"] - HOUR}),
    ),
}
