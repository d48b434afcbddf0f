"""
Checks of what one answer says: against its request, and against itself.

Rule: nothing but `exchange` and the standard library (see there).
"""

import re
from typing import Any

from .exchange import Exchange, batches, files, the_batch, uploaded

HOUR, DAY = 3_600, 86_400
PLAIN_NAME = re.compile(r"[a-z0-9._-]+")
STAMPS = ("created_at", "in_progress_at", "finalizing_at", "completed_at")
ENDS = ("completed", "failed", "expired", "cancelled")
WAITING = ("validating", "in_queue")
# The times that a status must have, where the answer names them at all; and those it must not.
REACHED = {
    "in_progress": ("in_progress_at",),
    "finalizing": ("in_progress_at", "finalizing_at"),
    "completed": ("in_progress_at", "finalizing_at", "completed_at"),
    "failed": ("failed_at",),
    "expired": ("expired_at",),
    "cancelling": ("cancelling_at",),
    "cancelled": ("cancelling_at", "cancelled_at"),
}


def echoes_the_request(answer: Exchange) -> str | None:
    """the file, the endpoint and the window that were sent"""
    if answer.status != 200:
        return None
    names = ("input_file_id", "endpoint", "completion_window")
    return _differs({name: answer.request_json.get(name) for name in names}, the_batch(answer))


def echoes_metadata(answer: Exchange) -> str | None:
    """the metadata that was sent, pair for pair; none where none was sent"""
    if answer.status != 200:
        return None
    asked, said = answer.request_json.get("metadata") or {}, the_batch(answer).get("metadata") or {}
    return None if asked == said else f"sent {asked}, came back {said}"


def is_fresh(answer: Exchange) -> str | None:
    """a new batch: waiting or in progress, without results and without an end"""
    if answer.status != 200:
        return None
    batch = the_batch(answer)
    early = [f"{status}_at" for status in ENDS] + ["output_file_id", "error_file_id"]
    found = {name: batch[name] for name in early if batch.get(name)}
    if found:
        return f"{found}"
    status = batch.get("status")
    return None if status in (*WAITING, "in_progress") else f"status {status!r}"


def was_created_now(answer: Exchange) -> str | None:
    """a time of creation within an hour of the present, in Unix seconds"""
    for item in (*([the_batch(answer)] if the_batch(answer) else ()), *files(answer).values()):
        time = item.get("created_at", item.get("createdAt"))
        if type(time) is int and abs(time - answer.at) > HOUR:
            return f"{time}, and it is {int(answer.at)}"
    return None


def times_are_seconds(answer: Exchange) -> str | None:
    """every time in Unix seconds, from 2023 on and not beyond a year from now"""
    for batch in batches(answer).values():
        for name, time in batch.items():
            likely = 1_672_531_200 <= time <= answer.at + 366 * DAY if type(time) is int else True
            if name.endswith("_at") and not likely:
                return f"{name} {time}"
    return None


def expires_when_due(answer: Exchange) -> str | None:
    """a batch that expired no earlier than expires_at"""
    for batch in batches(answer).values():
        at, due = batch.get("expired_at"), batch.get("expires_at")
        if type(at) is int and type(due) is int and at < due:
            return f"expired_at {at}, expires_at {due}"
    return None


def times_are_in_order(answer: Exchange) -> str | None:
    """times in the order of the statuses that they are of"""
    for batch in batches(answer).values():
        for names in (
            STAMPS,
            ("created_at", "cancelling_at", "cancelled_at"),
            ("created_at", "expired_at"),
            ("created_at", "failed_at"),
        ):
            times = [batch[name] for name in names if type(batch.get(name)) is int]
            if times != sorted(times):
                return f"{ {name: batch.get(name) for name in names} }"
    return None


def status_has_its_times(answer: Exchange) -> str | None:
    """a status that was reached has its time, and no other end has one"""
    for batch in batches(answer).values():
        status = batch.get("status", "")
        # A field may be missing in an example of the documents, but not be null by then.
        unset = [n for n in REACHED.get(status, ()) if n in batch and batch[n] is None]
        other = [e for e in ENDS if e != status and batch.get(f"{e}_at") is not None]
        early = [n for n in STAMPS[1:] if status in WAITING and batch.get(n) is not None]
        if unset or other or early:
            wrong = {
                name: batch.get(name) for name in (*unset, *early, *(f"{e}_at" for e in other))
            }
            return f"status {status!r} with {wrong}"
    return None


def expires_with_its_window(answer: Exchange) -> str | None:
    """expires_at as long after created_at as completion_window says"""
    for batch in batches(answer).values():
        names = ("completion_window", "created_at", "expires_at")
        found: list[Any] = [*map(batch.get, names)]
        window, created, expires = found
        hours = str(window).removesuffix("h")
        known = hours.isdecimal() and type(created) is int and type(expires) is int
        if known and expires - created != int(hours) * 3600:
            return f"{expires - created} s, and the window is {window}"
    return None


def counts_add_up(answer: Exchange) -> str | None:
    """no count below zero, completed and failed no more than total, all of it when completed"""
    for batch in batches(answer).values():
        counts = batch.get("request_counts") or {}
        numbers: list[Any] = [*map(counts.get, ("total", "completed", "failed"))]
        if any(type(number) is not int for number in numbers):
            continue
        total, done = numbers[0], numbers[1] + numbers[2]
        short = batch.get("status") == "completed" and done != total
        if min(numbers) < 0 or done > total or short:
            return f"status {batch.get('status')!r} with {counts}"
    return None


def nothing_is_counted_early(answer: Exchange) -> str | None:
    """no line that is done in a batch that waits"""
    for batch in batches(answer).values():
        counts = batch.get("request_counts") or {}
        done = (counts.get("completed") or 0) + (counts.get("failed") or 0)
        if batch.get("status") in WAITING and done:
            return f"status {batch.get('status')!r} with {counts}"
    return None


def results_are_named(answer: Exchange) -> str | None:
    """when completed, an output file where lines were answered, an error file where lines failed"""
    for batch in batches(answer).values():
        counts = batch.get("request_counts") or {}
        for count, name in (("completed", "output_file_id"), ("failed", "error_file_id")):
            has, due = bool(batch.get(name)), counts.get(count)
            if batch.get("status") == "completed" and due is not None and has != bool(due):
                return f"{due} lines {count}, and {name} is {batch.get(name)!r}"
    return None


def errors_are_of_failures(answer: Exchange) -> str | None:
    """no errors of a batch as a whole on one that completed"""
    for batch in batches(answer).values():
        if batch.get("status") == "completed" and batch.get("errors"):
            return f"status 'completed' with errors {batch['errors']}"
    return None


def results_come_last(answer: Exchange) -> str | None:
    """no result file before the lines are done"""
    for batch in batches(answer).values():
        files = {n: batch[n] for n in ("output_file_id", "error_file_id") if batch.get(n)}
        if files and batch.get("status") in WAITING:
            return f"status {batch.get('status')!r} with {files}"
    return None


def describes_the_upload(answer: Exchange) -> str | None:
    """the name and the size of the file that was sent"""
    if not files(answer):
        return None
    name, data = uploaded(answer)
    (file,) = files(answer).values()
    # What becomes of unusual names is another requirement.
    plain = {"filename": name} if PLAIN_NAME.fullmatch(name) else {}
    return _differs({**plain, "bytes": len(data)}, file)


def is_of_no_other_file(answer: Exchange, upload: Exchange) -> str | None:
    """400 or 404: the named file is not there, and no other one takes its place"""
    if answer.status in (400, 404):
        return None
    made_of = the_batch(answer).get("input_file_id")
    return f"{answer.status}, of {made_of}; {list(files(upload))} was uploaded before"


def shows_a_cancel(answer: Exchange) -> str | None:
    """cancelling, or cancelled already"""
    status = the_batch(answer).get("status")
    return None if status in ("cancelling", "cancelled") else f"status {status!r}"


def counts_every_line(answer: Exchange, lines: int) -> str | None:
    """a total of as many lines as were sent"""
    counts = the_batch(answer).get("request_counts") or {}
    return None if counts.get("total") == lines else f"{counts}, and {lines} lines were sent"


def _differs(asked: dict[str, Any], said: dict[str, Any]) -> str | None:
    found = {name: said.get(name) for name in asked}
    return None if found == asked else f"sent {asked}, came back {found}"
