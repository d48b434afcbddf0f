"""
LISTS: the ways in which a list of batches can behave.

A name says what the list does; a name without more is newest first, honours `limit` and `after`,
shows whole items at once, and belongs to an account with 20 older batches.

Three marks say what can be asked of a client:

    honest     nothing in the list is untrue: it shows each batch within the patience, whole or
               paged truthfully
    shown      a walk by `after`, made at the full patience, reaches the new batch
    deceptive  the batch is not shown, and the list looks complete; the name says so
"""

from collections.abc import Iterator
from dataclasses import dataclass

NEWEST, OLDEST, UNORDERED = "newest first", "oldest first", "unordered"
HONOURED, IGNORED, CAPPED = "honoured", "ignored", "capped at 20"
MISSING, FALSE = "missing", "always false"
COMPLETE, ABSENT, NULL, EMPTY, KNOWN, UPPER = (
    "complete",
    "absent",
    "null",
    "empty",
    "known keys only",
    "upper case",
)
NEVER = 1000.0  # a lag in patiences that no client waits for
WITHIN = 0.95  # of the patience: what is later than this is not shown in time


@dataclass(frozen=True)
class Listing:
    """
    How the list behaves. `lag` is in patiences of the client.

    `replica_lag`: the lag of the second of two replicas; requests go to one or the other.
    `window`: only so many batches are listed, the first of the order.
    `old_missing_in`: the number of the answer that lacks the newest older batch.
    `every`: of so many answers one is replaced by `failure`, a status.
    `clock`: seconds by which the service's clock differs.
    """

    name: str
    history: int = 20
    order: str = NEWEST
    limit: str = HONOURED
    after: str = HONOURED
    has_more: str = HONOURED
    last_id: str = HONOURED
    metadata: str = COMPLETE
    retrieve_metadata: str = COMPLETE
    input_file: bool = True
    lag: float = 0.0
    replica_lag: float | None = None
    window: int | None = None
    empty_page: bool = False
    old_missing_in: int = 0
    new_missing_once: bool = False
    every: int = 0
    failure: int = 503
    clock: int = 0
    others: bool = False
    honest: bool = True
    shown: bool = True
    deceptive: bool = False

    def shows(self, delay: float) -> bool:
        """Whether the list shows a batch in time that was made `delay` patiences late."""
        replica = 0.0 if self.replica_lag in (None, NEVER) else self.replica_lag
        return self.shown and max(self.lag, replica or 0.0) + delay <= WITHIN

    def deceives(self, delay: float) -> bool:
        """Whether the list may look complete without such a batch."""
        return self.deceptive or (self.shown and not self.shows(delay))


def _sizes() -> Iterator[Listing]:
    yield Listing("empty-account", history=0)
    for size in (1, 3, 20, 100, 137):
        yield Listing(f"newest-first-{size}", history=size)
    for size in (3, 20, 137):
        yield Listing(f"oldest-first-{size}", history=size, order=OLDEST)
        yield Listing(f"unordered-{size}", history=size, order=UNORDERED)


def _pages() -> Iterator[Listing]:
    yield Listing("capped-at-20", history=137, limit=CAPPED)
    yield Listing("oldest-first-capped-at-20", history=50, limit=CAPPED, order=OLDEST)
    yield Listing("limit-ignored-whole-list", history=137, limit=IGNORED)
    yield Listing("last-id-missing", history=137, last_id=MISSING)
    yield Listing("an-empty-page-in-the-middle", history=50, limit=CAPPED, empty_page=True)
    yield Listing(
        "oldest-first-an-empty-page-in-the-middle",
        history=50,
        limit=CAPPED,
        empty_page=True,
        order=OLDEST,
    )
    yield Listing("after-ignored", history=137, after=IGNORED, honest=False)
    yield Listing(
        "oldest-first-after-ignored",
        history=137,
        order=OLDEST,
        after=IGNORED,
        honest=False,
        shown=False,
    )
    yield Listing("has-more-always-false", history=137, has_more=FALSE, honest=False)
    yield Listing(
        "oldest-first-has-more-always-false",
        history=137,
        order=OLDEST,
        has_more=FALSE,
        honest=False,
    )
    yield Listing("has-more-missing", history=137, has_more=MISSING, honest=False)
    yield Listing("newest-window-of-25", history=60, window=25, honest=False)
    yield Listing(
        "oldest-window-of-25-never-shows-it",
        history=60,
        order=OLDEST,
        window=25,
        honest=False,
        shown=False,
        deceptive=True,
    )


def _items() -> Iterator[Listing]:
    for metadata in (ABSENT, NULL, EMPTY, KNOWN, UPPER):
        yield Listing(f"metadata-{metadata.replace(' ', '-')}", metadata=metadata)
    yield Listing("metadata-nowhere", metadata=ABSENT, retrieve_metadata=ABSENT)
    yield Listing("items-without-input-file-id", input_file=False)
    yield Listing(
        "items-without-input-file-id-and-metadata",
        input_file=False,
        metadata=ABSENT,
        honest=False,
    )
    yield Listing("clock-an-hour-ahead", clock=3600)
    yield Listing("clock-an-hour-behind", clock=-3600)


def _times() -> Iterator[Listing]:
    for lag in (0.4, 0.9):
        yield Listing(f"lag-of-{lag}-of-the-patience", lag=lag)
    yield Listing("oldest-first-lag-of-0.9-of-the-patience", lag=0.9, order=OLDEST)
    yield Listing("lag-beyond-the-patience", lag=20.0, honest=False, shown=False, deceptive=True)
    yield Listing("never-shows-it", lag=NEVER, honest=False, shown=False, deceptive=True)
    yield Listing("two-replicas-one-lags-half-the-patience", replica_lag=0.5)
    yield Listing("every-second-answer-never-shows-it", replica_lag=NEVER, honest=False)
    yield Listing("an-old-batch-is-missing-once", old_missing_in=2, honest=False)
    yield Listing("the-new-batch-is-missing-in-the-first-answer", new_missing_once=True)
    yield Listing("others-create-meanwhile", others=True)
    yield Listing("others-create-meanwhile-oldest-first", others=True, order=OLDEST)
    yield Listing("one-answer-in-three-is-503", every=3)
    yield Listing("one-answer-in-three-is-429", every=3, failure=429)
    yield Listing("always-503", every=1, honest=False, shown=False)


def _table(*groups: Iterator[Listing]) -> dict[str, Listing]:
    listings = [listing for group in groups for listing in group]
    table = {listing.name: listing for listing in listings}
    assert len(table) == len(listings), "two lists have one name"
    return table


LISTS = _table(_sizes(), _pages(), _items(), _times())
