"""
Selects the exchanges of a run that must be repeated for a failure to occur again.

Rule 1: a request needs the exchanges that issued the ids in it, and everything that changed those
objects before: cancels, and the latest wait.
Rule 2: a list needs everything that its account had created before. A page needs only the objects
that are not older than those on it, and one more, which decides `has_more`.
Rule 3: a judged response may also depend on requests that share no id with it: the same request
before, an upload of the same name, and all writes between two judged lists.
Rule 4: if a judged response shows a batch that has progressed, the script waits for that status
before it creates a later batch that has not progressed as far.
"""

import itertools
import json
import math
from collections.abc import Iterator, Set
from dataclasses import replace
from typing import Any

from attrs import define, field

from ..checks.exchange import (
    FINAL_STATUSES,
    RESULT_FIELDS,
    WAITING_STATUSES,
    Exchange,
    batches,
    files,
    uploaded,
)
from ..verdicts import Failure
from .ids import dig, pattern
from .replay import END

ISSUERS = {"POST /files": ("id", "data.id"), "POST /batches": ("id",)}
LISTED = {"GET /batches": "POST /batches", "GET /files": "POST /files"}
SHORTEST = 4  # characters of an id; shorter texts occur too often by chance


@define(frozen=True)
class Origin:
    """The response and the field, such as `data.id`, in which an id or a result URL was issued."""

    value: str
    source: Exchange
    field: str


@define
class Extract:
    """The steps to repeat, in order, and the ids that later steps use, by step and field."""

    story: tuple[Exchange, ...]
    steps: dict[int, Exchange] = field(factory=dict)
    used: dict[tuple[int, str], Origin] = field(factory=dict)
    _origins: list[Origin] = field(factory=list)

    def add(self, exchange: Exchange) -> None:
        """Adds an exchange and everything that it needs."""
        if exchange.number in self.steps:
            return
        self.steps[exchange.number] = exchange
        for value in self._mentioned(exchange):
            self.add_origin(value, exchange.number)
            self._add_all(self._history(value, exchange.number))
        for other in self._listed(exchange):
            self.add(other)
            for origin in issued(other):
                changes = self._changes(origin.value, exchange.number)
                self._add_all([one for one in changes if one.succeeded])

    def _listed(self, exchange: Exchange) -> list[Exchange]:
        """The creations that a list depends on, by rule 2."""
        creation = LISTED.get(exchange.operation)
        created = [
            other
            for other in self.story
            if other.operation == creation
            and (other.status, other.sender) == (200, exchange.sender)
            and other.number < exchange.number
        ]
        ids = ([origin.value for origin in issued(other)] for other in created)
        shown = [index for index, own in enumerate(ids) if any(id in exchange.text for id in own)]
        return created[max(0, shown[0] - 1) :] if shown and "limit" in exchange.query else created

    def add_literal(self, value: Any) -> None:
        """Adds the exchanges that issued the ids or sent the metadata in a JSON value."""
        for metadata in _metadata(value):
            for one in self.story:
                sent = one.request_json.get("metadata")
                if isinstance(sent, dict) and metadata.items() <= sent.items():
                    self.add(one)
        texts = list(_texts(value))
        ids = pattern(origin.value for origin in self._origins)
        for id in {id for text in texts for id in ids.findall(text)}:
            self.add_origin(id, math.inf)

    def _mentioned(self, exchange: Exchange) -> set[str]:
        """The ids and result URLs in a request."""
        values = {origin.value for origin in self._origins}
        # A signed URL may be recorded with its query or beside it.
        urls = {value for value in values if exchange.path in (value, value.partition("?")[0])}
        texts = [exchange.path, *exchange.query.values(), exchange.request_body.decode("latin-1")]
        return urls or set(pattern(values).findall("\n".join(texts)))

    def add_origin(self, value: str, before: float) -> None:
        """Adds the exchange that issued an id before a given step."""
        earlier = [
            one for one in self._origins if one.value == value and one.source.number < before
        ]
        issuers = [one for one in earlier if one.source.operation in ISSUERS]
        for origin in issuers or earlier[-1:]:  # all of them: issuing an id twice may be the defect
            self.used[origin.source.number, origin.field] = origin
            self.add(origin.source)

    def _history(self, id: str, before: int) -> list[Exchange]:
        """The changes of an object, and the latest wait for it."""
        earlier = [one for one in self.story if one.path_id == id and one.number < before]
        return self._changes(id, before) + [one for one in earlier if one.awaited][-1:]

    def _changes(self, id: str, before: int) -> list[Exchange]:
        written = [one for one in self.story if one.path_id == id and one.method != "GET"]
        return [one for one in written if one.number < before]

    def add_unreferenced(self, judged: list[Exchange]) -> None:
        """Adds the exchanges of rule 3."""
        for exchange in judged:
            earlier = [one for one in self.story if one.number < exchange.number]
            own = [one for one in earlier if one.sender == exchange.sender and one.succeeded]
            if not exchange.succeeded and (about := _about(exchange)):
                self._add_all([one for one in own if _about(one) == about][-1:])
            if exchange.operation == "GET /files/{file_id}/content":
                uploads = [one for one in own if one.operation == "POST /files"]
                names = [uploaded(one)[0] for one in uploads if exchange.path_id in files(one)]
                self._add_all([one for one in uploads if uploaded(one)[0] in names][-1:])
        lists = [one.number for one in judged if one.operation in LISTED]
        between = range(min(lists, default=0), max(lists, default=0))
        self._add_all([one for one in self.story if one.number in between and one.method != "GET"])

    def _add_all(self, exchanges: list[Exchange]) -> None:
        for exchange in exchanges:
            self.add(exchange)


def extract(failure: Failure) -> Extract:
    """The exchanges that a failure depends on."""
    judged = judged_in(failure)
    story = {one.number: one for one in (*failure.story, *judged)}
    part = Extract(tuple(story[number] for number in sorted(story)))
    part._origins.extend(origin for one in part.story for origin in issued(one))
    for exchange in judged:
        part.add(exchange)
    part.add_unreferenced(judged)
    part.add_literal(failure.arguments)
    part.steps = dict(sorted(part.steps.items()))
    return part


def judged_in(failure: Failure) -> list[Exchange]:
    """The exchanges among the check's arguments; without a check, the last of the story."""
    judged = list(_exchanges(failure.arguments))
    return judged if failure.check is not None else list(failure.story[-1:])


def steps_to_send(failure: Failure) -> Extract:
    """
    The exchanges that a script sends: those of `extract`, with the waits of rule 4 and without
    repeated waits.

    Added waits have negative numbers.
    """
    part, judged = extract(failure), judged_in(failure)
    created = {id for one in part.steps.values() for id in batches(one) if "POST" in one.method}
    cancelled = {one.path_id for one in part.steps.values() if one.operation.endswith("/cancel")}
    steps: list[Exchange] = []
    reached: dict[str, str] = {}
    for exchange in _waited_once(part, judged).values():
        needs_wait = exchange in judged and exchange.method == "GET" and not exchange.awaited
        shown = {id: str(batch.get("status")) for id, batch in batches(exchange).items()}
        awaited = {
            id: status
            for id, status in shown.items()
            if (id in cancelled if "cancel" in status else status not in WAITING_STATUSES)
        }
        early = shown.keys() - awaited.keys()
        for id, status in awaited.items() if needs_wait else ():
            if id in created and reached.get(id) != status:
                part.add_origin(id, exchange.number)
                wait = _wait(id, status, exchange, -1 - len(steps))
                steps.insert(_before_the_next(steps, id, early), wait)
        steps.append(exchange)
        reached |= shown
    part.steps = {one.number: one for one in steps}
    return part


def _before_the_next(steps: list[Exchange], id: str, early: Set[str]) -> int:
    """The index of the first creation of an `early` batch after this batch's; else the end."""
    created = [batches(one).keys() if one.operation == "POST /batches" else set() for one in steps]
    own = next((index for index, ids in enumerate(created) if id in ids), len(steps))
    return next((n for n in range(own + 1, len(steps)) if created[n] & early), len(steps))


def _wait(id: str, status: str, shown_by: Exchange, number: int) -> Exchange:
    body = json.dumps({"id": id, "status": status}).encode()
    return replace(
        shown_by, number=number, path=f"/batches/{id}", query={}, body=body, awaited=True
    )


def _waited_once(part: Extract, judged: list[Exchange]) -> dict[int, Exchange]:
    """The steps without a wait that the next step repeats, unless it is judged or used."""
    kept = {one.number for one in judged} | {number for number, _ in part.used}
    steps = list(part.steps.values())
    repeated = {
        one.number
        for one, following in itertools.pairwise(steps)
        if one.awaited
        and (one.path, _status(one)) == (following.path, _status(following))
        and following.awaited
    }
    return {number: one for number, one in part.steps.items() if number not in repeated - kept}


def issued(exchange: Exchange) -> Iterator[Origin]:
    """The ids and result URLs in a response; the most reliable field of each comes last."""
    fields = list(ISSUERS.get(exchange.operation, ()))
    if exchange.operation == "GET /batches":
        fields = [f"data.{place}" for place in _places(exchange, "data", ("id", *RESULT_FIELDS))]
        fields += ["first_id", "last_id"]
    elif exchange.operation == "GET /files":
        fields = [f"data.data.{place}" for place in _places(exchange, "data.data", ("id",))]
    elif exchange.operation.endswith(("/{batch_id}", "/cancel")):
        fields = list(RESULT_FIELDS)
    for name in fields:
        value = dig(exchange.json, name)
        if isinstance(value, str) and len(value) >= SHORTEST and value.isprintable():
            yield Origin(value, exchange, name)


def goal(exchange: Exchange, story: tuple[Exchange, ...]) -> str:
    """
    The status that a script waits for in an awaited exchange; empty if it need not wait.

    If the run's patience ended without a change, the script waits for any final status.
    """
    status = _status(exchange)
    if not exchange.awaited or not isinstance(status, str):
        return ""
    about = [one for one in story if exchange.path_id in (one.path_id, dig(one.json, "id"))]
    before = [_status(one) for one in about if one.number < exchange.number]
    is_latest = all(one.number <= exchange.number for one in about)
    gave_up = is_latest and status not in FINAL_STATUSES and before[-1:] == [status]
    return END if gave_up else status


def _about(exchange: Exchange) -> tuple[str, object] | None:
    """The operation and the object of a request; None if it names no object."""
    if exchange.path_id or "://" in exchange.path:
        return f"{exchange.method} {exchange.path}", None
    file = exchange.request_json.get("input_file_id")
    return (exchange.operation, file) if isinstance(file, str) else None


def _metadata(value: Any) -> Iterator[dict[str, str]]:
    """The objects in a check's arguments whose values are all strings."""
    if isinstance(value, dict) and value and all(type(text) is str for text in value.values()):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _metadata(item)


def _status(exchange: Exchange) -> Any:
    return dig(exchange.json, "status")


def _places(exchange: Exchange, list_at: str, names: tuple[str, ...]) -> list[str]:
    items = dig(exchange.json, list_at)
    count = len(items) if isinstance(items, list) else 0
    return [f"{place}.{name}" for place in range(count) for name in names]


def _exchanges(value: Any) -> Iterator[Exchange]:
    if isinstance(value, Exchange):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _exchanges(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
