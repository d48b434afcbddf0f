"""
One request and its answer, as both crossed the wire; all that a judgment may look at.

Rule 1: no key is in an exchange: `sender` says who asked, `authorization` how, with `{key}` for the
key, and `{KEY}` for the key with its capitals and small letters exchanged.
Rule 2: nothing but the standard library: scripts that repeat a failure carry this file with them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

BEARER = "Bearer {key}"
CREATE_BATCH, LIST_BATCHES = "POST /batches", "GET /batches"
RETRIEVE_BATCH, CANCEL_BATCH = "GET /batches/{batch_id}", "POST /batches/{batch_id}/cancel"
UPLOAD_FILE, LIST_FILES = "POST /files", "GET /files"
DOWNLOAD_FILE = "GET /files/{file_id}/content"
OPERATIONS = (
    *(CREATE_BATCH, LIST_BATCHES, RETRIEVE_BATCH, CANCEL_BATCH),
    *(UPLOAD_FILE, LIST_FILES, DOWNLOAD_FILE),
)
FINAL_STATUSES = ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True)
class Exchange:
    """
    `sender` is `own`, `stranger` (the second account) or another's name; `authorization` is the
    header as it was sent, None for none. `path` is below the base URL, or a whole URL where a
    result file is elsewhere. Header names are in lower case. `at` is when the answer had come, in
    Unix seconds; `awaited` says that the request was repeated until the answer was another one.
    """

    number: int
    method: str
    path: str
    status: int
    query: dict[str, str] = field(default_factory=dict)
    request_body: bytes = b""
    request_type: str = ""
    sender: str = "own"
    authorization: str | None = BEARER
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: float = 0.0
    awaited: bool = False

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        return _json(self.body)

    @cached_property
    def request_json(self) -> dict[str, Any]:
        """The JSON object that was sent; empty where none was."""
        found = _json(self.request_body)
        return found if isinstance(found, dict) else {}

    @property
    def operation(self) -> str:
        """The operation's label, as `GET /batches/{batch_id}`; that of no operation is empty."""
        match self.path.strip("/").split("/"):
            case ["batches"]:
                path = "/batches"
            case ["batches", _]:
                path = "/batches/{batch_id}"
            case ["batches", _, "cancel"]:
                path = "/batches/{batch_id}/cancel"
            case ["files"]:
                path = "/files"
            case ["files", _, "content"]:
                path = "/files/{file_id}/content"
            case _:
                return ""
        label = f"{self.method} {path}"
        return label if label in OPERATIONS else ""

    @property
    def path_id(self) -> str:
        """The id in the path; empty where there is none."""
        words = self.path.strip("/").split("/")
        return words[1] if len(words) > 1 and "://" not in self.path else ""


def with_key(authorization: str, key: str) -> str:
    """An Authorization header as it is sent."""
    return authorization.replace("{key}", key).replace("{KEY}", key.swapcase())


def without_keys(text: str, keys: Iterable[str]) -> str:
    """A text in which no key stands, however a service says it back."""
    for key in keys:
        text = text.replace(key, "…").replace(key.swapcase(), "…")
    return text


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def batches(answer: Exchange) -> dict[str, dict[str, Any]]:
    """The batches that an answer shows, by their ids, whichever operation it is of."""
    found = answer.json if answer.status == 200 and "/batches" in answer.operation else None
    if not isinstance(found, dict):
        return {}
    listed = found.get("data") if answer.operation == "GET /batches" else [found]
    items = listed if isinstance(listed, list) else []
    return {
        item["id"]: item
        for item in items
        if isinstance(item, dict) and isinstance(item.get("id"), str)
    }


def the_batch(answer: Exchange) -> dict[str, Any]:
    """The batch that an answer is; empty where it is none."""
    return next(iter(batches(answer).values()), {}) if answer.operation != "GET /batches" else {}


def files(answer: Exchange) -> dict[str, dict[str, Any]]:
    """
    The uploaded files that an answer shows, by their ids.

    Files outside the documented envelope are read as well: that it is missing is what UPLOAD-1 and
    FILES-4 say, and whatever else stands on a file can be judged all the same.
    """
    found = answer.json if answer.status == 200 else None
    if answer.operation not in ("POST /files", "GET /files") or not isinstance(found, dict):
        return {}
    data = found.get("data")
    if answer.operation == "GET /files":
        data = data.get("data") if isinstance(data, dict) else data
    elif data is None:
        data = found
    items = data if isinstance(data, list) else [data]
    return {
        item["id"]: item
        for item in items
        if isinstance(item, dict) and isinstance(item.get("id"), str)
    }


def uploaded(request: Exchange) -> tuple[str, bytes]:
    """The name and the bytes of the file in an upload's form; empty where there is none."""
    boundary = request.request_type.partition("boundary=")[2].strip('"').encode()
    for part in request.request_body.split(b"--" + boundary)[1:-1] if boundary else ():
        head, _, data = part.partition(b"\r\n\r\n")
        if b'name="file"' in head:
            name = head.partition(b'filename="')[2].partition(b'"')[0].decode("utf-8", "replace")
            return name.replace("%22", '"'), data[:-2]
    return "", b""
