"""One answer to GET /v1/batches, from what exists and from how the list behaves."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

from .batch_store import BatchStore, StoredBatch
from .list_table import (
    ABSENT,
    CAPPED,
    COMPLETE,
    EMPTY,
    FALSE,
    HONOURED,
    IGNORED,
    KNOWN,
    MISSING,
    NEWEST,
    NULL,
    OLDEST,
    UPPER,
    Listing,
)

CAP = 20
DEFAULT_LIMIT = 20
KNOWN_KEYS = ("description",)
GAP = "batch_gap_after_"  # the last_id of an empty page: hidden batches lie behind this one


@dataclass
class Pages:
    """The list of one account; it counts its answers. `patience` is in seconds."""

    listing: Listing
    store: BatchStore
    patience: float
    answers: int = 0
    _withheld: set[str] = field(default_factory=set)

    def failure(self) -> int | None:
        """Counts an answer; returns the status that replaces it, if one does."""
        self.answers += 1
        if self.listing.others:
            self.store.create_foreign()
        if self.listing.every and self.answers % self.listing.every == 0:
            return self.listing.failure
        return None

    def page(self, limit: str | None, after: str | None) -> dict[str, Any]:
        listing = self.listing
        batches = self._listed()
        size = self._size(limit)
        gap = (after or "").startswith(GAP)
        known = (after or "").removeprefix(GAP)
        start = 0
        if after is not None and listing.after == HONOURED:
            places = [place for place, batch in enumerate(batches) if batch.id == known]
            start = places[0] + 1 if places else len(batches)
        page = batches[start:] if size is None else batches[start : start + size]
        more = start + len(page) < len(batches)
        last = page[-1].id if page else None
        if listing.empty_page and start and not gap and page:
            page, more, last = [], True, GAP + known
        answer: dict[str, Any] = {
            "object": "list",
            "data": [self._item(batch) for batch in page],
            "first_id": page[0].id if page else None,
        }
        if listing.last_id != MISSING:
            answer["last_id"] = last
        if listing.has_more != MISSING:
            answer["has_more"] = more and listing.has_more != FALSE
        return answer

    def retrieved(self, batch: StoredBatch) -> dict[str, Any]:
        return with_metadata(batch.as_dict(), self.listing.retrieve_metadata)

    def _size(self, limit: str | None) -> int | None:
        """The number of batches on a page; None is all."""
        if self.listing.limit == IGNORED:
            return None
        size = int(limit or DEFAULT_LIMIT)
        return min(size, CAP) if self.listing.limit == CAPPED else size

    def _listed(self) -> list[StoredBatch]:
        """The batches that this answer knows, in the order of the list."""
        listing = self.listing
        lag = listing.lag
        if listing.replica_lag is not None and _second_replica(self.answers):
            lag = listing.replica_lag
        now = time.monotonic()
        made = {batch.id for batch in self.store.made}
        hidden = {batch.id for batch in self.store.made if batch.since + lag * self.patience > now}
        existing = self.store.existing()
        if listing.new_missing_once:
            fresh = made & {batch.id for batch in existing} - self._withheld
            self._withheld |= fresh
            hidden |= fresh
        if listing.old_missing_in == self.answers:
            hidden |= {batch.id for batch in self.store.old[:1]}
        batches = [batch for batch in existing if batch.id not in hidden]
        if listing.order == OLDEST:
            batches.reverse()
        elif listing.order != NEWEST:
            batches.sort(key=lambda batch: hashlib.sha256(batch.id.encode()).digest())
        return batches[: listing.window]

    def _item(self, batch: StoredBatch) -> dict[str, Any]:
        item = with_metadata(batch.as_dict(), self.listing.metadata)
        item["file_name"] = "requests.jsonl"
        if not self.listing.input_file:
            del item["input_file_id"]
        return item


def with_metadata(item: dict[str, Any], how: str) -> dict[str, Any]:
    """The batch with its metadata as the service shows it there."""
    metadata = item["metadata"]
    shown: dict[str, Any] = {
        COMPLETE: metadata,
        NULL: None,
        EMPTY: {},
        KNOWN: {key: metadata[key] for key in KNOWN_KEYS if key in metadata},
        UPPER: {key.upper(): str(metadata[key]).upper() for key in metadata},
    }
    rest = {key: item[key] for key in item if key != "metadata"}
    return rest if how == ABSENT else {**rest, "metadata": shown[how]}


def _second_replica(number: int) -> bool:
    """Whether the second replica gives this answer: half of them, in no rhythm that repeats.

    A strict turn would give the first page of every walk to one replica.
    """
    return number.bit_count() % 2 == 1
