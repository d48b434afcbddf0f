"""Probes that use the key of another account, a wrong key, or none."""

from collections.abc import Callable

from support.account import ENDPOINT, Account
from support.probes.requests import (
    Probe,
    batch_ids,
    content,
    files,
    new_batch,
    page,
    status_of,
    upload,
    with_key,
)


def refuses_key(header: str | None) -> Probe:
    return lambda api, _: with_key(api, header) == 401


def lists_own_batches(api: Account, other: Account) -> bool:
    """Whether an account lists only its own batches, with and without `after`."""
    batch_id, own = new_batch(api)["id"], new_batch(other)["id"]
    after = other.http.get("batches", params={"after": batch_id}).status_code
    is_alone = batch_ids(other, limit=100) == [own]
    return is_alone and after == 400 and own not in batch_ids(api, limit=100)


def not_retrieved(api: Account, other: Account) -> bool:
    return status_of(other, new_batch(api)["id"]) == "404 page not found"


def not_cancelled(api: Account, other: Account) -> bool:
    batch_id = new_batch(api)["id"]
    return other.cancel(batch_id).status_code == 404 and status_of(api, batch_id) == "in_queue"


def not_read(api: Account, other: Account) -> bool:
    return content(other, upload(api)["id"]) == b'"404 page not found"'


def not_used(api: Account, other: Account) -> bool:
    return other.create(upload(api)["id"]).status_code == 400


def lists_own_files(api: Account, other: Account) -> bool:
    file_id, own = upload(api)["id"], upload(other)["id"]
    listed = [file["id"] for file in files(other)]
    return file_id not in listed and own in listed


def nothing_done(api: Account, _: Account) -> bool:
    """Whether requests with a wrong key are refused and not carried out."""
    batch_id, before = new_batch(api)["id"], len(batch_ids(api, limit=1000))
    file_id = page(api)["data"][0]["input_file_id"]
    body = {"input_file_id": file_id, "endpoint": ENDPOINT, "completion_window": "24h"}
    codes = [
        with_key(api, "Bearer sk-x", "POST", "batches", json=body),
        with_key(api, "Bearer sk-x", "POST", f"batches/{batch_id}/cancel"),
    ]
    state = (status_of(api, batch_id), len(batch_ids(api, limit=1000)))
    return (codes, state) == ([401, 401], ("in_queue", before))


def refuses_key_for(path: Callable[[Account], str], header: str | None) -> Probe:
    return lambda api, _: with_key(api, header, path=path(api)) == 401


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        ("list-shared", "list-mixed", "after-foreign", "batch-astray"), lists_own_batches
    ),
    "retrieve-shared": not_retrieved,
    "cancel-shared": not_cancelled,
    "content-shared": not_read,
    "input-shared": not_used,
    "files-shared": lists_own_files,
    "upload-astray": lists_own_files,
    "any-key": refuses_key("Bearer sk-x"),
    "no-key": refuses_key(None),
    "no-key-list": refuses_key(None),
    "key-empty": refuses_key("Bearer"),
    "key-longer": refuses_key("Bearer sk-first-and-more"),
    "key-any-case": refuses_key("Bearer SK-FIRST"),
    "scheme-any": refuses_key("Basic sk-first"),
    "scheme-missing": refuses_key("sk-first"),
    "wrong-key-empty-list": refuses_key("Bearer sk-x"),
    "no-key-content": refuses_key_for(lambda api: f"files/{upload(api)['id']}/content", None),
    "wrong-key-retrieve": refuses_key_for(
        lambda api: f"batches/{new_batch(api)['id']}", "Bearer sk-x"
    ),
    "refused-key-creates": nothing_done,
    "refused-key-cancels": nothing_done,
}
