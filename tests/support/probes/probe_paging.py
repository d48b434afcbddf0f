"""Pages of five batches, and lists of two files."""

from collections.abc import Callable
from typing import Any

from support.account import Account
from support.probes.requests import Probe, answers, files, five, ids, page, upload, walk


def paged(of: Callable[[Account, list[str]], object]) -> Probe:
    """A probe of an account with five batches; it gets their ids too."""
    return lambda api, _: (lambda known: of(api, known))(five(api))


def two_files(of: Callable[[list[str]], bool], **query: Any) -> Probe:
    return lambda api, _: [upload(api), upload(api)] and of([f["id"] for f in files(api, **query)])


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        ("after-ignored", "after-inclusive", "after-skips", "after-inclusive-at-2"),
        paged(lambda api, known: ids(api, limit=2, after=known[1]) == known[2:4]),
    ),
    "after-skips-at-3": paged(lambda api, known: walk(api, 3) == known),
    "after-unknown-first": paged(
        lambda api, known: api.http.get("batches?after=batch_x").status_code == 400
    ),
    "after-needs-limit": paged(lambda api, known: ids(api, after=known[1]) == known[2:]),
    "limit-required": answers(200, "batches"),
    "limit-ignored": paged(lambda api, known: ids(api, limit=2) == known[:2]),
    "limit-plus-one": paged(lambda api, known: ids(api, limit=2) == known[:2]),
    "limit-1-empty": paged(lambda api, known: walk(api, 1) == known),
    "limit-capped": paged(lambda api, known: walk(api, 4) == known),
    "large-limit-empty": paged(lambda api, known: ids(api, limit=100) == known),
    "default-limit-ends": paged(lambda api, known: ids(api) == known),
    "has-more-false": paged(lambda api, known: walk(api, 2) == known),
    "has-more-true": paged(lambda api, known: page(api, limit=10)["has_more"] is False),
    "has-more-when-full": paged(lambda api, known: page(api, limit=5)["has_more"] is False),
    "has-more-not-for-one": paged(lambda api, known: walk(api, 2) == known),
    "oldest-lost": paged(lambda api, known: walk(api, 2) == known),
    "oldest-first": paged(lambda api, known: ids(api) == known),
    "page-reversed": paged(lambda api, known: walk(api, 2) == known),
    "first-id-last": paged(lambda api, known: page(api)["first_id"] == known[0]),
    "last-id-first": paged(lambda api, known: page(api)["last_id"] == known[-1]),
    "files-limit-ignored": two_files(lambda found: len(found) == 1, limit=1),
    "files-oldest-lost": two_files(lambda found: len(found) == 2),
    "files-repeated": two_files(lambda found: len(found) == len(set(found))),
}
