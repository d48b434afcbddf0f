"""
Faults of paging: where a page begins and ends, what it says of itself, and what follows it.

The documents: "after is an object ID that defines your place in the list"; a page holds at most
`limit` objects; `first_id` and `last_id` are those of its ends; `has_more` is about what follows.
"""

import re
from collections.abc import Callable
from typing import Any

from ..batches.lifecycle import Batch
from ..refusals import Refused, bad_request
from ..service import Service
from ..switches.switchboard import Behaviour
from .altering import EVERYTHING, LIST, Answer, Replace, altering, altering_json, querying

Batches = list[Batch]
Page = tuple[Batches, bool]


def _paged(change: Callable[[Batches, bool, int], Page]) -> Replace:
    """Pages are what `change` makes of a page, of whether more follow, and of the limit."""

    def replace(sound: Any, _: Service) -> Any:
        def list_batches(account: str, limit: int, after: str | None) -> Page:
            page, has_more = sound(account, limit, after)
            return change(page, has_more, limit)

        return list_batches

    return replace


def _asked(change: Callable[[int], int]) -> Replace:
    """The limit is another one."""
    return lambda sound, _: lambda account, limit, after: sound(account, change(limit), after)


def _beginning(steps: Callable[[int], int]) -> Replace:
    """A page begins so many steps behind the batch that `after` names; it depends on the limit."""

    def replace(sound: Any, _: Service) -> Any:
        def list_batches(account: str, limit: int, after: str | None) -> Page:
            everything = sound(account, EVERYTHING, None)[0]
            ids = [batch.id for batch in everything]
            if after not in ids:
                answered: Page = sound(account, limit, after)
                return answered
            rest = everything[ids.index(after) + steps(limit) :]
            return rest[:limit], len(rest) > limit

        return list_batches

    return replace


def _after_unknown(sound: Any, _: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        try:
            return sound(account, limit, after)
        except Refused:
            return sound(account, limit, None)

    return list_batches


def _oldest_first(sound: Any, _: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Page:
        everything = sound(account, EVERYTHING, None)[0][::-1]
        ids = [batch.id for batch in everything]
        if after is not None and after not in ids:
            sound(account, limit, after)  # refuses
        rest = everything[ids.index(after) + 1 if after else 0 :]
        return rest[:limit], len(rest) > limit

    return list_batches


def _oldest_lost(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Page:
        page, has_more = sound(account, limit, after)
        oldest = service.accounts[account].batches[:1]
        return [batch for batch in page if batch not in oldest], has_more

    return list_batches


def _one_left(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Page:
        page, has_more = sound(account, limit, after)
        owner = service.accounts[account]
        return page, has_more and owner.positions[page[-1].id] != 1

    return list_batches


def _ends(change: Callable[[Any], dict[str, Any]]) -> Replace:
    return altering_json(lambda page: {**page, **change(page)}, LIST)


def _bare_refused(answer: Answer) -> None:
    if not answer.scope["query_string"]:
        answer.status, answer.json = 400, bad_request("limit is required.").body


def _after_needs_limit(query: bytes) -> bytes:
    return query if b"limit=" in query else re.sub(rb"\bafter=[^&]*", b"", query)


def _files(change: Callable[[list[Any], int], list[Any]]) -> Replace:
    """The list of files is made of all of them and of the limit."""

    def replace(sound: Any, _: Service) -> Any:
        def list_files(account: str, limit: int) -> Any:
            body = sound(account, EVERYTHING)
            body["data"]["data"] = change(body["data"]["data"], limit)
            return body

        return list_files

    return replace


FAULTS = {
    "after-ignored": Behaviour(
        "every page is the first one",
        "list_batches",
        lambda sound, _: lambda account, limit, after: sound(account, limit, None),
    ),
    "after-inclusive": Behaviour(
        "a page begins with the batch that `after` names", "list_batches", _beginning(lambda _: 0)
    ),
    "after-skips": Behaviour(
        "a page leaves out the first batch behind `after`", "list_batches", _beginning(lambda _: 2)
    ),
    "after-inclusive-at-2": Behaviour(
        "with a limit of 2 a page begins with the batch that `after` names",
        "list_batches",
        _beginning(lambda limit: 0 if limit == 2 else 1),
    ),
    "after-skips-at-3": Behaviour(
        "with a limit of 3 a page leaves out the first batch behind `after`",
        "list_batches",
        _beginning(lambda limit: 2 if limit == 3 else 1),
    ),
    "after-unknown-first": Behaviour(
        "an `after` that names no batch begins the first page", "list_batches", _after_unknown
    ),
    "after-needs-limit": Behaviour(
        "`after` is ignored without `limit`", "app", querying(_after_needs_limit, LIST)
    ),
    "limit-required": Behaviour(
        "a list without parameters is refused", "app", altering(_bare_refused, LIST)
    ),
    "limit-ignored": Behaviour(
        "a page holds every batch", "list_batches", _asked(lambda _: EVERYTHING)
    ),
    "limit-plus-one": Behaviour(
        "a page holds one batch more than `limit`", "list_batches", _asked(lambda limit: limit + 1)
    ),
    "limit-1-empty": Behaviour(
        "with a limit of 1 every page is empty",
        "list_batches",
        _paged(lambda page, more, limit: ([], more) if limit == 1 else (page, more)),
    ),
    "limit-capped": Behaviour(
        "a page holds three batches at the most and says that these are all",
        "list_batches",
        _paged(lambda page, more, _: (page[:3], more and len(page) < 3)),
    ),
    "large-limit-empty": Behaviour(
        "a page is empty where `limit` is more than there are",
        "list_batches",
        _paged(lambda page, more, limit: (page if len(page) == limit else [], more)),
    ),
    "default-limit-ends": Behaviour(
        "a page of the default size ends after two batches and says that these are all",
        "list_batches",
        _paged(lambda page, more, limit: (page[:2], False) if limit == 20 else (page, more)),
    ),
    "has-more-false": Behaviour(
        "`has_more` is false on every page",
        "list_batches",
        _paged(lambda page, more, _: (page, False)),
    ),
    "has-more-true": Behaviour(
        "`has_more` is true on every page",
        "list_batches",
        _paged(lambda page, more, _: (page, True)),
    ),
    "has-more-when-full": Behaviour(
        "`has_more` is true on a full page, even the last one",
        "list_batches",
        _paged(lambda page, more, limit: (page, len(page) == limit)),
    ),
    "has-more-not-for-one": Behaviour(
        "`has_more` is false where one batch is left", "list_batches", _one_left
    ),
    "oldest-lost": Behaviour("the oldest batch is on no page", "list_batches", _oldest_lost),
    "oldest-first": Behaviour("the oldest batch comes first", "list_batches", _oldest_first),
    "page-reversed": Behaviour(
        "each page is in the reverse order, so that the next one repeats most of it",
        "list_batches",
        _paged(lambda page, more, _: (page[::-1], more)),
    ),
    "first-id-last": Behaviour(
        "`first_id` is the last one's",
        "app",
        _ends(lambda page: {"first_id": page["last_id"]}),
    ),
    "last-id-first": Behaviour(
        "`last_id` is the first one's",
        "app",
        _ends(lambda page: {"last_id": page["first_id"]}),
    ),
    "files-limit-ignored": Behaviour(
        "the list of files holds every file", "list_files", _files(lambda files, _: files)
    ),
    "files-oldest-lost": Behaviour(
        "the oldest file is not listed",
        "list_files",
        _files(lambda files, limit: files[:-1][:limit]),
    ),
    "files-repeated": Behaviour(
        "the list of files names its first file twice",
        "list_files",
        _files(lambda files, limit: (files[:1] + files)[:limit]),
    ),
}
