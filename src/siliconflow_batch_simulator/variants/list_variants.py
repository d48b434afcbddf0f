"""
Variants of the list of batches: its order, its pages, its metadata, and how soon it is complete.
"""

import re
from collections.abc import Callable
from hashlib import blake2s

from ..batches.lifecycle import Batch
from ..hooks import Replacement, replaces
from ..service.refusals import Refused
from ..service.service import Service
from ..switches.altering import (
    LIST,
    NO_LIMIT,
    Body,
    ListBatches,
    Page,
    altering_listed_batches,
    altering_queries,
)
from ..switches.switchboard import Behaviour

CAP = 20  # the largest page of `page-capped`
LAG, LONG_LAG = 10.0, 55.0  # simulated seconds until a new batch is listed
VENDOR_KEYS = ("batch_description", "name")  # the metadata of the example on the page of the list
LITERALS = {"true": True, "false": False}


def _relisting(change: Callable[[list[Batch], float], list[Batch]]) -> Replacement:
    """`change` gets the whole list and the time, and returns the list from which pages are cut."""

    @replaces(Service.list_batches)
    def list_batches(
        original: ListBatches, service: Service, account: str, limit: int, after: str | None
    ) -> Page:
        batches = change(original(account, NO_LIMIT, None)[0], service.clock.now())
        ids = [batch.id for batch in batches]
        if after is not None and after not in ids:
            return original(account, limit, after)
        rest = batches if after is None else batches[ids.index(after) + 1 :]
        return rest[:limit], len(rest) > limit

    return list_batches


def _lagging(seconds: float) -> Replacement:
    return _relisting(
        lambda batches, now: [batch for batch in batches if batch.created <= now - seconds]
    )


def _shuffled(batch: Batch) -> bytes:
    """A sort key that has nothing to do with the creation."""
    return blake2s(batch.id.encode()).digest()


@replaces(Service.list_batches)
def _capped(original: ListBatches, _: Service, account: str, limit: int, after: str | None) -> Page:
    return original(account, min(limit, CAP), after)


@replaces(Service.list_batches)
def _empty_after_unknown(
    original: ListBatches, _: Service, account: str, limit: int, after: str | None
) -> Page:
    try:
        return original(account, limit, after)
    except Refused:
        return [], False


def _default_limit(limit: int) -> Replacement:
    """`limit` applies to requests that have none."""

    def change(query: bytes) -> bytes:
        return query if re.search(rb"(^|&)limit=", query) else query + b"&limit=%d" % limit

    return altering_queries(change, LIST)


def _without_metadata(batch: Body) -> Body:
    return {name: value for name, value in batch.items() if name != "metadata"}


def _altering_metadata(change: Callable[[Body], Body]) -> Replacement:
    """`change` gets the metadata of each item; that of a batch without any stays null."""

    def rewrite(batch: Body) -> Body:
        metadata = batch.get("metadata")
        return batch if metadata is None else {**batch, "metadata": change(metadata)}

    return altering_listed_batches(rewrite)


def _converted(value: object) -> object:
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?", value):
        return float(value) if "." in value else int(value)
    return LITERALS.get(value, value)


VARIANTS = {
    "list-oldest-first": Behaviour(
        "the oldest batch is listed first",
        _relisting(lambda batches, _: batches[::-1]),
        question="list-order",
    ),
    "list-unordered": Behaviour(
        "batches are listed in an order of their own, the same in each reading",
        _relisting(lambda batches, _: sorted(batches, key=_shuffled)),
        question="list-order",
    ),
    "list-lags": Behaviour(
        "a new batch is not listed for ten seconds", _lagging(LAG), question="list-lag"
    ),
    "list-lags-a-minute": Behaviour(
        "a new batch is not listed for 55 seconds", _lagging(LONG_LAG), question="list-lag"
    ),
    "after-unknown-empty": Behaviour(
        "an unknown `after` returns an empty page", _empty_after_unknown, question="unknown-after"
    ),
    "list-default-10": Behaviour(
        "a page has ten batches if no `limit` is given",
        _default_limit(10),
        question="list-default-limit",
    ),
    "list-default-all": Behaviour(
        "a page has every batch if no `limit` is given",
        _default_limit(NO_LIMIT),
        question="list-default-limit",
    ),
    "paging-ignored": Behaviour(
        "every page is the whole list, whatever `limit` and `after` are",
        altering_queries(lambda _: b"limit=%d" % NO_LIMIT, LIST),
        question="list-paging",
    ),
    "page-capped": Behaviour(
        "a page has at most 20 batches, whatever `limit` is", _capped, question="list-paging"
    ),
    "list-metadata-absent": Behaviour(
        "listed batches have no field `metadata`",
        altering_listed_batches(_without_metadata),
        question="list-metadata",
    ),
    "list-metadata-empty": Behaviour(
        "`metadata` of a listed batch is an empty object",
        altering_listed_batches(lambda batch: {**batch, "metadata": {}}),
        question="list-metadata",
    ),
    "list-metadata-filtered": Behaviour(
        "metadata of a listed batch has only the keys of the vendor's example",
        _altering_metadata(
            lambda metadata: {key: metadata[key] for key in VENDOR_KEYS if key in metadata}
        ),
        question="list-metadata",
    ),
    "list-metadata-converted": Behaviour(
        "metadata of a listed batch has numbers and booleans in place of such strings",
        _altering_metadata(
            lambda metadata: {key: _converted(value) for key, value in metadata.items()}
        ),
        question="list-metadata",
    ),
}
