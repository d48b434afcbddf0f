"""Probes with pages of five batches, and lists of two files."""

from collections.abc import Callable
from typing import Any

from support.account import Account
from support.probes.requests import (
    Probe,
    all_pages,
    batch_ids,
    files,
    five_batches,
    page,
    returns,
    upload,
)


def with_five(check: Callable[[Account, list[str]], object]) -> Probe:
    """Calls `check` with an account and the ids of its five batches, in the order of the list."""
    return lambda api, _: check(api, five_batches(api))


def two_files(check: Callable[[list[str]], bool], **query: Any) -> Probe:
    return lambda api, _: (
        [upload(api), upload(api)] and check([f["id"] for f in files(api, **query)])
    )


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        ("after-ignored", "after-inclusive", "after-skips", "after-inclusive-at-2"),
        with_five(lambda api, listed: batch_ids(api, limit=2, after=listed[1]) == listed[2:4]),
    ),
    "after-skips-at-3": with_five(lambda api, listed: all_pages(api, 3) == listed),
    "after-unknown-first": with_five(
        lambda api, listed: api.http.get("batches?after=batch_x").status_code == 400
    ),
    "after-needs-limit": with_five(
        lambda api, listed: batch_ids(api, after=listed[1]) == listed[2:]
    ),
    "limit-required": returns(200, "batches"),
    "limit-ignored": with_five(lambda api, listed: batch_ids(api, limit=2) == listed[:2]),
    "limit-plus-one": with_five(lambda api, listed: batch_ids(api, limit=2) == listed[:2]),
    "limit-1-empty": with_five(lambda api, listed: all_pages(api, 1) == listed),
    "limit-capped": with_five(lambda api, listed: all_pages(api, 4) == listed),
    "large-limit-empty": with_five(lambda api, listed: batch_ids(api, limit=100) == listed),
    "default-limit-ends": with_five(lambda api, listed: batch_ids(api) == listed),
    "has-more-false": with_five(lambda api, listed: all_pages(api, 2) == listed),
    "has-more-true": with_five(lambda api, listed: page(api, limit=10)["has_more"] is False),
    "has-more-when-full": with_five(lambda api, listed: page(api, limit=5)["has_more"] is False),
    "has-more-not-for-one": with_five(lambda api, listed: all_pages(api, 2) == listed),
    "oldest-lost": with_five(lambda api, listed: all_pages(api, 2) == listed),
    "page-reversed": with_five(lambda api, listed: all_pages(api, 2) == listed),
    "first-id-last": with_five(lambda api, listed: page(api)["first_id"] == listed[0]),
    "last-id-first": with_five(lambda api, listed: page(api)["last_id"] == listed[-1]),
    "files-limit-ignored": two_files(lambda listed: len(listed) == 1, limit=1),
    "files-oldest-lost": two_files(lambda listed: len(listed) == 2),
    "files-repeated": two_files(lambda listed: len(listed) == len(set(listed))),
}
