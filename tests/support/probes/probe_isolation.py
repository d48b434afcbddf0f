"""One account, seen with another's key, with a wrong one and with none."""

from collections.abc import Callable

from support.account import ENDPOINT, Account
from support.probes.requests import Probe, content, files, ids, new, page, seen, upload, with_key


def refuses_key(header: str | None) -> Probe:
    return lambda api, _: with_key(api, header) == 401


def sees_own(api: Account, other: Account) -> bool:
    """A stranger lists nothing of another's, however the list begins."""
    batch_id, own = new(api)["id"], new(other)["id"]
    after = other.http.get("batches", params={"after": batch_id}).status_code
    return (ids(other, limit=100), after) == ([own], 400) and own not in ids(api, limit=100)


def not_retrieved(api: Account, other: Account) -> bool:
    return seen(other, new(api)["id"]) == "404 page not found"


def not_cancelled(api: Account, other: Account) -> bool:
    batch_id = new(api)["id"]
    return other.cancel(batch_id).status_code == 404 and seen(api, batch_id) == "in_queue"


def not_read(api: Account, other: Account) -> bool:
    return content(other, upload(api)["id"]) == b'"404 page not found"'


def not_used(api: Account, other: Account) -> bool:
    return other.create(upload(api)["id"]).status_code == 400


def own_files(api: Account, other: Account) -> bool:
    file_id, own = upload(api)["id"], upload(other)["id"]
    found = [file["id"] for file in files(other)]
    return file_id not in found and own in found


def nothing_done(api: Account, _: Account) -> bool:
    """What a wrong key asks for is refused and not done."""
    batch_id, before = new(api)["id"], len(ids(api, limit=1000))
    file_id = page(api)["data"][0]["input_file_id"]
    body = {"input_file_id": file_id, "endpoint": ENDPOINT, "completion_window": "24h"}
    said = [
        with_key(api, "Bearer sk-x", "POST", "batches", json=body),
        with_key(api, "Bearer sk-x", "POST", f"batches/{batch_id}/cancel"),
    ]
    done = (seen(api, batch_id), len(ids(api, limit=1000)))
    return (said, done) == ([401, 401], ("in_queue", before))


def closed(path: Callable[[Account], str], header: str | None) -> Probe:
    return lambda api, _: with_key(api, header, path=path(api)) == 401


PROBES: dict[str, Probe] = {
    **dict.fromkeys(("list-shared", "list-mixed", "after-foreign", "batch-astray"), sees_own),
    "retrieve-shared": not_retrieved,
    "cancel-shared": not_cancelled,
    "content-shared": not_read,
    "input-shared": not_used,
    "files-shared": own_files,
    "upload-astray": own_files,
    "any-key": refuses_key("Bearer sk-x"),
    "no-key": refuses_key(None),
    "no-key-list": refuses_key(None),
    "key-empty": refuses_key("Bearer"),
    "key-longer": refuses_key("Bearer sk-first-and-more"),
    "key-any-case": refuses_key("Bearer SK-FIRST"),
    "scheme-any": refuses_key("Basic sk-first"),
    "scheme-missing": refuses_key("sk-first"),
    "wrong-key-empty-list": refuses_key("Bearer sk-x"),
    "no-key-content": closed(lambda api: f"files/{upload(api)['id']}/content", None),
    "wrong-key-retrieve": closed(lambda api: f"batches/{new(api)['id']}", "Bearer sk-x"),
    "refused-key-creates": nothing_done,
    "refused-key-cancels": nothing_done,
}
