"""
Checks of what two answers or more say of the same batch or the same file.

Rule: nothing but `exchange` and the standard library (see there).
"""

from typing import Any

from .exchange import Exchange, batches, files, the_batch, uploaded

CREATED = ("endpoint", "input_file_id", "completion_window", "metadata", "created_at", "expires_at")
FINAL = ("completed", "failed", "expired", "cancelled")
# From each status, those that may be seen next; time passes between two looks.
NEXT = {
    "validating": {"in_queue", "in_progress", "finalizing", "cancelling", *FINAL},
    "in_queue": {"in_progress", "finalizing", "cancelling", *FINAL},
    "in_progress": {"finalizing", "cancelling", *FINAL},
    "finalizing": {"cancelling", *FINAL},
    "cancelling": {"cancelled"},
    **{status: set[str]() for status in FINAL},
}
RESULTS = ("output_file_id", "error_file_id")
COUNTED = ("total", "completed", "failed")


def agrees_with_its_creation(created: Exchange, later: Exchange) -> str | None:
    """the batch as it was created"""
    return _changed(created, later, CREATED)


def keeps_what_was_asked(before: Exchange, later: Exchange) -> str | None:
    """what was sent at the creation, unchanged"""
    return _changed(before, later, CREATED)


def goes_on(before: Exchange, later: Exchange) -> str | None:
    """the same status or one that may follow it"""
    for was, now in _pairs(before, later):
        old, new = was.get("status"), now.get("status")
        # A status that no document names may come and go.
        if old in NEXT and new in NEXT and new != old and new not in NEXT[old]:
            return f"{old}, then {new}"
    return None


def keeps_its_times(before: Exchange, later: Exchange) -> str | None:
    """a time that was set stays as it was"""
    for was, now in _pairs(before, later):
        for name, time in was.items():
            if name.endswith("_at") and time is not None and now.get(name, time) != time:
                return f"{name} {time}, then {now[name]}"
    return None


def counts_do_not_shrink(before: Exchange, later: Exchange) -> str | None:
    """counts that stay or grow"""
    for was, now in _pairs(before, later):
        old, new = was.get("request_counts") or {}, now.get("request_counts") or {}
        for name in COUNTED:
            if old.get(name) and new.get(name, 0) < old[name]:
                return f"{old}, then {new}"
    return None


def ends_once(before: Exchange, later: Exchange) -> str | None:
    """a finished batch as it was: its results, its counts, its errors"""
    for was, now in _pairs(before, later):
        if was.get("status") in FINAL and now.get("status") == was["status"]:
            wrong = _differing(was, now, ("request_counts", "errors"))
            # A download URL may be signed anew for each answer; that there is one stays.
            for name in RESULTS:
                if bool(was.get(name)) != bool(now.get(name)):
                    wrong = f"{name} {was.get(name)!r}, then {now.get(name)!r}"
            if wrong:
                return wrong
    return None


def is_listed_as_retrieved(retrieved: Exchange, page: Exchange) -> str | None:
    """in the list what a retrieval says"""
    for was, now in _pairs(retrieved, page):
        final = was.get("status") in FINAL
        names = [*CREATED, *(("status", "request_counts", "errors") if final else ())]
        if wrong := _differing(was, now, names):
            return wrong
    return None


def carries_its_file_name(upload: Exchange, page: Exchange) -> str | None:
    """in the list, with a batch, the name of its input file"""
    sent = files(upload)
    for batch in batches(page).values():
        file = sent.get(str(batch.get("input_file_id")))
        if file and "file_name" in batch and batch["file_name"] != file["filename"]:
            return f"file_name {batch['file_name']!r}, and the file is {file['filename']!r}"
    return None


def is_found(created: Exchange, later: Exchange) -> str | None:
    """200: a batch that was created is there"""
    return None if later.status == 200 else f"{later.status} {later.text[:200]}"


def was_asked_to_cancel(
    answer: Exchange, created: list[Exchange], cancels: list[Exchange]
) -> str | None:
    """no batch cancelling or cancelled but those that were asked to"""
    asked = {cancel.path_id for cancel in cancels}
    made = {id for one in created for id in batches(one)}
    for id, batch in batches(answer).items():
        if id in made - asked and batch.get("status") in ("cancelling", "cancelled"):
            return f"{id} is {batch['status']}, and {sorted(asked)} were asked to"
    return None


def is_a_new_batch(answer: Exchange, earlier: list[Exchange]) -> str | None:
    """an id that no batch had before"""
    known = {id for exchange in earlier for id in batches(exchange)}
    return next((f"{id} again" for id in batches(answer) if id in known), None)


def is_a_new_file(answer: Exchange, earlier: list[Exchange]) -> str | None:
    """an id that no file had before"""
    known = {id for exchange in earlier for id in files(exchange)}
    return next((f"{id} again" for id in files(answer) if id in known), None)


def refuses_what_is_finished(before: Exchange, cancel: Exchange) -> str | None:
    """a refusal (4xx): a finished batch cannot be cancelled"""
    if the_batch(before).get("status") not in FINAL or 400 <= cancel.status < 500:
        return None
    return f"{cancel.status} {cancel.text[:200]}"


def lists_the_upload(upload: Exchange, listing: Exchange) -> str | None:
    """the upload in the list, with its name, its size, its time and its number of lines"""
    _, data = uploaded(upload)
    for id, file in files(upload).items():
        listed = files(listing).get(id)
        if listed is None:
            return f"no {id} in {list(files(listing))}"
        expected: dict[str, Any] = {"filename": file["filename"], "bytes": len(data)}
        lines = data.split(b"\n")
        # How a blank line counts, or a last one without an end, no document says.
        if not lines.pop() and all(lines):
            expected["line_count"] = len(lines)
        if wrong := _differing(expected, listed, expected):
            return wrong
    return None


def has_one_time(upload: Exchange, listing: Exchange) -> str | None:
    """createdAt of the upload as created_at of the list"""
    for id, file in files(upload).items():
        listed = files(listing).get(id)
        if listed is not None and listed.get("created_at") != file.get("createdAt"):
            return f"createdAt {file.get('createdAt')}, created_at {listed.get('created_at')}"
    return None


def reads_back(upload: Exchange, content: Exchange) -> str | None:
    """every byte of the upload"""
    _, data = uploaded(upload)
    return None if content.body == data else f"{content.body[:200]!r}, and {data[:200]!r} was sent"


def is_the_same_file(before: Exchange, again: Exchange) -> str | None:
    """the same bytes as the time before"""
    if again.status == before.status and again.body == before.body:
        return None
    return f"{again.status} {again.body[:200]!r}, and before {before.status} {before.body[:200]!r}"


def completes(looks: list[Exchange]) -> str | None:
    """completed in the end"""
    return ends_as(looks, "completed")


def ends_as(looks: list[Exchange], status: str) -> str | None:
    """the status that a batch must come to"""
    seen = [str(the_batch(look).get("status")) for look in looks]
    return None if seen[-1] == status else f"{', '.join(seen)}; not {status}"


def is_the_same_batch(before: Exchange, again: Exchange) -> str | None:
    """nothing changed"""
    names = [name for name in the_batch(before) if name not in RESULTS]
    return _differing(the_batch(before), the_batch(again), names)


def was_cancelled(look: Exchange, cancel: Exchange, after: Exchange) -> str | None:
    """cancelling or cancelled, unless it had ended by then"""
    status = the_batch(cancel).get("status")
    ended = the_batch(after).get("status") in ("finalizing", *FINAL)
    if status in ("cancelling", "cancelled") or (cancel.status == 400 and ended):
        return None
    return f"{cancel.status}, status {status!r} after {the_batch(look).get('status')!r}"


def goes_on_uncancelled(look: Exchange) -> str | None:
    """a batch that nobody cancelled"""
    status = str(the_batch(look).get("status"))
    return f"status {status!r}" if status.startswith("cancel") else None


def is_one_cancel(first: Exchange, second: Exchange) -> str | None:
    """the second one refused, or answered with the time of the first"""
    if 400 <= second.status < 500:
        return None
    times = [the_batch(answer).get("cancelling_at") for answer in (first, second)]
    return None if second.status == 200 and times[0] == times[1] else f"{second.status}, {times}"


def is_named(upload: Exchange, name: str) -> str | None:
    """the name that was sent"""
    names = [file.get("filename") for file in files(upload).values()]
    return None if names == [name] else f"{upload.status} {names}, not {name!r}"


def is_in_the_list(upload: Exchange, listing: Exchange) -> str | None:
    """the upload among the newest files, once"""
    names = [file.get("filename") for file in files(listing).values()]
    for id, file in files(upload).items():
        if id not in files(listing):
            return f"no {id} in {list(files(listing))}"
        if names.count(file.get("filename")) != 1:
            return f"{names}"
    return None if files(upload) else f"{upload.status} {upload.text[:200]}"


def lists_all(listing: Exchange, uploads: list[Exchange], limit: int) -> str | None:
    """every upload, unless the list is as long as its limit"""
    listed = files(listing)
    missing = [id for upload in uploads for id in files(upload) if id not in listed]
    return f"no {missing}" if missing and len(listed) < limit else None


def _pairs(before: Exchange, later: Exchange) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    was, now = batches(before), batches(later)
    return [(was[id], now[id]) for id in was if id in now]


def _changed(before: Exchange, later: Exchange, names: Any) -> str | None:
    for was, now in _pairs(before, later):
        if wrong := _differing(was, now, names):
            return wrong
    return None


def _differing(was: dict[str, Any], now: dict[str, Any], names: Any) -> str | None:
    for name in names:
        # {} and null say the same of notes and counts; so do [] and null of errors.
        if (was.get(name) or None) != (now.get(name) or None):
            return f"{name} {was.get(name)!r}, then {now.get(name)!r}"
    return None
