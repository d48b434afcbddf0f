"""
The service under test, as the cases speak to it: plain HTTP and JSON, not this distribution's
client, which is under test itself.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
from attrs import define

from ..checks.creation import ENDPOINT
from ..checks.exchange import FINAL_STATUSES, Exchange, batches, files, the_batch
from ..requirements import Blocked, Inconclusive, NotJudged
from ..rules import BUSY
from .budget import LINES, NotSent
from .sender import Sender


@define(eq=False, kw_only=True)
class Target(Sender):
    """
    A base URL with one account's key. `patience` is how long a batch may take, in seconds;
    `model` is what its lines ask.
    """

    model: str
    patience: float = 60

    @property
    def most_lines(self) -> int:
        """Lines that one batch may have; a line costs where the service is not on this machine."""
        return 5_001 if self.budget.loopback else LINES

    def line(self, custom_id: str = "request-1", **body: Any) -> dict[str, Any]:
        """One request of an input file; keywords change its body, None takes a field out."""
        given = {
            "model": self.model,
            "messages": [{"role": "user", "content": f"Say {custom_id}."}],
            "max_tokens": 16,
            **body,
        }
        kept = {name: value for name, value in given.items() if value is not None}
        return {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": kept}

    def upload(self, data: bytes, name: str = "requests.jsonl") -> Exchange:
        return self.request(
            "POST", "/files", data={"purpose": "batch"}, files={"file": (name, data)}
        )

    def input_file(self, *lines: dict[str, Any], name: str = "requests.jsonl") -> str:
        """Uploads lines and returns the file's id; files stay, so none without a batch."""
        self.spare()
        return id_of_upload(self.upload(json_lines(*lines), name))

    def spare(self) -> None:
        """Raises `NotJudged` where no batch could be created any more."""
        try:
            self.budget.spare()
        except NotSent as kept:
            raise NotJudged(str(kept)) from kept

    def settled(self, look: Exchange) -> Exchange:
        """A batch's last look; a service that is not on this machine may take hours to an end."""
        status = the_batch(look).get("status", "failed")
        if not self.budget.loopback and status not in FINAL_STATUSES:
            raise Inconclusive(f"the batch was still {status!r} when patience ended")
        return look

    def create(self, input_file_id: str, *, marked: bool = True, **fields: Any) -> Exchange:
        """
        Creates a batch; a field given as None is left out.

        Unless not `marked`, its metadata says which run it is of, where the run keeps a journal.
        """
        body = {
            "input_file_id": input_file_id,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            **fields,
        }
        sent = {name: value for name, value in body.items() if value is not None}
        entry = None
        if self.journal is not None:
            room = len(sent.get("metadata") or {}) < 16
            entry = self.journal.intend(marked=marked and room)
            if entry.marked:
                sent["metadata"] = {**(sent.get("metadata") or {}), **entry.metadata}
        return self.request("POST", "/batches", json=sent, entry=entry)

    def batch(self, input_file_id: str, **fields: Any) -> Exchange:
        """The answer to a creation that was taken."""
        return taken(self.create(input_file_id, **fields))

    def retrieve(self, batch_id: str, *, awaited: bool = False) -> Exchange:
        return self.request("GET", f"/batches/{batch_id}", awaited=awaited)

    def cancel(self, batch_id: str, *, patient: bool = True, rejected: bool = False) -> Exchange:
        path = f"/batches/{batch_id}/cancel"
        return self.request("POST", path, patient=patient, rejected=rejected)

    def page(self, **query: Any) -> Exchange:
        return self.request("GET", "/batches", query=query)

    def page_with(self, *created: Exchange, **query: Any) -> Exchange:
        """The list once it shows what was created last; lists may lag behind."""
        deadline = time.monotonic() + self.patience
        while True:
            page = self.page(**query)
            missing = {id_of(answer) for answer in created} - batches(page).keys()
            if not missing or page.status != httpx.codes.OK:
                return page
            if time.monotonic() > deadline:
                raise Inconclusive(f"{missing} not listed when patience ended")
            time.sleep(0.2)

    def files(self, **query: Any) -> Exchange:
        return self.request("GET", "/files", query={"purpose": "batch", **query})

    def watch(self, batch_id: str, pause: float = 0.03) -> Iterator[Exchange]:
        """
        Yields the batch as it changes until it is final, or until patience ends.

        `pause` is how long it waits before the second look, in seconds; it grows from look to look.
        Where patience ends, the last look is yielded though it shows no change.
        """
        deadline, seen = time.monotonic() + self.patience, None
        while True:
            answer = self.retrieve(batch_id, awaited=True)
            batch = the_batch(answer)
            if not batch and answer.status not in BUSY:
                raise Blocked(f"a batch is answered with {answer.status} {answer.text[:200]}")
            late = time.monotonic() > deadline
            if batch and (batch != seen or late):
                yield answer
                seen = batch
            if batch.get("status") in FINAL_STATUSES or late:
                return
            time.sleep(pause)
            pause = min(pause * 1.2, 10)

    def download(self, reference: str) -> Exchange:
        """A file, by URL (without a key) or by id."""
        path = reference if "://" in reference else f"/files/{reference}/content"
        return self.request("GET", path)


def id_of_upload(answer: Exchange) -> str:
    """The file of an upload that was taken; `Blocked` for another answer."""
    for id in files(answer):
        return id
    raise Blocked(f"an upload is answered with {answer.status} {answer.text[:200]}")


def taken(answer: Exchange) -> Exchange:
    """A creation that was taken; `Blocked` for another answer."""
    if "id" not in the_batch(answer):
        raise Blocked(f"a creation is answered with {answer.status} {answer.text[:200]}")
    return answer


def id_of(answer: Exchange) -> str:
    return str(the_batch(answer)["id"])


def json_lines(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in lines)
