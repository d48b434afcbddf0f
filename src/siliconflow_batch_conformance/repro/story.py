"""
What a failure stands on: the few exchanges of its story that must come again for it to show.

Rule 1: an exchange needs whoever issued an id that stands in its request, and whatever was done to
that id before: cancels, and the latest wait.
Rule 2: what a list answers depends on what its owner had created; a page needs what is not older
than it, and one more, which tells whether more follow.
Rule 3: what is judged may have been changed by what no id in it tells of: the same asked before, an
upload of the same name, and whatever was written between two lists.
Rule 4: what a list or a look shows of a batch takes its time, and is waited for, before a younger
one is created that is not as far.
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

MAKERS = {"POST /files": ("id", "data.id"), "POST /batches": ("id",)}
LISTED = {"GET /batches": "POST /batches", "GET /files": "POST /files"}
SHORTEST = 4  # of an id; what is shorter stands in too many places by chance


@define(frozen=True)
class Origin:
    """Where an id, or the URL of a result, was said: step 3 at `data.id`."""

    value: str
    source: Exchange
    field: str


@define
class Extract:
    """The steps in their order, and what later ones take from them."""

    story: tuple[Exchange, ...]
    steps: dict[int, Exchange] = field(factory=dict)
    taken: dict[tuple[int, str], Origin] = field(factory=dict)
    _origins: list[Origin] = field(factory=list)

    def add(self, exchange: Exchange) -> None:
        """Adds an exchange with all that it needs."""
        if exchange.number in self.steps:
            return
        self.steps[exchange.number] = exchange
        for value in self._mentioned(exchange):
            self.add_origin(value, exchange.number)
            self._add_all(self._done_to(value, exchange.number))
        for other in self._listed(exchange):
            self.add(other)
            for origin in issued(other):
                changes = self._changes(origin.value, exchange.number)
                self._add_all([one for one in changes if one.status == 200])

    def _listed(self, exchange: Exchange) -> list[Exchange]:
        """What a list's owner had created by then, from just before the oldest that is shown."""
        maker = LISTED.get(exchange.operation)
        made = [
            other
            for other in self.story
            if other.operation == maker
            and (other.status, other.sender) == (200, exchange.sender)
            and other.number < exchange.number
        ]
        ids = ([origin.value for origin in issued(other)] for other in made)
        shown = [place for place, own in enumerate(ids) if any(id in exchange.text for id in own)]
        return made[max(0, shown[0] - 1) :] if shown and "limit" in exchange.query else made

    def add_literal(self, value: Any) -> None:
        """Adds who issued the ids in a JSON value, and who sent its notes."""
        for notes in _notes(value):
            for one in self.story:
                sent = one.request_json.get("metadata")
                if isinstance(sent, dict) and notes.items() <= sent.items():
                    self.add(one)
        texts = list(_texts(value))
        known = pattern(origin.value for origin in self._origins)
        for found in {id for text in texts for id in known.findall(text)}:
            self.add_origin(found, math.inf)

    def _mentioned(self, exchange: Exchange) -> set[str]:
        values = {origin.value for origin in self._origins}
        # A signed URL may be recorded with its query or beside it.
        found = {value for value in values if exchange.path in (value, value.partition("?")[0])}
        words = [exchange.path, *exchange.query.values(), exchange.request_body.decode("latin-1")]
        return found or set(pattern(values).findall("\n".join(words)))

    def add_origin(self, value: str, before: float) -> None:
        """Adds who issued an id, and where the answer says it."""
        earlier = [
            one for one in self._origins if one.value == value and one.source.number < before
        ]
        makers = [one for one in earlier if one.source.operation in MAKERS]
        for origin in makers or earlier[-1:]:  # an id that was issued twice is what is wrong
            self.taken[origin.source.number, origin.field] = origin
            self.add(origin.source)

    def _done_to(self, id: str, before: int) -> list[Exchange]:
        """What changed the object that is named, and the wait for what it came to before."""
        looks = [one for one in self.story if one.path_id == id and one.number < before]
        return self._changes(id, before) + [one for one in looks if one.awaited][-1:]

    def _changes(self, id: str, before: int) -> list[Exchange]:
        written = [one for one in self.story if one.path_id == id and one.method != "GET"]
        return [one for one in written if one.number < before]

    def add_unsaid(self, judged: list[Exchange]) -> None:
        """Adds what may have led to what is judged, though no id in it says so."""
        for exchange in judged:
            earlier = [one for one in self.story if one.number < exchange.number]
            own = [one for one in earlier if one.sender == exchange.sender and one.status == 200]
            if exchange.status != 200 and (about := _about(exchange)):
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
    """The part of a failure's story that its judgment stands on."""
    judged = judged_in(failure)
    story = {one.number: one for one in (*failure.story, *judged)}
    part = Extract(tuple(story[number] for number in sorted(story)))
    part._origins.extend(origin for one in part.story for origin in issued(one))
    for exchange in judged:
        part.add(exchange)
    part.add_unsaid(judged)
    part.add_literal(failure.arguments)
    part.steps = dict(sorted(part.steps.items()))
    return part


def judged_in(failure: Failure) -> list[Exchange]:
    """What a failure's check was given; without one, the last of its story."""
    found = list(_exchanges(failure.arguments))
    return found if failure.check is not None else list(failure.story[-1:])


def sent(failure: Failure) -> Extract:
    """
    What a script sends: waits stand before what is judged, and none of them twice.

    A wait that was in no story has a number below zero.
    """
    part, judged = extract(failure), judged_in(failure)
    created = {id for one in part.steps.values() for id in batches(one) if "POST" in one.method}
    cancelled = {one.path_id for one in part.steps.values() if one.operation.endswith("/cancel")}
    steps: list[Exchange] = []
    reached: dict[str, str] = {}
    for exchange in _waited_once(part, judged).values():
        looks = exchange in judged and exchange.method == "GET" and not exchange.awaited
        shown = {id: str(batch.get("status")) for id, batch in batches(exchange).items()}
        awaited = {
            id: status
            for id, status in shown.items()
            if (id in cancelled if "cancel" in status else status not in WAITING_STATUSES)
        }
        early = shown.keys() - awaited.keys()
        for id, status in awaited.items() if looks else ():
            if id in created and reached.get(id) != status:
                part.add_origin(id, exchange.number)
                wait = _wait(id, status, exchange, -1 - len(steps))
                steps.insert(_before_the_next(steps, id, early), wait)
        steps.append(exchange)
        reached |= shown
    part.steps = {one.number: one for one in steps}
    return part


def _before_the_next(steps: list[Exchange], id: str, early: Set[str]) -> int:
    """The place before the first of `early` that was created after the batch; else the end."""
    made = [batches(one).keys() if one.operation == "POST /batches" else set() for one in steps]
    own = next((place for place, ids in enumerate(made) if id in ids), len(steps))
    return next((n for n in range(own + 1, len(steps)) if made[n] & early), len(steps))


def _wait(id: str, status: str, shown_by: Exchange, number: int) -> Exchange:
    body = json.dumps({"id": id, "status": status}).encode()
    return replace(
        shown_by, number=number, path=f"/batches/{id}", query={}, body=body, awaited=True
    )


def _waited_once(part: Extract, judged: list[Exchange]) -> dict[int, Exchange]:
    """The steps without waits for what the next step waits for as well; what is judged stays."""
    kept = {one.number for one in judged} | {number for number, _ in part.taken}
    steps = list(part.steps.values())
    doubled = {
        one.number
        for one, following in itertools.pairwise(steps)
        if one.awaited
        and (one.path, _status(one)) == (following.path, _status(following))
        and following.awaited
    }
    return {number: one for number, one in part.steps.items() if number not in doubled - kept}


def issued(exchange: Exchange) -> Iterator[Origin]:
    """The ids and result URLs that an answer says, the surest place of each last."""
    fields = list(MAKERS.get(exchange.operation, ()))
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
    The status that an awaited exchange is to wait for; empty where there is none.

    One that nothing came of, and nothing came after, ended with the run's patience: it waits on.
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
    """What a request asks of which object; None where it names none."""
    if exchange.path_id or "://" in exchange.path:
        return f"{exchange.method} {exchange.path}", None
    file = exchange.request_json.get("input_file_id")
    return (exchange.operation, file) if isinstance(file, str) else None


def _notes(value: Any) -> Iterator[dict[str, str]]:
    """The notes among the arguments of a check: objects of texts alone."""
    if isinstance(value, dict) and value and all(type(text) is str for text in value.values()):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _notes(item)


def _status(exchange: Exchange) -> Any:
    return dig(exchange.json, "status")


def _places(exchange: Exchange, list_at: str, names: tuple[str, ...]) -> list[str]:
    found = dig(exchange.json, list_at)
    count = len(found) if isinstance(found, list) else 0
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
