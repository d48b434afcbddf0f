"""
The service under test, as the cases speak to it.

Rule 1: cases see plain HTTP and JSON, not this distribution's client, which is under test itself.
Rule 2: the key goes to the base URL alone; a result URL of another place gets none.
Rule 3: every exchange passes the observer, before the case sees the answer.
Rule 4: a service that is not on this machine is written to only where the caller allowed it.
"""

import ipaddress
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
from attrs import define, field

from .asked import is_refused_for_certain
from .budget import LINES, Budget, NotSent, refused
from .exchange import BEARER, Exchange, batches, files, the_batch, uploaded
from .journal import Entry, Journal
from .observer import Observer
from .requirements import Blocked, Inconclusive, NotJudged
from .rules import BUSY

ENDPOINT = "/v1/chat/completions"
FINAL = {"completed", "failed", "expired", "cancelled"}
TIMEOUT = httpx.Timeout(30)
# Seconds between the attempts at what is answered with "not now"; it says nothing of the service.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5)
OVERLOADED = {429, 503}


def is_loopback(base_url: str) -> bool:
    host = httpx.URL(base_url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@define(eq=False)
class Target:
    """
    A base URL with one account's key. `patience` is how long a batch may take, in seconds; `sender`
    names the account in what is observed. `budget` says what may be sent; `journal` is told of
    every creation before it is sent.
    """

    base_url: str
    key: str = field(repr=False)
    model: str
    budget: Budget
    patience: float = 60
    sender: str = "own"
    observer: Observer = field(factory=Observer, repr=False)
    journal: Journal | None = field(default=None, repr=False)
    _lines: dict[str, int] = field(factory=dict, init=False, repr=False)
    _client: httpx.Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._client = httpx.Client(timeout=TIMEOUT)

    @property
    def most_lines(self) -> int:
        """Lines that one batch may have; a line costs where the service is not on this machine."""
        return 5_001 if self.budget.loopback else LINES

    def close(self) -> None:
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        authorization: str | None = BEARER,
        query: dict[str, Any] | None = None,
        awaited: bool = False,
        patient: bool = True,
        rejected: bool = False,
        entry: Entry | None = None,
        **content: Any,
    ) -> Exchange:
        """
        Sends one request; `{key}` stands for the key in `authorization`, None sends none.

        An answer that says "not now" is asked for again, unless not `patient`. `rejected` says that
        the service is certain to refuse; `entry` is what the journal knows of a creation.
        """
        elsewhere = "://" in path
        headers = dict(content.pop("headers", {}))
        if authorization is not None and not elsewhere:
            headers["Authorization"] = authorization.replace("{key}", self.key)
        url = path if elsewhere else self.base_url + path
        request = self._client.build_request(
            method, url, params=query or None, headers=headers, **content
        )
        sent = request.read()
        creation = method == "POST" and path == "/batches"
        for pause in (*PAUSES, None):
            try:
                self._ask(request, path, authorization, rejected)
            except NotJudged:
                if self.journal and entry is not None and pause == PAUSES[0]:
                    self.journal.ended(entry.token)  # nothing was sent
                raise
            if self.journal and creation and entry is None:
                entry = self.journal.intend(marked=False)
            elif self.journal and entry is not None and entry.ended:
                self.journal.intend_again(entry.token)
            response = self._send(request, pause)
            if response is None:
                continue
            exchange = Exchange(
                number=len(self.observer.exchanges),
                method=method,
                path=path,
                query={name: str(value) for name, value in (query or {}).items()},
                sent=sent,
                sent_type=request.headers.get("content-type", ""),
                sender=self.sender,
                authorization=authorization if not elsewhere else BEARER,
                status=response.status_code,
                headers={name.lower(): text for name, text in response.headers.items()},
                body=response.content,
                at=time.time(),
                awaited=awaited,
            )
            self._heard(exchange, entry)
            self.observer.see(exchange, settled=pause is None)
            if exchange.status not in BUSY or pause is None or not patient:
                break
            if self.budget.loopback:
                time.sleep(max(pause, _retry_after(exchange)))
            elif creation and not refused(exchange.status):
                # A batch may have come of it; a second one is not paid for.
                raise Inconclusive(f"{method} {path} is answered with {exchange.status}")
            else:
                time.sleep(pause)  # the budget waits as the service asks
        if exchange.status in OVERLOADED and patient:
            raise Inconclusive(f"{method} {path[:80]} is answered with {exchange.status} for ever")
        return exchange

    def _ask(
        self, request: httpx.Request, path: str, authorization: str | None, rejected: bool
    ) -> None:
        """Raises `NotJudged` for what the budget keeps back."""
        lines = None
        sent = Exchange(0, request.method, path, 0, sent=request.read())
        if request.method == "POST" and path == "/batches":
            lines = self._lines.get(str(sent.asked.get("input_file_id")), 0)
            rejected = rejected or lines == 0 or is_refused_for_certain(sent.asked)
        elif request.method == "POST" and path == "/files":
            label = request.headers.get("content-type", "")
            form = Exchange(0, "POST", path, 0, sent=sent.sent, sent_type=label)
            lines = len(uploaded(form)[1].splitlines())
        rejected = rejected or (authorization != BEARER and "://" not in path)
        try:
            self.budget.ask(request.method, path, lines=lines, rejected=rejected)
        except NotSent as kept:
            raise NotJudged(str(kept)) from kept

    def _heard(self, answer: Exchange, entry: Entry | None) -> None:
        self.budget.heard(answer.status, answer.headers)
        if self.journal and entry is not None:
            self.journal.heard(entry.token, answer.status, answer.json)
        for id in files(answer) if answer.operation == "POST /files" else ():
            self._lines[id] = len(uploaded(answer)[1].splitlines())

    def _send(self, request: httpx.Request, pause: float | None) -> httpx.Response | None:
        """The answer; None where nobody answered a request that may be sent again."""
        try:
            return self._client.send(request)
        except httpx.ConnectError:
            raise
        except httpx.TransportError as error:
            if request.method == "POST" or pause is None:
                if request.method == "POST":
                    self.observer.lose(str(request.url).removeprefix(self.base_url))
                raise Inconclusive(f"{request.method} was not answered: {error}") from error
            return None

    def send_plainly(self, method: str, path: str, query: dict[str, Any] | None = None) -> Exchange:
        """One request for the clean-up: never refused, never judged."""
        self.budget.wait()
        response = self._client.request(
            method,
            self.base_url + path,
            params=query,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        headers = {name.lower(): text for name, text in response.headers.items()}
        self.budget.heard(response.status_code, headers)
        return Exchange(
            0, method, path, response.status_code, headers=headers, body=response.content
        )

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
        if not self.budget.loopback and status not in FINAL:
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

    def watch(self, batch_id: str) -> Iterator[Exchange]:
        """Yields the batch as it changes until it is final, or until patience ends."""
        deadline, pause, seen = time.monotonic() + self.patience, 0.02, None
        while True:
            answer = self.retrieve(batch_id, awaited=True)
            batch = the_batch(answer)
            if not batch and answer.status not in BUSY:
                raise Blocked(f"a batch is answered with {answer.status} {answer.text[:200]}")
            if batch and batch != seen:
                yield answer
                seen = batch
            if batch.get("status") in FINAL or time.monotonic() > deadline:
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


def _retry_after(answer: Exchange) -> float:
    told = answer.headers.get("retry-after", "")
    return min(float(told), 60.0) if told.isdecimal() else 0.0


def json_lines(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in lines)
