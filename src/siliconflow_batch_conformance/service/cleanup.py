"""
Cancels the unfinished batches of this run and of earlier runs, and touches no others.

    the creation has       the service reports             then
    an id                  ended or cancelling             closed
    an id                  unfinished                      cancelled, verified, closed; else kept
    an id                  404                             closed; kept if it is recent
    no id                  a batch with the token          handled like a creation with that id
    no id                  the whole list lacks the token  closed; kept if it is recent
    no id                  the list is too long to read    kept for 15 days: windows end after 14
    no id and no token     (cannot be found)               reported, closed
    any                    nothing, or an unreadable body  kept

Rule 1: a batch is cancelled only if a journal contains its id, or if its metadata contains exactly
a token of a journal, or of the run of a damaged journal, which may have lost its records.
Rule 2: runs that are still alive are left alone.
Rule 3: creations that are kept are reported and left to the next clean-up.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
from attrs import define, field

from siliconflow_batch.errors import StateUnusable

from ..checks.exchange import Exchange
from .budget import LONGEST_PAUSE, NotSent, retry_after
from .journal import MARK, Creation, Journal

Send = Callable[[str, str, dict[str, Any]], Exchange]

SETTLED = frozenset({"completed", "failed", "expired", "cancelled", "cancelling"})
YOUNG, OLD = 15 * 60, 15 * 86_400  # seconds: lists may lag; the longest window is 336 hours
PAGE, PAGES = 100, 100
PATIENCE, FIRST_PAUSE = 60.0, 1.0
SHOWN = 5  # ids in a line


@define
class CleanUp:
    """
    The outcome of a clean-up: its `messages`, the ids of the batches that it `cancelled`, and how
    many creations are `left` open.
    """

    messages: list[str] = field(factory=list)
    cancelled: list[str] = field(factory=list)
    left: int = 0

    def notes(self) -> list[str]:
        """What a user reads of it: the messages, after a line for all cancelled batches."""
        if not self.cancelled:
            return self.messages
        shown = ", ".join(self.cancelled[:SHOWN]) + (", …" if len(self.cancelled) > SHOWN else "")
        line = f"cancelled {len(self.cancelled)} unfinished batches of the suite: {shown}"
        return [line, *self.messages]


class _GaveUp(Exception):
    """The service does not respond, or rejects the key; further requests are pointless."""


def clean_up(
    send: Send,
    journal: Journal,
    *,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> CleanUp:
    """
    Closes the open creations of a journal and of the dead runs in the same folder.

    `send(method, path, query)` sends a request with the journal's key at the permitted rate. It
    raises `httpx.TransportError` without a response, and `NotSent` if the budget refuses it.
    Errors are retried for `patience` seconds in total.
    """
    cleaner = _Cleaner(send, clock, sleep, clock() + patience)
    cleaner.close_all(journal)
    for other in journal.others():
        if other is None:
            cleaner.outcome.messages.append("another run is active; its batches were left alone")
        elif isinstance(other, StateUnusable):
            cleaner.keep("what its journal names", str(other).partition("\n")[0])
        else:
            cleaner.close_all(other)
            if other.damaged:
                cleaner.close_unrecorded(other)
    return cleaner.outcome


@define
class _Cleaner:
    send: Send
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    deadline: float
    outcome: CleanUp = field(factory=CleanUp)
    _given_up: str = ""
    _listed: "tuple[dict[str, list[str]], bool] | None" = None

    def close_all(self, journal: Journal) -> None:
        for creation in journal.open_creations():
            age = journal.clock() - creation.at
            try:
                reason = self._reason_to_keep(creation, journal.run, age)
                if not reason:
                    journal.close_creation(creation.token)
            except _GaveUp as error:
                reason = self._given_up = str(error)
            except StateUnusable as error:  # continue with the other creations
                reason = str(error).partition("\n")[0]
            if reason:
                lost = f"a creation of run {journal.run} without a response"
                self.keep(creation.batch or lost, reason)

    def keep(self, subject: str, reason: str) -> None:
        self.outcome.left += 1
        self.outcome.messages.append(f"left for the next run: {subject}: {reason}")

    def close_unrecorded(self, journal: Journal) -> None:
        """Cancels the batches with a token of a run that its damaged journal does not name."""
        subject = f"batches of run {journal.run}, whose journal is damaged ({journal.path})"
        try:
            ids_by_token, complete = self._list()
            own = {t: ids for t, ids in ids_by_token.items() if t.startswith(f"{journal.run}-")}
            missing = [id for t, ids in own.items() if t not in journal.creations for id in ids]
            reasons = [*filter(None, (self._cancel(id, YOUNG) for id in missing))]
        except _GaveUp as error:
            complete, reasons = True, [str(error)]
        if not complete:
            reasons.append("the list of batches could not be read completely")
        if reasons:
            self.keep(subject, "; ".join(reasons))
            return
        journal.damaged = False
        self.outcome.messages.append(
            f"the journal of run {journal.run} was damaged; the list has no other unfinished batch "
            "of it, but would not show one without a token"
        )

    def _reason_to_keep(self, creation: Creation, run: str, age: float) -> str:
        """Cancels a creation's batches; returns why it must stay open, or an empty string."""
        if creation.batch is not None:
            return self._cancel(creation.batch, age)
        if not creation.marked:
            self.outcome.messages.append(
                f"run {run} sent a creation without a token {age / 60:.0f} minutes ago and got no "
                "response; check your account for a batch from that time"
            )
            return ""
        ids_by_token, complete = self._list()
        if ids := ids_by_token.get(creation.token):
            creation.batch = ids[0]
            # A gateway that repeats a request creates several batches with one token.
            return "; ".join(filter(None, [self._cancel(id, age) for id in ids]))
        if not complete and age < OLD:
            return "the list of batches could not be read completely"
        return "it is not in the list yet" if age < YOUNG else ""

    def _cancel(self, id: str, age: float) -> str:
        """Cancels a batch unless it has ended; returns why it could not, or an empty string."""
        status = self._status(id)
        if status is None:
            return "the service does not know it yet" if age < YOUNG else ""
        if status in SETTLED:
            return ""
        response = self._request("POST", f"/batches/{quote(id, safe='')}/cancel")
        if (after := self._status(id)) not in SETTLED:
            return f"its cancel returned {response.status}, and its status is {after!r}"
        self.outcome.cancelled.append(id)
        return ""

    def _status(self, id: str) -> str | None:
        """The batch's status, or a description of the response; None if there is no such batch."""
        response = self._request("GET", f"/batches/{quote(id, safe='')}")
        if response.status == 404:
            return None
        body = response.json if response.status == 200 else None
        status = body.get("status") if isinstance(body, dict) else None
        return status if isinstance(status, str) else f"a response with {response.status}"

    def _list(self) -> tuple[dict[str, list[str]], bool]:
        """The account's batch ids by token, and whether the list was read completely; cached."""
        if self._listed is None:
            self._listed = self._read_list()
        return self._listed

    def _read_list(self) -> tuple[dict[str, list[str]], bool]:
        ids_by_token: dict[str, list[str]] = {}
        seen: set[str] = set()
        query: dict[str, Any] = {"limit": PAGE}
        for _ in range(PAGES):
            page = self._request("GET", "/batches", query).json
            data = page.get("data") if isinstance(page, dict) else None
            if not isinstance(data, list) or not all(_is_batch(batch) for batch in data):
                return ids_by_token, False
            new = [batch for batch in data if batch["id"] not in seen]
            seen.update(batch["id"] for batch in new)
            for batch in new:
                metadata = batch.get("metadata")
                if isinstance(metadata, dict) and isinstance(metadata.get(MARK), str):
                    ids_by_token.setdefault(metadata[MARK], []).append(batch["id"])
            # A full page with has_more false is not trusted to be the last one.
            if not data or (len(data) < PAGE and not page.get("has_more")):
                return ids_by_token, True
            if not new:
                return ids_by_token, False
            query["after"] = data[-1]["id"]
        return ids_by_token, False

    def _request(self, method: str, path: str, query: dict[str, Any] | None = None) -> Exchange:
        """Sends a request, and repeats it after errors until patience ends."""
        pause = FIRST_PAUSE
        while not self._given_up:
            delay = None
            try:
                response = self.send(method, path, dict(query or {}))
            except NotSent as error:
                raise _GaveUp(str(error)) from error
            except httpx.TransportError as error:
                problem = f"the service does not respond ({type(error).__name__})"
            else:
                if response.status in (401, 403):
                    raise _GaveUp(f"the service rejected the key ({response.status})")
                if response.status < 500 and response.status not in (408, 429):
                    return response
                problem = f"the service is overloaded or broken ({response.status})"
                delay = retry_after(response.headers.get("retry-after"), time.time())
            wait = min(max(pause, delay or 0), LONGEST_PAUSE)
            if self.clock() + wait > self.deadline:
                raise _GaveUp(problem)
            self.sleep(wait)
            pause *= 2
        raise _GaveUp(self._given_up)


def _is_batch(batch: object) -> bool:
    return isinstance(batch, dict) and isinstance(batch.get("id"), str)
