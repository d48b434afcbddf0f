"""
Faults of paging: where a page begins and ends, what it says of itself, and what follows it.

The documents: "after is an object ID that defines your place in the list"; a page has at most
`limit` objects; `first_id` and `last_id` name its ends; `has_more` says whether objects follow.
"""

import re
from collections.abc import Callable
from typing import Any

from ..batches.lifecycle import Batch
from ..hooks import Replacement, replaces
from ..service.refusals import Refused, bad_request
from ..service.service import Service
from ..switches.altering import (
    LIST,
    NO_LIMIT,
    Body,
    ListBatches,
    Page,
    Response,
    altering,
    altering_json,
    altering_queries,
)
from ..switches.switchboard import Behaviour

Batches = list[Batch]


def _altering_page(change: Callable[[Batches, bool, int], Page]) -> Replacement:
    """`change` gets a page, whether more follow, and the limit, and returns the new page."""

    @replaces(Service.list_batches)
    def list_batches(
        original: ListBatches, _: Service, account: str, limit: int, after: str | None
    ) -> Page:
        page, has_more = original(account, limit, after)
        return change(page, has_more, limit)

    return list_batches


def _altering_limit(change: Callable[[int], int]) -> Replacement:
    @replaces(Service.list_batches)
    def list_batches(
        original: ListBatches, _: Service, account: str, limit: int, after: str | None
    ) -> Page:
        return original(account, change(limit), after)

    return list_batches


def _beginning(offset: Callable[[int], int]) -> Replacement:
    """A page begins `offset(limit)` places after the batch that `after` names."""

    @replaces(Service.list_batches)
    def list_batches(
        original: ListBatches, _: Service, account: str, limit: int, after: str | None
    ) -> Page:
        batches = original(account, NO_LIMIT, None)[0]
        ids = [batch.id for batch in batches]
        if after not in ids:
            return original(account, limit, after)
        rest = batches[ids.index(after) + offset(limit) :]
        return rest[:limit], len(rest) > limit

    return list_batches


@replaces(Service.list_batches)
def _after_ignored(
    original: ListBatches, _: Service, account: str, limit: int, after: str | None
) -> Page:
    return original(account, limit, None)


@replaces(Service.list_batches)
def _after_unknown_first(
    original: ListBatches, _: Service, account: str, limit: int, after: str | None
) -> Page:
    try:
        return original(account, limit, after)
    except Refused:
        return original(account, limit, None)


@replaces(Service.list_batches)
def _oldest_lost(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    page, has_more = original(account, limit, after)
    oldest = service.accounts[account].batches[:1]
    return [batch for batch in page if batch not in oldest], has_more


@replaces(Service.list_batches)
def _has_more_not_for_one(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    page, has_more = original(account, limit, after)
    positions = service.accounts[account].positions
    return page, has_more and positions[page[-1].id] != 1


def _altering_ends(change: Callable[[Any], dict[str, Any]]) -> Replacement:
    return altering_json(lambda page: {**page, **change(page)}, LIST)


def _limit_required(response: Response) -> None:
    if not response.scope["query_string"]:
        response.status, response.json = 400, bad_request("limit is required.").body


def _after_needs_limit(query: bytes) -> bytes:
    return query if b"limit=" in query else re.sub(rb"\bafter=[^&]*", b"", query)


def _altering_files(change: Callable[[list[Any], int], list[Any]]) -> Replacement:
    """`change` gets all files and the limit, and returns the files to list."""

    @replaces(Service.list_files)
    def list_files(
        original: Callable[[str, int], Body], _: Service, account: str, limit: int
    ) -> Body:
        body = original(account, NO_LIMIT)
        body["data"]["data"] = change(body["data"]["data"], limit)
        return body

    return list_files


FAULTS = {
    "after-ignored": Behaviour("every page is the first page", _after_ignored),
    "after-inclusive": Behaviour(
        "a page begins with the batch that `after` names", _beginning(lambda _: 0)
    ),
    "after-skips": Behaviour("a page skips the first batch after `after`", _beginning(lambda _: 2)),
    "after-inclusive-at-2": Behaviour(
        "with a limit of 2 a page begins with the batch that `after` names",
        _beginning(lambda limit: 0 if limit == 2 else 1),
    ),
    "after-skips-at-3": Behaviour(
        "with a limit of 3 a page skips the first batch after `after`",
        _beginning(lambda limit: 2 if limit == 3 else 1),
    ),
    "after-unknown-first": Behaviour(
        "an unknown `after` returns the first page", _after_unknown_first
    ),
    "after-needs-limit": Behaviour(
        "`after` is ignored without `limit`", altering_queries(_after_needs_limit, LIST)
    ),
    "limit-required": Behaviour(
        "a list without parameters is refused", altering(_limit_required, LIST)
    ),
    "limit-ignored": Behaviour("a page has every batch", _altering_limit(lambda _: NO_LIMIT)),
    "limit-plus-one": Behaviour(
        "a page has one batch more than `limit`", _altering_limit(lambda limit: limit + 1)
    ),
    "limit-1-empty": Behaviour(
        "with a limit of 1 every page is empty",
        _altering_page(lambda page, more, limit: ([], more) if limit == 1 else (page, more)),
    ),
    "limit-capped": Behaviour(
        "a page has at most three batches, and `has_more` is false when it has three",
        _altering_page(lambda page, more, _: (page[:3], more and len(page) < 3)),
    ),
    "large-limit-empty": Behaviour(
        "a page is empty if `limit` is more than the number of batches",
        _altering_page(lambda page, more, limit: (page if len(page) == limit else [], more)),
    ),
    "default-limit-ends": Behaviour(
        "a page of the default size ends after two batches, with `has_more` false",
        _altering_page(
            lambda page, more, limit: (page[:2], False) if limit == 20 else (page, more)
        ),
    ),
    "has-more-false": Behaviour(
        "`has_more` is false on every page", _altering_page(lambda page, more, _: (page, False))
    ),
    "has-more-true": Behaviour(
        "`has_more` is true on every page", _altering_page(lambda page, more, _: (page, True))
    ),
    "has-more-when-full": Behaviour(
        "`has_more` is true on a full page, even the last one",
        _altering_page(lambda page, more, limit: (page, len(page) == limit)),
    ),
    "has-more-not-for-one": Behaviour(
        "`has_more` is false if one batch follows", _has_more_not_for_one
    ),
    "oldest-lost": Behaviour("the oldest batch is on no page", _oldest_lost),
    "page-reversed": Behaviour(
        "each page is in reverse order, so that the next page repeats most of it",
        _altering_page(lambda page, more, _: (page[::-1], more)),
    ),
    "first-id-last": Behaviour(
        "`first_id` is the id of the last batch",
        _altering_ends(lambda page: {"first_id": page["last_id"]}),
    ),
    "last-id-first": Behaviour(
        "`last_id` is the id of the first batch",
        _altering_ends(lambda page: {"last_id": page["first_id"]}),
    ),
    "files-limit-ignored": Behaviour(
        "the list of files has every file", _altering_files(lambda files, _: files)
    ),
    "files-oldest-lost": Behaviour(
        "the oldest file is not listed",
        _altering_files(lambda files, limit: files[:-1][:limit]),
    ),
    "files-repeated": Behaviour(
        "the list of files repeats its first file",
        _altering_files(lambda files, limit: (files[:1] + files)[:limit]),
    ),
}
