"""
Checks of the content of one response: against its request, and against itself.
"""

import re
from typing import Any

from .exchange import (
    FINAL_STATUSES,
    RESULT_FIELDS,
    WAITING_STATUSES,
    Exchange,
    batches,
    files,
    the_batch,
    uploaded,
)

HOUR, DAY = 3_600, 86_400
EARLIEST = 1_672_531_200  # the beginning of 2023
ADDRESS = re.compile(r"[A-Za-z0-9_-]+|https?://[^/?#\s]+([/?#]\S*)?")  # of a result file
PLAIN_NAME = re.compile(r"[a-z0-9._-]+")
# Timestamps in the order of the lifecycle, for each way that a batch can take.
ORDERS = (
    ("created_at", "in_progress_at", "finalizing_at", "completed_at"),
    ("created_at", "cancelling_at", "cancelled_at"),
    ("created_at", "expired_at"),
    ("created_at", "failed_at"),
)
# The timestamps that a batch in a status has, where the response includes them at all.
REACHED = {
    "in_progress": ("in_progress_at",),
    "finalizing": ("in_progress_at", "finalizing_at"),
    "completed": ("in_progress_at", "finalizing_at", "completed_at"),
    "failed": ("failed_at",),
    "expired": ("expired_at",),
    "cancelling": ("cancelling_at",),
    "cancelled": ("cancelling_at", "cancelled_at"),
}


def echoes_the_request(creation: Exchange) -> str | None:
    """the input_file_id, the endpoint and the completion_window of the request"""
    if not creation.succeeded:
        return None
    names = ("input_file_id", "endpoint", "completion_window")
    sent = {name: creation.request_json.get(name) for name in names}
    return _difference(sent, the_batch(creation))


def echoes_metadata(creation: Exchange) -> str | None:
    """the metadata of the request; none where the request has none"""
    if not creation.succeeded:
        return None
    sent = creation.request_json.get("metadata") or {}
    returned = the_batch(creation).get("metadata") or {}
    return None if sent == returned else f"sent {sent}, returned {returned}"


def is_unfinished(creation: Exchange) -> str | None:
    """a new batch: without a final status, results and a final timestamp"""
    if not creation.succeeded:
        return None
    batch = the_batch(creation)
    names = [f"{status}_at" for status in FINAL_STATUSES] + [*RESULT_FIELDS]
    early = {name: batch[name] for name in names if batch.get(name)}
    if early:
        return f"{early}"
    status = batch.get("status")
    return f"status {status!r}" if status in FINAL_STATUSES else None


def begins_with_a_documented_status(creation: Exchange) -> str | None:
    """status in_queue, validating or in_progress"""
    batch = the_batch(creation)
    known = (*WAITING_STATUSES, "in_progress", *FINAL_STATUSES)  # CREATE-4 is about the last ones
    return f"status {batch.get('status')!r}" if batch and batch.get("status") not in known else None


def created_at_is_now(exchange: Exchange) -> str | None:
    """a creation time within an hour of now, in Unix seconds"""
    batch = the_batch(exchange)
    for item in (*([batch] if batch else ()), *files(exchange).values()):
        time = item.get("created_at", item.get("createdAt"))
        if type(time) is int and abs(time - exchange.at) > HOUR:
            return f"{time}, and now is {int(exchange.at)}"
    return None


def timestamps_are_seconds(exchange: Exchange) -> str | None:
    """every timestamp in Unix seconds, between 2023 and a year from now"""
    for batch in batches(exchange).values():
        for name, time in batch.items():
            is_wrong = type(time) is int and not EARLIEST <= time <= exchange.at + 366 * DAY
            if name.endswith("_at") and is_wrong:
                return f"{name} {time}"
    return None


def past_events_are_not_ahead(exchange: Exchange) -> str | None:
    """no event of the past more than an hour ahead"""
    for batch in batches(exchange).values():
        for name, time in batch.items():
            is_event = name.endswith("_at") and name != "expires_at" and type(time) is int
            if is_event and time > exchange.at + HOUR:
                return f"{name} {time}, and now is {int(exchange.at)}"
    return None


def expired_at_is_not_early(exchange: Exchange) -> str | None:
    """an expired_at that is not before expires_at"""
    for batch in batches(exchange).values():
        expired, due = batch.get("expired_at"), batch.get("expires_at")
        if type(expired) is int and type(due) is int and expired < due:
            return f"expired_at {expired}, expires_at {due}"
    return None


def timestamps_are_in_order(exchange: Exchange) -> str | None:
    """timestamps in the order of the lifecycle"""
    for batch in batches(exchange).values():
        for names in ORDERS:
            times = [batch[name] for name in names if type(batch.get(name)) is int]
            if times != sorted(times):
                return f"{ {name: batch.get(name) for name in names} }"
    return None


def timestamps_match_status(exchange: Exchange) -> str | None:
    """a timestamp for each status that was reached, and none for another final status"""
    for batch in batches(exchange).values():
        status = batch.get("status", "")
        # The documents' examples leave some fields out; a field that is present must be set.
        unset = [n for n in REACHED.get(status, ()) if n in batch and batch[n] is None]
        others = [f"{final}_at" for final in FINAL_STATUSES if final != status]
        early = [*ORDERS[0][1:]] if status in WAITING_STATUSES else []
        wrong = [*unset, *(name for name in (*early, *others) if batch.get(name) is not None)]
        if wrong:
            return f"status {status!r} with { {name: batch.get(name) for name in wrong} }"
    return None


def expires_at_matches_window(exchange: Exchange) -> str | None:
    """expires_at equal to created_at plus completion_window"""
    for batch in batches(exchange).values():
        window, created, expires = (
            batch.get(name) for name in ("completion_window", "created_at", "expires_at")
        )
        hours = str(window).removesuffix("h")
        if not hours.isdecimal() or type(created) is not int or type(expires) is not int:
            continue
        if expires - created != int(hours) * HOUR:
            return f"{expires - created} s, and completion_window is {window}"
    return None


def counts_add_up(exchange: Exchange) -> str | None:
    """no negative count, completed plus failed at most total, and equal to it when completed"""
    for batch in batches(exchange).values():
        counts = batch.get("request_counts") or {}
        numbers: list[Any] = [*map(counts.get, ("total", "completed", "failed"))]
        if any(type(number) is not int for number in numbers):
            continue
        total, done = numbers[0], numbers[1] + numbers[2]
        is_short = batch.get("status") == "completed" and done != total
        if min(numbers) < 0 or done > total or is_short:
            return f"status {batch.get('status')!r} with {counts}"
    return None


def counts_are_complete(exchange: Exchange) -> str | None:
    """total, completed and failed, if there is any count"""
    for batch in batches(exchange).values():
        counts = batch.get("request_counts") or {}
        if counts and not {"total", "completed", "failed"} <= counts.keys():
            return f"request_counts {counts}"
    return None


def waiting_batch_counts_nothing(exchange: Exchange) -> str | None:
    """no completed and no failed lines in a waiting batch"""
    for batch in batches(exchange).values():
        counts = batch.get("request_counts") or {}
        done = (counts.get("completed") or 0) + (counts.get("failed") or 0)
        if batch.get("status") in WAITING_STATUSES and done:
            return f"status {batch.get('status')!r} with {counts}"
    return None


def result_files_match_counts(exchange: Exchange) -> str | None:
    """when completed, an output file if lines completed, and an error file if lines failed"""
    for batch in batches(exchange).values():
        counts = batch.get("request_counts") or {}
        for name, count in RESULT_FIELDS.items():
            has_file, lines = bool(batch.get(name)), counts.get(count)
            if batch.get("status") == "completed" and lines is not None and has_file != bool(lines):
                return f"{lines} lines {count}, and {name} is {batch.get(name)!r}"
    return None


def result_files_have_addresses(exchange: Exchange) -> str | None:
    """result files that are named by an id, or by an http or https URL with a host"""
    for batch in batches(exchange).values():
        for name in RESULT_FIELDS:
            reference = batch.get(name)
            if isinstance(reference, str) and reference and not ADDRESS.fullmatch(reference):
                return f"{name} {reference!r}"
    return None


def errors_are_strings(exchange: Exchange) -> str | None:
    """strings in the errors of a batch"""
    for batch in batches(exchange).values():
        errors = batch.get("errors") or []
        is_list = isinstance(errors, list)
        if not is_list or any(not isinstance(error, str) for error in errors):
            return f"errors {errors}"
    return None


def completed_batch_has_no_errors(exchange: Exchange) -> str | None:
    """no batch-level errors in a batch that is completed, waiting or in progress"""
    for batch in batches(exchange).values():
        status = batch.get("status")
        if status in ("completed", "in_queue", "in_progress", "finalizing") and batch.get("errors"):
            return f"status {status!r} with errors {batch['errors']}"
    return None


def waiting_batch_has_no_results(exchange: Exchange) -> str | None:
    """no result file in a waiting batch"""
    for batch in batches(exchange).values():
        results = {name: batch[name] for name in RESULT_FIELDS if batch.get(name)}
        if results and batch.get("status") in WAITING_STATUSES:
            return f"status {batch.get('status')!r} with {results}"
    return None


def matches_the_upload(upload: Exchange) -> str | None:
    """the name and the size of the uploaded file"""
    if not files(upload):
        return None
    name, content = uploaded(upload)
    (file,) = files(upload).values()
    # Unusual names are the subject of another requirement.
    plain = {"filename": name} if PLAIN_NAME.fullmatch(name) else {}
    return _difference({**plain, "bytes": len(content)}, file)


def unknown_file_is_refused(creation: Exchange, upload: Exchange) -> str | None:
    """400 or 404 for an unknown file; no other file is used instead"""
    if creation.status in (400, 404):
        return None
    used = the_batch(creation).get("input_file_id")
    return f"{creation.status} with input_file_id {used}; {list(files(upload))} was uploaded before"


def is_the_named_batch(exchange: Exchange) -> str | None:
    """the batch that the path names"""
    id = the_batch(exchange).get("id", exchange.path_id)
    return None if id == exchange.path_id else f"{id!r}, and the path names {exchange.path_id}"


def is_cancelling(cancel: Exchange) -> str | None:
    """status cancelling or cancelled"""
    status = the_batch(cancel).get("status")
    return None if status in ("cancelling", "cancelled") else f"status {status!r}"


def counts_all_lines(exchange: Exchange, lines: int) -> str | None:
    """a total equal to the number of lines in the input file"""
    counts = the_batch(exchange).get("request_counts") or {}
    return None if counts.get("total") == lines else f"{counts}, and the file has {lines} lines"


def _difference(sent: dict[str, Any], body: dict[str, Any]) -> str | None:
    returned = {name: body.get(name) for name in sent}
    return None if returned == sent else f"sent {sent}, returned {returned}"
