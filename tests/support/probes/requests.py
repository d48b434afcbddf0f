"""Requests and comparisons that the probes share."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from support.account import Account, json_lines, line

Batch = dict[str, Any]
Probe = Callable[[Account, Account], object]
Read = Callable[[Account], object]

GOOD, SECOND, BAD = line("Good"), line("also"), line("bad", max_tokens=-1)
METADATA = {"Key": " grüße ", "last": "2"}
NAME = "Größe 1.JSONL"
CONTENT = b"\xef\xbb\xbf" + '{"text": "é"}\r\n{}\n'.encode()


def new_batch(api: Account, *lines: Batch, **fields: Any) -> Batch:
    """The body of the response to a creation."""
    return dict(api.create(json_lines(*(lines or [GOOD])), **fields).json())


def status_of(api: Account, batch_id: str, seconds: float = 0) -> str:
    """The status of a batch after some seconds, or the text of an error."""
    api.simulator.clock.advance(seconds=seconds)
    body = api.http.get(f"batches/{batch_id}").json()
    return str(body["status"] if isinstance(body, dict) else body)


def completed(api: Account, *lines: Batch, **fields: Any) -> Batch:
    return api.advance(new_batch(api, *lines, **fields)["id"], seconds=2)


def cancelled(api: Account) -> Batch:
    batch_id = new_batch(api)["id"]
    api.cancel(batch_id)
    return api.advance(batch_id, seconds=1)


def statuses(api: Account, *lines: Batch) -> list[str]:
    """The statuses of a batch, retrieved twice in each status."""
    batch = new_batch(api, *lines)
    steps = (0, 0.4, 0, 0.6, 0, 0.4, 0)
    return [batch["status"], *(status_of(api, batch["id"], step) for step in steps)]


def follows_lifecycle(statuses: list[str]) -> bool:
    order = ["in_queue", "in_progress", "finalizing", "completed"]
    return statuses == [status for status in order for _ in range(2)]


def cancel_statuses(api: Account, seconds: float = 0) -> list[str]:
    """The status after a cancel, or the status code of its refusal, and the final status."""
    batch_id = new_batch(api)["id"]
    status_of(api, batch_id, seconds)
    response = api.cancel(batch_id)
    code = response.status_code
    first = response.json()["status"] if code == 200 else str(code)
    return [first, status_of(api, batch_id, 1)]


def page(api: Account, **query: Any) -> Batch:
    return dict(api.http.get("batches", params=query).json())


def batch_ids(api: Account, **query: Any) -> list[str]:
    return [batch["id"] for batch in page(api, **query)["data"]]


def five_batches(api: Account) -> list[str]:
    """Creates five batches and returns their ids in the order of the list."""
    file_id = upload(api)["id"]
    return [str(api.create(file_id).json()["id"]) for _ in range(5)][::-1]


def all_pages(api: Account, limit: int) -> list[str]:
    """The ids on up to ten pages, from the first one on."""
    collected: list[str] = []
    after: dict[str, str] = {}
    for _ in range(10):
        current = page(api, limit=limit, **after)
        collected += [batch["id"] for batch in current["data"]]
        if not current["has_more"] or not current["data"]:
            break
        after = {"after": current["last_id"]}
    return collected


def listed(api: Account, batch_id: str) -> Batch:
    """A batch as the list shows it; empty if it is not listed."""
    return next((batch for batch in page(api)["data"] if batch["id"] == batch_id), {})


def upload(api: Account, data: bytes = json_lines(GOOD), name: str = "in.jsonl") -> Batch:
    return dict(api.upload(data, name).json()["data"])


def files(api: Account, **query: Any) -> list[Batch]:
    return list(api.http.get("files", params=query).json()["data"]["data"])


def content(api: Account, file_id: str) -> bytes:
    return api.http.get(f"files/{file_id}/content").content


def records(api: Account, batch: Batch, kind: str = "output") -> list[Batch]:
    url = batch[f"{kind}_file_id"]
    raw = api.http.get(url).content if url and url.startswith("http") else b""
    return [json.loads(row) for row in raw.split(b"\n") if row.startswith(b"{")]


def custom_ids(api: Account, batch: Batch, kind: str = "output") -> list[str]:
    return sorted(record["custom_id"] for record in records(api, batch, kind))


def is_json(response: httpx.Response) -> bool:
    """Whether the body is JSON in UTF-8 without repeated keys."""

    def unique(pairs: list[tuple[str, Any]]) -> Batch:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is repeated")
        return dict(pairs)

    try:
        json.loads(response.content.decode(), object_pairs_hook=unique)
    except ValueError:
        return False
    return True


def with_key(
    api: Account, header: str | None, method: str = "GET", path: str = "batches", **sent: Any
) -> int:
    """The status code of a request with this Authorization header, or without one."""
    request = api.http.build_request(method, path, **sent)
    del request.headers["authorization"]
    if header is not None:
        request.headers["authorization"] = header
    return api.http.send(request).status_code


def accepts(**fields: Any) -> Probe:
    return lambda api, _: api.create(json_lines(GOOD), **fields).status_code == 200


def refuses(**fields: Any) -> Probe:
    return lambda api, _: api.create(json_lines(GOOD), **fields).status_code == 400


def returns(status: int, path: str, method: str = "GET") -> Probe:
    return lambda api, _: api.http.request(method, path).status_code == status
