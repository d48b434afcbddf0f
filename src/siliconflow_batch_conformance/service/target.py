"""
The service under test, as the cases use it: plain HTTP and JSON.

It does not use this distribution's client, which is under test itself.
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
from attrs import define, field

from ..checks.creation import ENDPOINT
from ..checks.exchange import (
    FINAL_STATUSES,
    REDIRECTS,
    RESULT_FIELDS,
    Exchange,
    batches,
    files,
    listed_ids,
    the_batch,
)
from ..requirements import Blocked, Inconclusive, NotJudged
from ..rules import BUSY
from .budget import LINES, NotSent
from .sender import Sender

LONG_PAGE, MOST_PAGES = 100, 20
LIST_LAG = 60  # seconds after which a batch must be in the list (contract/assumptions.yaml)
RESULT_PATIENCE = 3  # seconds for which a completed batch may name no result file
MOST_REDIRECTS = 5


@define(eq=False, kw_only=True)
class Target(Sender):
    """
    A base URL with one account's key. A batch may take `patience` seconds; its lines are requests
    to `model`.
    """

    model: str
    patience: float = 60
    _unlisted: bool = field(default=False, init=False)

    @property
    def most_lines(self) -> int:
        """The most lines of a batch; few on a service that may cost money."""
        return 5_001 if self.budget.unmetered else LINES

    def line(self, custom_id: str = "request-1", **body: Any) -> dict[str, Any]:
        """One line of an input file; keywords set fields of its body, None removes a field."""
        fields = {
            "model": self.model,
            "messages": [{"role": "user", "content": f"Say {custom_id}."}],
            "max_tokens": 16,
            **body,
        }
        body = {name: value for name, value in fields.items() if value is not None}
        return {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}

    def upload(self, data: bytes, name: str = "requests.jsonl") -> Exchange:
        return self.request(
            "POST", "/files", data={"purpose": "batch"}, files={"file": (name, data)}
        )

    def input_file(self, *lines: dict[str, Any], name: str = "requests.jsonl") -> str:
        """
        Uploads lines and returns the file's id.

        Files cannot be deleted, so nothing is uploaded if no batch could use it.
        """
        self.require_batch()
        return id_of_upload(self.upload(json_lines(*lines), name))

    def require_batch(self) -> None:
        """Raises `NotJudged` if the run may not create another batch."""
        try:
            self.budget.require_batch()
        except NotSent as error:
            raise NotJudged(str(error)) from error

    def settled(self, last: Exchange) -> Exchange:
        """Returns the last response for a batch; `Inconclusive` if a live batch continues."""
        status = the_batch(last).get("status", "failed")
        if not self.budget.unmetered and status not in FINAL_STATUSES:
            raise Inconclusive(f"the batch was still {status!r} when patience ended")
        return last

    def create(self, input_file_id: str, *, marked: bool = True, **fields: Any) -> Exchange:
        """
        Creates a batch; a field set to None is omitted.

        If the run keeps a journal, the metadata contains the run's token, unless `marked` is false.
        """
        body = {
            "input_file_id": input_file_id,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            **fields,
        }
        sent = {name: value for name, value in body.items() if value is not None}
        creation = None
        if self.journal is not None:
            has_room = len(sent.get("metadata") or {}) < 16
            creation = self.journal.intend(marked=marked and has_room)
            if creation.marked:
                sent["metadata"] = {**(sent.get("metadata") or {}), **creation.metadata}
        return self.request("POST", "/batches", json=sent, creation=creation)

    def batch(self, input_file_id: str, **fields: Any) -> Exchange:
        """Creates a batch; raises `Blocked` if the service rejects it."""
        return accepted(self.create(input_file_id, **fields))

    def retrieve(self, batch_id: str, *, awaited: bool = False) -> Exchange:
        return self.request("GET", f"/batches/{batch_id}", awaited=awaited)

    def cancel(self, batch_id: str, *, patient: bool = True, rejected: bool = False) -> Exchange:
        path = f"/batches/{batch_id}/cancel"
        return self.request("POST", path, patient=patient, rejected=rejected)

    def page(self, **query: Any) -> Exchange:
        return self.request("GET", "/batches", query=query)

    def page_with(self, *created: Exchange, **query: Any) -> Exchange:
        """
        A page that contains the batches in `created`; lists may lag.

        Longer pages are read where the page of the query does not: the oldest may come first. A
        batch that is missing after `LIST_LAG` seconds stays missing: the page is returned. If that
        has happened, later calls do not wait.
        """
        began, pause = time.monotonic(), 0.2
        while True:
            for page in self._pages(query):
                missing = {id_of(response) for response in created} - batches(page).keys()
                if not missing or page.status != httpx.codes.OK:
                    return page
            if self._unlisted or time.monotonic() - began >= LIST_LAG:
                self._unlisted = True
                return page
            time.sleep(pause)
            pause = min(pause * 1.3, 5)

    def _pages(self, query: dict[str, Any]) -> Iterator[Exchange]:
        """The page of a query, then long pages from the beginning of the list."""
        yield self.page(**query)
        longer = {**query, "limit": LONG_PAGE}
        for _ in range(MOST_PAGES):
            page = self.page(**longer)
            yield page
            ids = listed_ids(page)
            if not ids or page.json.get("has_more") is not True:
                return
            longer["after"] = ids[-1]

    def files(self, **query: Any) -> Exchange:
        return self.request("GET", "/files", query={"purpose": "batch", **query})

    def watch(self, batch_id: str, pause: float = 0.03) -> Iterator[Exchange]:
        """
        Yields the batch each time it changes, until it is final or patience ends.

        `pause` is the delay before the second request, in seconds; it grows with each request.
        When patience ends, the last response is yielded even if nothing changed.
        """
        deadline, seen = time.monotonic() + self.patience, None
        while True:
            response = self.retrieve(batch_id, awaited=True)
            batch = the_batch(response)
            if not batch and response.status not in BUSY:
                raise Blocked(f"retrieving a batch {_returned(response)}")
            late = time.monotonic() > deadline
            if batch and (batch != seen or late):
                yield response
                seen = batch
            if batch.get("status") in FINAL_STATUSES or late:
                return
            time.sleep(pause)
            pause = min(pause * 1.2, 10)

    def with_results(self, completed: Exchange) -> Exchange:
        """The completed batch once it names a result file, or the last response for it."""
        deadline, response, pause = time.monotonic() + RESULT_PATIENCE, completed, 0.2
        while not any(the_batch(response).get(name) for name in RESULT_FIELDS):
            if time.monotonic() > deadline:
                break
            time.sleep(pause)
            response = self.retrieve(id_of(completed), awaited=True)
        return response

    def download_results(self, completed: Exchange) -> list[Exchange]:
        """The result files of a completed batch, the output file first."""
        batch = the_batch(self.with_results(completed))
        references = [batch[name] for name in RESULT_FIELDS if batch.get(name)]
        return [self.download(reference) for reference in references]

    def download(self, reference: str) -> Exchange:
        """Downloads a file by its URL, without a key, or by its id; follows redirects."""
        path = reference if "://" in reference else f"/files/{reference}/content"
        response = self.request("GET", path)
        for _ in range(MOST_REDIRECTS):
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location:
                break
            url = path if "://" in path else self.base_url + path
            path = urljoin(url, location)
            response = self.request("GET", path)
        return response


def id_of_upload(response: Exchange) -> str:
    """The id of the uploaded file; raises `Blocked` if the upload failed."""
    for id in files(response):
        return id
    raise Blocked(f"an upload {_returned(response)}")


def accepted(response: Exchange) -> Exchange:
    """Returns the response that contains the new batch; raises `Blocked` for any other."""
    if "id" not in the_batch(response):
        raise Blocked(f"a creation {_returned(response)}")
    return response


def id_of(response: Exchange) -> str:
    return str(the_batch(response)["id"])


def json_lines(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _returned(response: Exchange) -> str:
    return f"returned {response.status} {response.text[:200]}"
