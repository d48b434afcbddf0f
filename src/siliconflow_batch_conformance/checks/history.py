"""
Checks of what two or more responses say about the same batch or the same file.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from .exchange import FINAL_STATUSES, RESULT_FIELDS, Exchange, batches, files, the_batch, uploaded

CREATED = ("endpoint", "input_file_id", "completion_window", "metadata", "created_at", "expires_at")
LISTED = ("endpoint", "completion_window", "created_at", "expires_at")
# For each status, those that may be seen next; a batch may pass through several between two looks.
NEXT = {
    "validating": {"in_queue", "in_progress", "finalizing", "cancelling", *FINAL_STATUSES},
    "in_queue": {"in_progress", "finalizing", "cancelling", *FINAL_STATUSES},
    "in_progress": {"finalizing", "cancelling", *FINAL_STATUSES},
    "finalizing": {"cancelling", *FINAL_STATUSES},
    "cancelling": {"cancelled"},
    **{status: set[str]() for status in FINAL_STATUSES},
}
COUNTS = ("total", "completed", "failed")


def matches_creation(created: Exchange, later: Exchange) -> str | None:
    """the batch as it was created"""
    return _first_change(created, later, CREATED)


def keeps_created_fields(before: Exchange, later: Exchange) -> str | None:
    """the fields of the creation, unchanged"""
    return _first_change(before, later, CREATED)


def status_may_follow(before: Exchange, later: Exchange) -> str | None:
    """the same status or one that may follow it"""
    for old, new in _pairs(before, later):
        was, now = old.get("status"), new.get("status")
        # Statuses that no document names are ignored.
        if was in NEXT and now in NEXT and now != was and now not in NEXT[was]:
            return f"{was}, then {now}"
    return None


def keeps_timestamps(before: Exchange, later: Exchange) -> str | None:
    """every timestamp that was set, unchanged"""
    for old, new in _pairs(before, later):
        for name, time in old.items():
            if name.endswith("_at") and time is not None and new.get(name, time) != time:
                return f"{name} {time}, then {new[name]}"
    return None


def counts_do_not_shrink(before: Exchange, later: Exchange) -> str | None:
    """counts that stay equal or grow"""
    for old, new in _pairs(before, later):
        was, now = old.get("request_counts") or {}, new.get("request_counts") or {}
        for name in COUNTS:
            if was.get(name) and now.get(name, 0) < was[name]:
                return f"{was}, then {now}"
    return None


def total_does_not_change(before: Exchange, later: Exchange) -> str | None:
    """the same total, once there is one"""
    for old, new in _pairs(before, later):
        was, now = old.get("request_counts") or {}, new.get("request_counts") or {}
        if was.get("total") and now.get("total", was["total"]) != was["total"]:
            return f"{was}, then {now}"
    return None


def has_own_result_files(other: Exchange, batch: Exchange) -> str | None:
    """result files that no other batch names"""
    theirs = {the_batch(other).get(name) for name in RESULT_FIELDS}
    for name in RESULT_FIELDS:
        reference = the_batch(batch).get(name)
        if reference and reference in theirs:
            return (
                f"{name} {reference!r} in {the_batch(other)['id']} and in {the_batch(batch)['id']}"
            )
    return None


def finds_nothing(response: Exchange) -> str | None:
    """no batch for an id that no batch has"""
    return f"{response.status} {response.text[:200]}" if response.succeeded else None


def finished_batch_is_unchanged(before: Exchange, later: Exchange) -> str | None:
    """a finished batch with the same results, counts and errors"""
    for old, new in _pairs(before, later):
        if old.get("status") in FINAL_STATUSES and new.get("status") == old["status"]:
            wrong = _difference(old, new, ("request_counts", "errors"))
            # A download URL may be signed again for each response, so only its presence counts.
            for name in RESULT_FIELDS:
                if bool(old.get(name)) != bool(new.get(name)):
                    wrong = f"{name} {old.get(name)!r}, then {new.get(name)!r}"
            if wrong:
                return wrong
    return None


def is_listed_as_retrieved(retrieved: Exchange, page: Exchange) -> str | None:
    """the batch in the list as it was retrieved"""
    for old, new in _pairs(retrieved, page):
        is_final = old.get("status") in FINAL_STATUSES
        times = [name for name in old if name.endswith("_at") and name in new]
        names = [*LISTED, *(("status", "request_counts", "errors", *times) if is_final else ())]
        if wrong := _difference(old, new, names):
            return wrong
    return None


def is_listed_with_its_input(retrieved: Exchange, page: Exchange) -> str | None:
    """the same `input_file_id` in the list and in the batch"""
    return _first_change(retrieved, page, ["input_file_id"])


def is_listed_with_its_metadata(retrieved: Exchange, page: Exchange) -> str | None:
    """the same metadata in the list and in the batch, where the list shows any"""
    shown = [(old, new) for old, new in _pairs(retrieved, page) if new.get("metadata")]
    return next(filter(None, (_difference(*pair, ["metadata"]) for pair in shown)), None)


def lists_file_name(upload: Exchange, page: Exchange) -> str | None:
    """the name of the input file with each batch of the list"""
    uploads = files(upload)
    for batch in batches(page).values():
        file = uploads.get(str(batch.get("input_file_id")))
        if file and "file_name" in batch and batch["file_name"] != file["filename"]:
            return f"file_name {batch['file_name']!r}, and the file is {file['filename']!r}"
    return None


def is_found(created: Exchange, later: Exchange) -> str | None:
    """200 for a batch that was created"""
    return None if later.status == 200 else f"{later.status} {later.text[:200]}"


def only_named_batches_are_cancelled(
    exchange: Exchange, created: list[Exchange], cancels: list[Exchange]
) -> str | None:
    """no cancelling or cancelled batch except those that a cancel request named"""
    named = {cancel.path_id for cancel in cancels}
    ours = {id for creation in created for id in batches(creation)}
    for id, batch in batches(exchange).items():
        if id in ours - named and batch.get("status") in ("cancelling", "cancelled"):
            return f"{id} is {batch['status']}, and the cancel requests named {sorted(named)}"
    return None


def has_new_batch_id(creation: Exchange, earlier: list[Exchange]) -> str | None:
    """an id that no earlier batch has"""
    used = {id for exchange in earlier for id in batches(exchange)}
    return next((f"{id} again" for id in batches(creation) if id in used), None)


def has_new_file_id(upload: Exchange, earlier: list[Exchange]) -> str | None:
    """an id that no earlier file has"""
    used = {id for exchange in earlier for id in files(exchange)}
    return next((f"{id} again" for id in files(upload) if id in used), None)


def finished_batch_is_not_cancelled(before: Exchange, cancel: Exchange) -> str | None:
    """a refusal (4xx): a finished batch cannot be cancelled"""
    if the_batch(before).get("status") not in FINAL_STATUSES or 400 <= cancel.status < 500:
        return None
    return f"{cancel.status} {cancel.text[:200]}"


def lists_the_upload(upload: Exchange, listing: Exchange) -> str | None:
    """the upload in the list, with its name, its size and its number of lines"""
    _, content = uploaded(upload)
    for id, file in files(upload).items():
        listed = files(listing).get(id)
        if listed is None:
            return f"no {id} in {list(files(listing))}"
        expected: dict[str, Any] = {"filename": file["filename"], "bytes": len(content)}
        lines = content.split(b"\n")
        # No document says how to count a blank line, or a last line without a newline.
        if not lines.pop() and all(lines):
            expected["line_count"] = len(lines)
        if wrong := _difference(expected, listed, expected):
            return wrong
    return None


def lists_upload_time(upload: Exchange, listing: Exchange) -> str | None:
    """created_at in the list equal to createdAt of the upload"""
    for id, file in files(upload).items():
        listed = files(listing).get(id)
        if listed is not None and listed.get("created_at") != file.get("createdAt"):
            return f"createdAt {file.get('createdAt')}, created_at {listed.get('created_at')}"
    return None


def content_equals_upload(upload: Exchange, download: Exchange) -> str | None:
    """the bytes that were uploaded"""
    _, content = uploaded(upload)
    if download.body == content:
        return None
    return f"{download.body[:200]!r}, and {content[:200]!r} was uploaded"


def is_the_same_file(before: Exchange, again: Exchange) -> str | None:
    """the same bytes as before"""
    if again.status == before.status and again.body == before.body:
        return None
    return f"{again.status} {again.body[:200]!r}, and before {before.status} {before.body[:200]!r}"


def ends_completed(looks: list[Exchange]) -> str | None:
    """completed as the last status"""
    wrong, errors = ends_with_status(looks, "completed"), the_batch(looks[-1]).get("errors")
    return f"{wrong}; errors: {errors}"[:600] if wrong and errors else wrong


def ends_with_status(looks: list[Exchange], status: str) -> str | None:
    """the expected last status"""
    statuses = [str(the_batch(look).get("status")) for look in looks]
    return None if statuses[-1] == status else f"{', '.join(statuses)}; not {status}"


def is_the_same_batch(before: Exchange, again: Exchange) -> str | None:
    """an unchanged batch"""
    names = [name for name in the_batch(before) if name not in RESULT_FIELDS]
    return _difference(the_batch(before), the_batch(again), names)


def was_cancelled(look: Exchange, cancel: Exchange, after: Exchange) -> str | None:
    """status cancelling or cancelled; 400 where the batch was finalizing or finished by then"""
    status = the_batch(cancel).get("status")
    is_late = the_batch(after).get("status") in ("finalizing", *FINAL_STATUSES)
    if status in ("cancelling", "cancelled") or (cancel.status == 400 and is_late):
        return None
    return f"{cancel.status}, status {status!r} after {the_batch(look).get('status')!r}"


def is_not_cancelled(look: Exchange) -> str | None:
    """a batch that is neither cancelling nor cancelled"""
    status = str(the_batch(look).get("status"))
    return f"status {status!r}" if status.startswith("cancel") else None


def second_cancel_changes_nothing(first: Exchange, second: Exchange) -> str | None:
    """a refused second cancel, or the same cancelling_at in both responses"""
    if 400 <= second.status < 500:
        return None
    times = [the_batch(exchange).get("cancelling_at") for exchange in (first, second)]
    return None if second.status == 200 and times[0] == times[1] else f"{second.status}, {times}"


def has_file_name(upload: Exchange, name: str) -> str | None:
    """the file name of the request"""
    names = [file.get("filename") for file in files(upload).values()]
    return None if names == [name] else f"{upload.status} {names}, not {name!r}"


def is_listed_once(upload: Exchange, listing: Exchange) -> str | None:
    """the upload once in the list of the newest files"""
    names = [file.get("filename") for file in files(listing).values()]
    for id, file in files(upload).items():
        if id not in files(listing):
            return f"no {id} in {list(files(listing))}"
        if names.count(file.get("filename")) != 1:
            return f"{names}"
    return None if files(upload) else f"{upload.status} {upload.text[:200]}"


def lists_all_uploads(listing: Exchange, uploads: list[Exchange], limit: int) -> str | None:
    """every upload, unless the list reaches its limit"""
    listed = files(listing)
    missing = [id for upload in uploads for id in files(upload) if id not in listed]
    return f"no {missing}" if missing and len(listed) < limit else None


def _pairs(before: Exchange, later: Exchange) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each batch that both responses show, as it was and as it is."""
    old, new = batches(before), batches(later)
    return ((old[id], new[id]) for id in old if id in new)


def _first_change(before: Exchange, later: Exchange, names: Iterable[str]) -> str | None:
    for old, new in _pairs(before, later):
        if wrong := _difference(old, new, names):
            return wrong
    return None


def _difference(old: dict[str, Any], new: dict[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        # {} and null mean the same for metadata and counts, and so do [] and null for errors.
        if (old.get(name) or None) != (new.get(name) or None):
            return f"{name} {old.get(name)!r}, then {new.get(name)!r}"
    return None
