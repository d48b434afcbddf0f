"""Probes of values that have the right type."""

from typing import Any

from support.account import Account, line
from support.probes.requests import (
    Probe,
    cancelled,
    completed,
    custom_ids,
    listed,
    new_batch,
    returns,
    upload,
)


def keeps(custom_id: str) -> Probe:
    return lambda api, _: custom_ids(api, completed(api, line(custom_id))) == [custom_id]


def same_metadata(api: Account, value: str) -> bool:
    return bool(new_batch(api, metadata={"key": value})["metadata"] == {"key": value})


def finds(api: Account, batch_id: str) -> bool:
    return api.http.get(f"batches/{batch_id}").status_code == 200


def in_progress(api: Account) -> dict[str, Any]:
    return api.advance(new_batch(api)["id"], seconds=0.5)


def totals(api: Account) -> set[int]:
    batch = in_progress(api)
    return {api.retrieve(batch["id"])["request_counts"]["total"] for _ in range(2)}


def content(api: Account) -> bytes:
    return api.http.get(completed(api)["output_file_id"]).content


def etags_differ(api: Account) -> bool:
    tags = []
    for _ in range(2):
        new_batch(api)
        tags.append(api.http.get("batches").headers.get("etag"))
    return None in tags or tags[0] != tags[1]


def repeats_the_key(api: Account) -> bool:
    key = api.http.headers["authorization"].removeprefix("Bearer ")
    response = api.http.get(f"batches/{new_batch(api)['id']}")
    return any(key in text for text in response.headers.values())


PROBES: dict[str, Probe] = {
    "ids-composed": keeps("e\u0301"),
    "ids-cut": keeps("x" * 65),
    "ids-trimmed": keeps(" a "),
    "ids-ascii": keeps("\U0001d518"),
    "results-shared": lambda api, _: (
        completed(api)["output_file_id"] != completed(api)["output_file_id"]
    ),
    "id-prefix-found": lambda api, _: not finds(api, new_batch(api)["id"][:-1]),
    "id-any-case": lambda api, _: not finds(api, new_batch(api)["id"].upper()),
    "after-any-case": lambda api, _: (
        api.http.get("batches", params={"after": new_batch(api)["id"].upper()}).status_code == 400
    ),
    "event-ahead": lambda api, _: (
        in_progress(api)["in_progress_at"] - new_batch(api)["created_at"] < 3600
    ),
    "status-invented": lambda api, _: new_batch(api)["status"] == "in_queue",
    "cancel-other-id": lambda api, _: (
        api.cancel(batch_id := new_batch(api)["id"]).json()["id"] == batch_id
    ),
    "total-grows": lambda api, _: len(totals(api)) == 1,
    "count-omitted": lambda api, _: "failed" in in_progress(api)["request_counts"],
    "list-stale": lambda api, _: (
        (batch := cancelled(api)) and listed(api, batch["id"])["status"] == "cancelled"
    ),
    "metadata-escaped": lambda api, _: same_metadata(api, "<a & b>"),
    "metadata-converted": lambda api, _: same_metadata(api, "42"),
    "errors-in-progress": lambda api, _: not in_progress(api)["errors"],
    "result-byte-order-mark": lambda api, _: content(api).startswith(b"{"),
    "result-blank-line": lambda api, _: b"\n\n" not in content(api),
    "files-twenty": lambda api, _: (
        [upload(api) for _ in range(11)] and len(api.http.get("files").json()["data"]["data"]) == 10
    ),
    "files-any-purpose": returns(400, "files?purpose=fine-tune"),
    "head-500": returns(200, "batches", "HEAD"),
    "etag-constant": lambda api, _: etags_differ(api),
    "key-repeated": lambda api, _: not repeats_the_key(api),
    "trace-taken": returns(405, "batches", "TRACE"),
}
