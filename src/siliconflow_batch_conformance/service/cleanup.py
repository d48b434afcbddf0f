"""
Cancels what this run and earlier ones created and left unfinished, and nothing else.

    the entry has       the service says                 then
    an id               it has ended, or is cancelling   closed
    an id               it is unfinished                 cancelled, seen to be, closed; else kept
    an id               404                              closed; kept while it is young
    no id               the list holds its token         as with that id
    no id               the whole list does not          closed; kept while it is young
    no id               the list is too long to see      kept for 15 days: the longest window is 14
    no id and no mark   (cannot be asked)                told, closed
    any                 nothing, or nothing of sense     kept

Rule 1: a batch is touched for its id in a journal or for a journal's token in its metadata, which
is compared whole.
Rule 2: a run that still lives is left alone.
Rule 3: what is kept is for the next clean-up, and is said.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
from attrs import define, field

from ..checks.exchange import FINAL_STATUSES, Exchange
from .budget import LONGEST_PAUSE, NotSent, retry_after
from .journal import MARK, Entry, Journal
from .locked_file import StateUnusable

Send = Callable[[str, str, dict[str, Any]], Exchange]

SETTLED = frozenset({*FINAL_STATUSES, "cancelling"})
YOUNG, OLD = 15 * 60, 15 * 86_400  # seconds: lists may lag; windows are of 336 hours at most
PAGE, PAGES = 100, 100
PATIENCE, FIRST_PAUSE = 60.0, 1.0


@define
class Cleaned:
    """`said` tells what was done and what was not; `left` counts what was not."""

    said: list[str] = field(factory=list)
    left: int = 0


class _GaveUp(Exception):
    """The service does not answer, or does not take the key: there is no use in going on."""


def clean_up(
    send: Send,
    journal: Journal,
    *,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Cleaned:
    """
    Works through the open entries of a journal and of the dead runs beside it.

    `send(method, path, query)` sends with the journal's key, waits as the rate asks and raises
    httpx.TransportError where nobody answers, `NotSent` where it may not be sent; trouble is sat
    out for `patience` seconds in all.
    """
    cleaner = _Cleaner(send, clock, sleep, clock() + patience)
    cleaner.tidy(journal)
    for other in journal.others():
        if other is None:
            cleaner.cleaned.said.append("another run is under way: what it creates was left alone")
        else:
            cleaner.tidy(other)
    return cleaner.cleaned


@define
class _Cleaner:
    send: Send
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    deadline: float
    cleaned: Cleaned = field(factory=Cleaned)
    _given_up: str = ""
    _listed: "tuple[dict[str, list[str]], bool] | None" = None

    def tidy(self, journal: Journal) -> None:
        for entry in journal.left_open():
            age = journal.clock() - entry.at
            try:
                kept = self._settle(entry, journal.run, age)
                if not kept:
                    journal.ended(entry.token)
            except _GaveUp as reason:
                kept = self._given_up = str(reason)
            except StateUnusable as reason:  # the others are cancelled all the same
                kept = str(reason)
            if kept:
                self.cleaned.left += 1
                what = entry.batch or f"a creation of run {journal.run} whose answer was lost"
                self.cleaned.said.append(f"kept for the next time: {what}: {kept}")

    def _settle(self, entry: Entry, run: str, age: float) -> str:
        """Why an entry cannot be closed; empty when it can."""
        if entry.batch is not None:
            return self._cancel(entry.batch, run, age)
        if not entry.marked:
            self.cleaned.said.append(
                f"run {run} sent a creation without a mark {age / 60:.0f} minutes ago, and its "
                "answer was lost: if a batch came of it, only you can tell"
            )
            return ""
        marks, whole = self._list()
        if found := marks.get(entry.token):
            entry.batch = found[0]
            # A gateway may have repeated a creation: there may be several.
            return "; ".join(filter(None, [self._cancel(id, run, age) for id in found]))
        if not whole and age < OLD:
            return "the list of batches could not be seen whole"
        return "it is not in the list yet" if age < YOUNG else ""

    def _cancel(self, id: str, run: str, age: float) -> str:
        status = self._status(id)
        if status is None:
            return "the service does not know it yet" if age < YOUNG else ""
        if status in SETTLED:
            return ""
        answer = self._ask("POST", f"/batches/{quote(id, safe='')}/cancel")
        if (after := self._status(id)) not in SETTLED:
            return f"its cancel was answered with {answer.status}, and its status is {after!r}"
        self.cleaned.said.append(f"{id} of run {run}: was {status}, is {after}")
        return ""

    def _status(self, id: str) -> str | None:
        """None where the service does not know the batch."""
        answer = self._ask("GET", f"/batches/{quote(id, safe='')}")
        if answer.status == 404:
            return None
        body = answer.json if answer.status == 200 else None
        status = body.get("status") if isinstance(body, dict) else None
        return status if isinstance(status, str) else f"an answer with {answer.status}"

    def _list(self) -> tuple[dict[str, list[str]], bool]:
        """The ids of the account's batches by their token, and whether the list was seen whole."""
        if self._listed is None:
            self._listed = self._walk()
        return self._listed

    def _walk(self) -> tuple[dict[str, list[str]], bool]:
        marks: dict[str, list[str]] = {}
        seen: set[str] = set()
        query: dict[str, Any] = {"limit": PAGE}
        for _ in range(PAGES):
            page = self._ask("GET", "/batches", query).json
            data = page.get("data") if isinstance(page, dict) else None
            if not isinstance(data, list) or not all(_is_batch(batch) for batch in data):
                return marks, False
            new = [batch for batch in data if batch["id"] not in seen]
            seen.update(batch["id"] for batch in new)
            for batch in new:
                metadata = batch.get("metadata")
                if isinstance(metadata, dict) and isinstance(metadata.get(MARK), str):
                    marks.setdefault(metadata[MARK], []).append(batch["id"])
            # has_more is believed where the page bears it out.
            if not data or (len(data) < PAGE and not page.get("has_more")):
                return marks, True
            if not new:
                return marks, False
            query["after"] = data[-1]["id"]
        return marks, False

    def _ask(self, method: str, path: str, query: dict[str, Any] | None = None) -> Exchange:
        """An answer that is no trouble, asked for again until patience ends."""
        pause = FIRST_PAUSE
        while not self._given_up:
            told = None
            try:
                answer = self.send(method, path, dict(query or {}))
            except NotSent as kept:
                raise _GaveUp(str(kept)) from kept
            except httpx.TransportError as error:
                trouble = f"nobody answers ({type(error).__name__})"
            else:
                if answer.status in (401, 403):
                    raise _GaveUp(f"the service does not take the key ({answer.status})")
                if answer.status < 500 and answer.status not in (408, 429):
                    return answer
                trouble = f"the service is in trouble ({answer.status})"
                told = retry_after(answer.headers.get("retry-after"), time.time())
            wait = min(max(pause, told or 0), LONGEST_PAUSE)
            if self.clock() + wait > self.deadline:
                raise _GaveUp(trouble)
            self.sleep(wait)
            pause *= 2
        raise _GaveUp(self._given_up)


def _is_batch(batch: object) -> bool:
    return isinstance(batch, dict) and isinstance(batch.get("id"), str)
