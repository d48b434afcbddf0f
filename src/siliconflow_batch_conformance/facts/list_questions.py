"""Open questions about `GET /batches`: order, paging, and what the items show."""

import json
import re
from collections.abc import Iterator
from typing import Any

from ..checks.exchange import (
    CREATE_BATCH,
    LIST_BATCHES,
    Exchange,
    batches,
    listed_ids,
    the_batch,
)
from .sightings import (
    BATCH_ID,
    Exchanges,
    Sighting,
    by_order,
    order_of,
    shows,
    successes,
    with_key,
)

CAP = 20  # batches on a page whatever `limit` asks for
DEFAULT, SHORT_DEFAULT = 20, 10  # batches on a page without `limit`
LAG = 10  # seconds; a list that shows a batch earlier than this does not lag
LONG_LAG = 30  # seconds; between the lags of ten seconds and of a minute, with time for slow runs
LITERAL = re.compile(r"true|false|-?(0|[1-9][0-9]*)(\.[0-9]+)?")  # a number or a boolean
EXAMPLE_KEYS = {"batch_description", "name"}  # of metadata, in the vendor's example of a list


def list_order(exchanges: Exchanges) -> Iterator[Sighting]:
    return by_order((page, _times(page)) for page in successes(exchanges, LIST_BATCHES))


def list_paging(exchanges: Exchanges) -> Iterator[Sighting]:
    seen: set[tuple[str, str]] = set()  # batches with their account
    for exchange in successes(exchanges, CREATE_BATCH, LIST_BATCHES):
        is_after_known = (exchange.sender, exchange.query.get("after", "")) in seen
        seen |= {(exchange.sender, id) for id in batches(exchange)}
        if exchange.operation == LIST_BATCHES:
            possible = _paging_alternatives(exchange, is_after_known)
            yield from [shows(exchange, *possible)] if possible else []


def _paging_alternatives(page: Exchange, is_after_known: bool) -> tuple[str, ...]:
    """The alternatives that allow a page; empty where every one does."""
    ids, has_more, limit = listed_ids(page), _has_more(page), page.query.get("limit", "")
    most = int(limit) if limit.isdecimal() else 0
    if page.query.get("after") in ids or (limit.isdecimal() and len(ids) > most):
        return ("ignored",)
    if most > CAP and len(ids) == most and has_more:
        return ("honoured",)
    if most > SHORT_DEFAULT and ids and len(ids) < most and has_more:
        return ("capped",)
    is_cut = bool(most) and len(ids) == most and has_more
    return ("honoured", "capped") if is_cut or (is_after_known and ids) else ()


def list_metadata(exchanges: Exchanges) -> Iterator[Sighting]:
    sent: dict[str, dict[str, Any]] = {}
    for exchange in successes(exchanges, CREATE_BATCH, LIST_BATCHES):
        if exchange.operation == CREATE_BATCH:
            metadata = exchange.request_json.get("metadata")
            if isinstance(metadata, dict) and metadata:
                sent.update(dict.fromkeys(batches(exchange), metadata))
            continue
        for id, batch in batches(exchange).items():
            if id in sent and (possible := _metadata_alternatives(sent[id], batch)):
                yield shows(exchange, *possible)


def _metadata_alternatives(sent: dict[str, Any], listed: dict[str, Any]) -> set[str]:
    """The alternatives under which a batch created with `sent` is listed like this."""
    if "metadata" not in listed:
        return {"absent"}
    expected = {
        "complete": sent,
        "empty": {},
        "filtered": {name: text for name, text in sent.items() if name in EXAMPLE_KEYS},
        "converted": {name: _converted(text) for name, text in sent.items()},
    }
    shown = listed["metadata"] or {}
    return {name for name, metadata in expected.items() if _same(metadata, shown)}


def _converted(text: Any) -> Any:
    """A value as JSON would have it: a number or a boolean where the text looks like one."""
    is_literal = isinstance(text, str) and LITERAL.fullmatch(text)
    return json.loads(text) if is_literal else text


def _same(expected: dict[str, Any], shown: Any) -> bool:
    """Equal in values and types; `1 == True` in Python."""
    return expected == shown and all(
        type(value) is type(shown[name]) for name, value in expected.items()
    )


def list_lag(exchanges: Exchanges) -> Iterator[Sighting]:
    created: dict[str, Exchange] = {}
    missing: dict[str, Exchange] = {}
    early: list[Exchange] = []  # pages that show a new batch soon after its creation
    lagged: list[tuple[float, Exchange]] = []
    orders = {order_of(_times(page)) for page in successes(exchanges, LIST_BATCHES)} - {""}
    is_newest_first = orders == {"newest-first"}
    for exchange in successes(exchanges, CREATE_BATCH, LIST_BATCHES):
        if exchange.operation == CREATE_BATCH:
            created.update(dict.fromkeys(batches(exchange), exchange))
            continue
        for id, creation in created.items():
            age = exchange.at - creation.at
            if creation.sender != exchange.sender:
                continue
            if id in listed_ids(exchange):
                if id in missing:
                    page = missing.pop(id)
                    lagged.append((page.at - creation.at, page))
                elif age < LAG:
                    early.append(exchange)
            elif _must_show(exchange, creation, is_newest_first=is_newest_first):
                missing[id] = exchange
    for age, page in lagged:
        yield shows(page, "a-minute-later" if age >= LONG_LAG else "seconds-later")
    if early and not lagged:
        yield shows(early[0], "at-once")


def _must_show(page: Exchange, creation: Exchange, *, is_newest_first: bool) -> bool:
    """Whether a page has the place of a batch: it is the whole list, or holds older batches."""
    if "after" in page.query:
        return False
    if not _has_more(page):
        return True
    times = [time for time in _times(page) if type(time) is int]
    time = the_batch(creation).get("created_at")
    return is_newest_first and bool(times) and type(time) is int and min(times) < time


def list_default_limit(exchanges: Exchanges) -> Iterator[Sighting]:
    pages = list(successes(exchanges, LIST_BATCHES))
    is_uncapped = any(len(listed_ids(page)) > CAP for page in pages)
    for page in pages:
        number, has_more = len(listed_ids(page)), _has_more(page)
        if {"limit", "after"} & page.query.keys():
            continue
        if has_more and number == SHORT_DEFAULT:
            yield shows(page, "ten")
        elif has_more and number == DEFAULT:  # a cap looks the same
            yield shows(page, "twenty", *([] if is_uncapped else ["all"]))
        elif not has_more and number > SHORT_DEFAULT:
            yield shows(page, "all", *(["twenty"] if number <= DEFAULT else []))


def unknown_after(exchanges: Exchanges) -> Iterator[Sighting]:
    known = {id for exchange in exchanges for id in batches(exchange)}
    for page in with_key(exchanges, LIST_BATCHES):
        after, limit = page.query.get("after", ""), page.query.get("limit", "1")
        is_valid = BATCH_ID.fullmatch(after) and limit.isdecimal() and int(limit) > 0
        if after in known or not is_valid:
            continue
        if page.status in (400, 404):
            yield shows(page, "refused")
        elif page.status == 200 and not listed_ids(page):
            yield shows(page, "empty-page")


def _times(page: Exchange) -> list[object]:
    return [batch.get("created_at") for batch in batches(page).values()]


def _has_more(page: Exchange) -> bool:
    return isinstance(page.json, dict) and page.json.get("has_more") is True
