"""
Sightings: exchanges that are possible under some alternatives of a question only.

Rule 1: a function of a question takes the exchanges of a recording in their order, and yields the
sightings; it sends nothing and reads no clock.
Rule 2: an exchange that is possible under every alternative is no sighting.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import define

from ..checks.exchange import BEARER, Exchange

BATCH_ID = re.compile(r"batch_[A-Za-z0-9]+")
CREATED = 201  # not documented; a service that returns it has created the batch


@define(frozen=True)
class Sighting:
    """The exchange is possible under these `alternatives` only, or under none if it has none."""

    alternatives: frozenset[str]
    exchange: Exchange


Exchanges = Sequence[Exchange]
Finder = Callable[[Exchanges], Iterable[Sighting]]


def shows(exchange: Exchange, *alternatives: str) -> Sighting:
    return Sighting(frozenset(alternatives), exchange)


def with_key(exchanges: Exchanges, *operations: str) -> Iterator[Exchange]:
    """The requests of these operations that were sent with the account's key."""
    for exchange in exchanges:
        if exchange.operation in operations and exchange.authorization == BEARER:
            yield exchange


def successes(exchanges: Exchanges, *operations: str) -> Iterator[Exchange]:
    return (one for one in with_key(exchanges, *operations) if one.status in (200, CREATED))


def order_of(times: Sequence[object]) -> str:
    """`newest-first`, `oldest-first`, `unordered`, or empty where the times do not tell."""
    numbers = [time for time in times if type(time) is int]
    if len(set(numbers)) < 2:
        return ""
    if numbers == sorted(numbers):
        return "oldest-first"
    return "newest-first" if numbers == sorted(numbers, reverse=True) else "unordered"


def by_order(lists: Iterable[tuple[Exchange, Sequence[object]]]) -> Iterator[Sighting]:
    """Sightings of the order of lists; short lists of an unordered service may look ordered."""
    orders = [(exchange, order_of(times)) for exchange, times in lists]
    unordered = [exchange for exchange, order in orders if order == "unordered"]
    if unordered:
        yield shows(unordered[0], "unordered")
        return
    yield from (shows(exchange, order) for exchange, order in orders if order)
