"""Probes that repeat requests."""

from support.account import Account
from support.probes.requests import (
    Batch,
    Probe,
    Read,
    batch_ids,
    cancelled,
    completed,
    content,
    files,
    five_batches,
    new_batch,
    page,
    status_of,
    upload,
)


def cancel_twice(api: Account) -> bool:
    batch_id = new_batch(api)["id"]
    first, second = api.cancel(batch_id), api.cancel(batch_id)
    return (first.status_code, first.json()) == (second.status_code, second.json())


def late_cancel_changes_nothing(api: Account, batch: Batch) -> bool:
    api.cancel(batch["id"])
    return api.retrieve(batch["id"]) == batch


def creates_one_batch(api: Account) -> bool:
    return [new_batch(api)["id"]] == batch_ids(api)


def creates_two_batches(api: Account) -> bool:
    file_id = upload(api)["id"]
    created = [api.create(file_id).json().get("id") for _ in range(2)]
    return created[::-1] == batch_ids(api)


def creates_two_files(api: Account) -> bool:
    """Whether two uploads with the same name are two files with their own content."""
    uploads = {upload(api, data)["id"]: data for data in (b"one", b"two")}
    listed = {file["id"] for file in files(api)}
    return uploads.keys() == listed and all(
        content(api, id) == data for id, data in uploads.items()
    )


def refusal_creates_nothing(api: Account) -> bool:
    api.create(upload(api)["id"], completion_window="1h")
    return batch_ids(api) == []


def reading_changes_nothing(api: Account, read: Read) -> bool:
    """Whether a queued batch completes with its metadata after three reads."""
    first = new_batch(api)
    for _ in range(3):
        read(api)
        if status_of(api, first["id"]) != "in_queue":
            return False
    last = api.advance(first["id"], seconds=2)
    return status_of(api, first["id"]) == "completed" and last["metadata"] == first["metadata"]


def read_twice(api: Account, url: str) -> bool:
    return api.http.get(url).content == api.http.get(url).content


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        ("cancel-twice-moves", "cancel-twice-500", "cancel-twice-resumes"),
        lambda api, _: cancel_twice(api),
    ),
    "cancelled-again": lambda api, _: late_cancel_changes_nothing(api, cancelled(api)),
    "completed-cancelling": lambda api, _: late_cancel_changes_nothing(api, completed(api)),
    "create-twice": lambda api, _: creates_one_batch(api),
    **dict.fromkeys(
        ("create-merged", "input-used-once", "batch-id-repeated"),
        lambda api, _: creates_two_batches(api),
    ),
    "create-refused-kept": lambda api, _: refusal_creates_nothing(api),
    **dict.fromkeys(
        ("file-id-repeated", "upload-twice", "upload-overwrites"),
        lambda api, _: creates_two_files(api),
    ),
    **dict.fromkeys(
        ("retrieve-writes", "retrieve-cancels", "retrieve-once", "list-cancels"),
        lambda api, _: reading_changes_nothing(api, page),
    ),
    **dict.fromkeys(
        ("list-once", "list-turns"),
        lambda api, _: five_batches(api) == batch_ids(api) == batch_ids(api),
    ),
    "content-once": lambda api, _: read_twice(api, f"files/{upload(api)['id']}/content"),
    "download-once": lambda api, _: read_twice(api, completed(api)["output_file_id"]),
    "download-changes": lambda api, _: read_twice(api, completed(api)["output_file_id"]),
}
