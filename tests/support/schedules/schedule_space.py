"""
SWEEPS: which schedules are enumerated. A sweep is a list of cases; each is walked through whole.

`lists(n)` are those with up to `n` deviations from a plain list, which is newest first, paged as
asked, shows whole items at once, and has seven older batches of others.
"""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from attrs import define

from siliconflow_batch.retries import Patience

from . import list_shapes as shapes
from .account_model import CALLERS_FILE, OTHER_FILE
from .answer_fates import FATES, FEW, KINDS
from .list_shapes import Listing
from .model_world import (
    EMPTIED,
    INTERRUPTED,
    SLOW,
    STALE,
    STRANGER,
    UNREADABLE,
    UNSAVED,
    Events,
    Mode,
)
from .schedule_walk import Case

DEVIATIONS: list[dict[str, Any]] = [
    {"order": shapes.OLDEST},
    {"order": shapes.UNORDERED},
    *({"paging": how} for how in (shapes.CAPPED, shapes.WHOLE, shapes.NO_AFTER, shapes.WINDOW)),
    {"paging": shapes.CAPPED, "gap": True},
    {"paging": shapes.CUT, "order": shapes.OLDEST, "history": 12},
    *({"has_more": how} for how in (shapes.FALSE, shapes.TRUE, shapes.MISSING)),
    *({"metadata": how} for how in (shapes.ABSENT, shapes.EMPTY, shapes.FILTERED, shapes.CHANGED)),
    {"metadata": shapes.ABSENT, "retrieved": shapes.ABSENT},
    {"file_ids": False},
    *({"lag": seconds} for seconds in (10.0, 55.0, 90.0, shapes.NEVER)),
    *({"history": number} for number in (0, 1, 2)),
    {"tokens": True},
    *({"skew": seconds} for seconds in (5.0, -5.0)),
]

CREATE = Mode("create", uploads=False)
SUBMIT = Mode("submit")
RECORDED = Mode("submit, recorded", is_recorded=True)
KEYED = Mode("submit with a key", is_recorded=True, is_keyed=True)
CALLERS = Mode("create of the caller's file", own=False, uploads=False)
CALLERS_KEYED = Mode("the same with a key", False, False, is_recorded=True, is_keyed=True)
TOGETHER = Mode("two files, recorded", is_recorded=True, orders=2)
ONE_BY_ONE = Mode("two submits of one client", orders=2, together=False)
STRANGERS = [
    (SUBMIT, None, OTHER_FILE),
    (SUBMIT, "token-of-another", OTHER_FILE),
    (CALLERS, None, CALLERS_FILE),
    (CALLERS, "token-of-another", CALLERS_FILE),
]
ONCE = Patience(creations=1)
NEW_ACCOUNT = Patience(new_account=True)


def lists(most: int, least: int = 0) -> list[Listing]:
    """The lists with `least` to `most` deviations, each once."""
    found: dict[Listing, None] = {}
    for number in range(least, most + 1):
        for chosen in combinations(DEVIATIONS, number):
            changed: dict[str, Any] = {}
            for deviation in chosen:
                changed |= deviation
            found[Listing(**changed)] = None
    return list(found)


def _fates() -> Iterator[Case]:
    for mode in (SUBMIT, CALLERS):
        for listing in lists(1):
            yield Case(mode, listing, Events((FATES, KINDS, FEW)))
        for listing in lists(2, 2):
            yield Case(mode, listing, Events((FATES, FEW)))
    for listing in lists(1):
        yield Case(CREATE, listing, Events((FATES, FEW)))


def _lists() -> Iterator[Case]:
    for mode in (SUBMIT, CALLERS):
        for listing in lists(3, 3):
            yield Case(mode, listing, Events((KINDS, FEW)))


def _deaths() -> Iterator[Case]:
    for mode in (RECORDED, KEYED, CALLERS_KEYED):
        for listing in lists(1):
            yield Case(mode, listing, Events((KINDS, FEW)), processes=2)
        yield Case(mode, Listing(), Events((FATES, KINDS)), processes=2)
        for listing in (Listing(), Listing(lag=55.0), Listing(metadata=shapes.ABSENT)):
            yield Case(mode, listing, Events((FEW,)), processes=3)


def _two() -> Iterator[Case]:
    for listing in lists(1):
        yield Case(TOGETHER, listing, Events((FEW,)))
        yield Case(ONE_BY_ONE, listing, Events((FEW,)))
    for listing in (Listing(), Listing(lag=55.0), Listing(metadata=shapes.ABSENT)):
        yield Case(TOGETHER, listing, Events((KINDS, FEW)))
        yield Case(TOGETHER, listing, Events((FEW[:3], FEW[:1])), processes=2)


def _events() -> Iterator[Case]:
    once = [
        frozenset({event}) for event in (SLOW, UNSAVED, UNREADABLE, INTERRUPTED, EMPTIED, STALE)
    ]
    for listing in lists(1):
        for event in once:
            yield Case(RECORDED, listing, Events((FEW,), event))
            yield Case(CALLERS, listing, Events((FEW,), event))
        for mode, token, file_id in STRANGERS:
            stranger = Events((FEW,), frozenset({STRANGER}), (token, file_id))
            yield Case(mode, listing, stranger)
    for listing in (Listing(), Listing(lag=10.0)):
        yield Case(RECORDED, listing, Events((FEW,), frozenset({SLOW})), processes=2)
        yield Case(KEYED, listing, Events((FEW,), frozenset({UNREADABLE})), processes=2)
        yield Case(TOGETHER, listing, Events((FEW[:2], FEW[:1]), frozenset({STRANGER})))


def _patience() -> Iterator[Case]:
    for listing in lists(2):
        yield Case(SUBMIT, listing, Events((KINDS, FEW)), patience=ONCE)
    for listing in lists(1):
        yield Case(RECORDED, listing, Events((KINDS,)), processes=3, patience=ONCE)
        yield Case(SUBMIT, listing, Events((KINDS, FEW)), patience=NEW_ACCOUNT)


@define(frozen=True)
class Sweep:
    name: str
    cases: Callable[[], Iterator[Case]]


SWEEPS = [
    Sweep("every fate of a request, lists with up to two deviations", _fates),
    Sweep("lists with three deviations", _lists),
    Sweep("processes that die, and those that go on", _deaths),
    Sweep("two creations", _two),
    Sweep("what happens between the steps", _events),
    Sweep("other patience", _patience),
]
