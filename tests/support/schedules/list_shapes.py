"""How a list of batches behaves, and one page of it."""

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

from attrs import define

NEWEST, OLDEST, UNORDERED = "newest first", "oldest first", "unordered"
# Paging. WHOLE ignores `limit` and `after`; so does CUT, which ends at its tenth batch, and says
# that nothing follows. A WINDOW has the first batches, whatever is asked for.
HONOURED, CAPPED, WHOLE, NO_AFTER = "honoured", "capped", "whole", "no after"
WINDOW, CUT = "window", "cut"
CUT_AT = 10
RIGHT, FALSE, TRUE, MISSING = "right", "false", "true", "missing"  # `has_more`
COMPLETE, ABSENT, EMPTY, FILTERED, CHANGED = "complete", "absent", "empty", "filtered", "changed"
CAP = 3  # batches on a page
GAP = "gap-after-"  # the last_id of an empty page in the middle
NEVER = 1e9  # a lag


@define(frozen=True)
class Stored:
    """
    A batch. `order` is the number of the creation that made it, None for those of others.

    It exists from `created_at` on, and is listed from `listed_at` on; `sent_at` is the time of the
    request that made it, from a `machine`. `skew`: the seconds by which the clock of its times is
    behind.
    """

    id: str
    file_id: str
    metadata: tuple[tuple[str, str], ...]
    created_at: float
    listed_at: float
    sent_at: float
    order: int | None = None
    skew: float = 0.0
    machine: int = 0

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "batch",
            "status": "in_queue",
            "input_file_id": self.file_id,
            "created_at": int(self.created_at - self.skew),
            "metadata": dict(self.metadata),
        }


@define(frozen=True)
class Listing:
    """
    How a list behaves, and the account that it shows.

    `history` batches are older than everything else; with `tokens` they show those of other
    creations. `lag` is in seconds; so is `skew`, by which the clock of batches is behind that of
    files. `retrieved` is the metadata of a batch that is retrieved.
    """

    order: str = NEWEST
    paging: str = HONOURED
    has_more: str = RIGHT
    gap: bool = False
    metadata: str = COMPLETE
    retrieved: str = COMPLETE
    file_ids: bool = True
    lag: float = 0.0
    history: int = 7
    tokens: bool = False
    skew: float = 0.0

    @property
    def is_honest(self) -> bool:
        """Whether it shows each batch within a minute, and its end where it is."""
        tells_the_end = self.has_more == RIGHT and self.paging not in (WINDOW, CUT)
        return tells_the_end and self.lag < 60

    @property
    def deceives(self) -> bool:
        """Whether it hides a batch for ever, and looks complete."""
        return self.lag == NEVER

    @property
    def tells_whose(self) -> bool:
        """Whether the token of a batch can be seen, in the list or when it is retrieved."""
        return self.metadata in (COMPLETE, CHANGED) or self.retrieved == COMPLETE

    def page(
        self, batches: Sequence[Stored], limit: int | None, after: str | None
    ) -> dict[str, Any]:
        """A page of those of `batches`, in the order of their creation, that are listed."""
        listed = self._in_order(batches)
        known = (after or "").removeprefix(GAP)
        is_paged = self.paging in (HONOURED, CAPPED)
        start = 0
        if after is not None and is_paged:
            places = [place for place, batch in enumerate(listed) if batch.id == known]
            start = places[0] + 1 if places else len(listed)
        if self.paging == CUT:
            listed = listed[:CUT_AT]
        size = len(listed) if self.paging in (WHOLE, CUT) else limit or CAP
        size = min(size, CAP) if self.paging in (CAPPED, WINDOW) else size
        page = listed[start : start + size]
        more, last = start + len(page) < len(listed), page[-1].id if page else None
        if self.gap and start and page and after == known:
            page, more, last = [], True, GAP + known
        answer: dict[str, Any] = {"object": "list", "data": [_item(self, batch) for batch in page]}
        answer |= {"first_id": page[0].id if page else None, "last_id": last}
        if self.has_more != MISSING:
            answer["has_more"] = {RIGHT: more, FALSE: False, TRUE: True}[self.has_more]
        return answer

    def _in_order(self, batches: Sequence[Stored]) -> list[Stored]:
        if self.order == NEWEST:
            return list(batches)[::-1]
        if self.order == OLDEST:
            return list(batches)
        return sorted(batches, key=lambda batch: hashlib.sha256(batch.id.encode()).digest())


@functools.lru_cache(100_000)
def _item(listing: Listing, batch: Stored) -> dict[str, Any]:
    item = with_metadata(batch.shown(), listing.metadata)
    return item if listing.file_ids else {**item, "input_file_id": None}


def with_metadata(item: dict[str, Any], how: str) -> dict[str, Any]:
    """The batch with its metadata as the service shows it there."""
    metadata = item["metadata"]
    if how == ABSENT:
        return {key: value for key, value in item.items() if key != "metadata"}
    known = {key: value for key, value in metadata.items() if key == "name"}
    changed = {key.upper(): value.upper() for key, value in metadata.items()}
    shown = {COMPLETE: metadata, EMPTY: {}, FILTERED: known, CHANGED: changed}
    return {**item, "metadata": shown[how]}
