"""What the probes of faults ask and see, in the operations' words."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from support.account import Account, json_lines, line

Batch = dict[str, Any]
Probe = Callable[[Account, Account], object]
Say = Callable[[Account], object]

GOOD, ALSO, BAD = line("Good"), line("also"), line("bad", max_tokens=-1)
METADATA = {"Key": " grüße ", "last": "2"}
NAME = "Größe 1.JSONL"
CONTENT = b"\xef\xbb\xbf" + '{"text": "é"}\r\n{}\n'.encode()


def new(api: Account, *lines: Batch, **fields: Any) -> Batch:
    """What a creation is answered with."""
    return dict(api.create(json_lines(*(lines or [GOOD])), **fields).json())


def seen(api: Account, batch_id: str, seconds: float = 0) -> str:
    """The status of a batch some time later, or the words of a refusal."""
    api.simulator.clock.advance(seconds=seconds)
    body = api.http.get(f"batches/{batch_id}").json()
    return str(body["status"] if isinstance(body, dict) else body)


def done(api: Account, *lines: Batch, **fields: Any) -> Batch:
    return api.advance(new(api, *lines, **fields)["id"], seconds=2)


def cancelled(api: Account) -> Batch:
    batch_id = new(api)["id"]
    api.cancel(batch_id)
    return api.advance(batch_id, seconds=1)


def life(api: Account, *lines: Batch) -> list[str]:
    """What is seen of a batch, looked at twice in each status."""
    batch = new(api, *lines)
    steps = (0, 0.4, 0, 0.6, 0, 0.4, 0)
    return [batch["status"], *(seen(api, batch["id"], step) for step in steps)]


def is_life(statuses: list[str]) -> bool:
    order = ["in_queue", "in_progress", "finalizing", "completed"]
    return statuses == [status for status in order for _ in range(2)]


def cancelling(api: Account, seconds: float = 0) -> list[str]:
    """A cancel so long after the creation, and what becomes of the batch."""
    batch_id = new(api)["id"]
    seen(api, batch_id, seconds)
    answer = api.cancel(batch_id)
    said = answer.json()["status"] if answer.status_code == 200 else str(answer.status_code)
    return [said, seen(api, batch_id, 1)]


def page(api: Account, **query: Any) -> Batch:
    return dict(api.http.get("batches", params=query).json())


def ids(api: Account, **query: Any) -> list[str]:
    return [batch["id"] for batch in page(api, **query)["data"]]


def five(api: Account) -> list[str]:
    """The ids of five batches, in the order in which they are listed."""
    file_id = upload(api)["id"]
    return [str(api.create(file_id).json()["id"]) for _ in range(5)][::-1]


def walk(api: Account, limit: int) -> list[str]:
    met: list[str] = []
    after: dict[str, str] = {}
    for _ in range(10):
        found = page(api, limit=limit, **after)
        met += [batch["id"] for batch in found["data"]]
        if not found["has_more"] or not found["data"]:
            break
        after = {"after": found["last_id"]}
    return met


def entry(api: Account, batch_id: str) -> Batch:
    return next((found for found in page(api)["data"] if found["id"] == batch_id), {})


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


def is_json(answer: httpx.Response) -> bool:
    """Whether a body is JSON in UTF-8 with every key once."""

    def once(pairs: list[tuple[str, Any]]) -> Batch:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    try:
        json.loads(answer.content.decode(), object_pairs_hook=once)
    except ValueError:
        return False
    return True


def with_key(
    api: Account, header: str | None, method: str = "GET", path: str = "batches", **sent: Any
) -> int:
    """The status of a request with this Authorization header, or with none."""
    request = api.http.build_request(method, path, **sent)
    del request.headers["authorization"]
    if header is not None:
        request.headers["authorization"] = header
    return api.http.send(request).status_code


def takes(**fields: Any) -> Probe:
    return lambda api, _: api.create(json_lines(GOOD), **fields).status_code == 200


def refuses(**fields: Any) -> Probe:
    return lambda api, _: api.create(json_lines(GOOD), **fields).status_code == 400


def answers(status: int, path: str, method: str = "GET") -> Probe:
    return lambda api, _: api.http.request(method, path).status_code == status
