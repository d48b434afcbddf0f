"""The same, asked twice."""

from support.account import Account
from support.probes.requests import (
    Batch,
    Probe,
    Say,
    cancelled,
    content,
    done,
    files,
    five,
    ids,
    new,
    page,
    seen,
    upload,
)


def cancel_twice(api: Account) -> bool:
    batch_id = new(api)["id"]
    first, second = api.cancel(batch_id), api.cancel(batch_id)
    return (first.status_code, first.json()) == (second.status_code, second.json())


def late_cancel_leaves_no_trace(api: Account, batch: Batch) -> bool:
    api.cancel(batch["id"])
    return api.retrieve(batch["id"]) == batch


def makes_one_batch(api: Account) -> bool:
    return [new(api)["id"]] == ids(api)


def makes_two_batches(api: Account) -> bool:
    file_id = upload(api)["id"]
    made = [api.create(file_id).json().get("id") for _ in range(2)]
    return made[::-1] == ids(api)


def makes_two_files(api: Account) -> bool:
    """Uploads of the same name are as many files as uploads, each with its own bytes."""
    made = {upload(api, data)["id"]: data for data in (b"one", b"two")}
    listed = {file["id"] for file in files(api)}
    return made.keys() == listed and all(content(api, id) == data for id, data in made.items())


def refusal_makes_none(api: Account) -> bool:
    api.create(upload(api)["id"], completion_window="1h")
    return ids(api) == []


def reading_changes_nothing(api: Account, read: Say) -> bool:
    """A batch in the queue is read three times, and runs to its end as it was."""
    first = new(api)
    for _ in range(3):
        read(api)
        if seen(api, first["id"]) != "in_queue":
            return False
    last = api.advance(first["id"], seconds=2)
    return seen(api, first["id"]) == "completed" and last["metadata"] == first["metadata"]


def read_twice(api: Account, url: str) -> bool:
    return api.http.get(url).content == api.http.get(url).content


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        ("cancel-twice-moves", "cancel-twice-500", "cancel-twice-resumes"),
        lambda api, _: cancel_twice(api),
    ),
    "cancelled-again": lambda api, _: late_cancel_leaves_no_trace(api, cancelled(api)),
    "completed-cancelling": lambda api, _: late_cancel_leaves_no_trace(api, done(api)),
    "create-twice": lambda api, _: makes_one_batch(api),
    **dict.fromkeys(
        ("create-merged", "input-used-once", "batch-id-repeated"),
        lambda api, _: makes_two_batches(api),
    ),
    "create-refused-kept": lambda api, _: refusal_makes_none(api),
    **dict.fromkeys(
        ("file-id-repeated", "upload-twice", "upload-overwrites"),
        lambda api, _: makes_two_files(api),
    ),
    **dict.fromkeys(
        ("retrieve-writes", "retrieve-cancels", "retrieve-once", "list-cancels"),
        lambda api, _: reading_changes_nothing(api, page),
    ),
    **dict.fromkeys(
        ("list-once", "list-turns"),
        lambda api, _: five(api) == ids(api) == ids(api),
    ),
    "content-once": lambda api, _: read_twice(api, f"files/{upload(api)['id']}/content"),
    "download-once": lambda api, _: read_twice(api, done(api)["output_file_id"]),
    "download-changes": lambda api, _: read_twice(api, done(api)["output_file_id"]),
}
