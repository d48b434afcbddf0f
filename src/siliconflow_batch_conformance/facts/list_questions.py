"""Open questions about `GET /batches`: order, paging, and what the items show."""

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
LAG, LONG_LAG = 10, 55  # seconds
EXAMPLE_KEYS = {"batch_description", "name"}  # of metadata, in the vendor's example of a list


def list_order(exchanges: Exchanges) -> Iterator[Sighting]:
    return by_order((page, _times(page)) for page in successes(exchanges, LIST_BATCHES))


def list_paging(exchanges: Exchanges) -> Iterator[Sighting]:
    for page in successes(exchanges, LIST_BATCHES):
        ids, has_more = listed_ids(page), _has_more(page)
        limit = page.query.get("limit", "")
        most = int(limit) if limit.isdecimal() else 0
        after = page.query.get("after")
        if after in ids or (most and len(ids) > most):
            yield shows(page, "ignored")
        elif most > CAP and len(ids) == most and has_more:
            yield shows(page, "honoured")
        elif most > SHORT_DEFAULT and ids and len(ids) < most and has_more:
            yield shows(page, "capped")
        elif (most and len(ids) == most and has_more) or (after and ids):
            yield shows(page, "honoured", "capped")


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
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except (TypeError, ValueError):
        return text


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
            elif _must_show(exchange, creation):
                missing[id] = exchange
    for age, page in lagged:
        yield shows(page, "a-minute-later" if age >= LAG else "seconds-later")
    if early and not lagged:
        yield shows(early[0], "at-once")


def _must_show(page: Exchange, creation: Exchange) -> bool:
    """Whether a page has the place of a batch: it is the whole list, or holds older batches."""
    if "after" in page.query:
        return False
    if not _has_more(page):
        return True
    times = [time for time in _times(page) if type(time) is int]
    time = the_batch(creation).get("created_at")
    is_newest_first = order_of(times) == "newest-first"
    return is_newest_first and type(time) is int and min(times) < time


def list_default_limit(exchanges: Exchanges) -> Iterator[Sighting]:
    for page in successes(exchanges, LIST_BATCHES):
        number, has_more = len(listed_ids(page)), _has_more(page)
        if {"limit", "after"} & page.query.keys():
            continue
        if has_more and number in (DEFAULT, SHORT_DEFAULT):
            yield shows(page, "twenty" if number == DEFAULT else "ten")
        elif not has_more and number > SHORT_DEFAULT:
            yield shows(page, "all", *(["twenty"] if number <= DEFAULT else []))


def unknown_after(exchanges: Exchanges) -> Iterator[Sighting]:
    known = {id for exchange in exchanges for id in batches(exchange)}
    for page in with_key(exchanges, LIST_BATCHES):
        if page.query.get("after", "") in {"", *known}:
            continue
        if page.status in (400, 404):
            yield shows(page, "refused")
        elif page.status == 200 and not listed_ids(page):
            yield shows(page, "empty-page")


def _times(page: Exchange) -> list[object]:
    return [batch.get("created_at") for batch in batches(page).values()]


def _has_more(page: Exchange) -> bool:
    return isinstance(page.json, dict) and page.json.get("has_more") is True
