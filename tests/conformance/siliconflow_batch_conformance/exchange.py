"""
One request and its answer, as both crossed the wire; all that a judgment may look at.

Rule 1: no key is in an exchange: `sender` says who asked, `authorization` how, with `{key}` for the
key.
Rule 2: nothing but the standard library: scripts that repeat a failure carry this file with them.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

BEARER = "Bearer {key}"


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
    sent: bytes = b""
    sent_type: str = ""
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
    def asked(self) -> dict[str, Any]:
        """The JSON object that was sent; empty where none was."""
        found = _json(self.sent)
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
    def named(self) -> str:
        """The id in the path; empty where there is none."""
        words = self.path.strip("/").split("/")
        return words[1] if len(words) > 1 and "://" not in self.path else ""


OPERATIONS = (
    "POST /batches",
    "GET /batches",
    "GET /batches/{batch_id}",
    "POST /batches/{batch_id}/cancel",
    "POST /files",
    "GET /files",
    "GET /files/{file_id}/content",
)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
