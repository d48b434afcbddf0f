"""
The list of batches, page by page.

Rule 1: a page begins after the last id of the page before, whatever its other fields say.
Rule 2: a walk that ended before the list did says why; it never passes for a complete one.
"""

from collections.abc import Callable

from attrs import define, field

from siliconflow_batch_api.types import UNSET

from .. import operations
from ..errors import APIError, BadRequest, ListIncomplete, TransportError
from ..objects import Batch
from ..steps import Call, Flow
from ..transport.responses import Page, read_page
from .evidence import COMPLETE, EARLY, UNPAGED, Reading

PAGE = 100  # batches on a page, the most that the service documents
MOST_PAGES = 200


def page(after: str | None, limit: int | None) -> Flow[Page]:
    arguments = {
        "after": UNSET if after is None else after,
        "limit": UNSET if limit is None else limit,
    }
    return read_page((yield Call(operations.list_batches, arguments)))


@define
class Walk:
    """
    A walk over the list, with `limit` batches on a page.

    `end` is empty until the walk has ended: then COMPLETE, UNPAGED, or why it could not go on.
    `has_more: false` alone ends nothing: the last page is shorter than an earlier one, or empty, or
    a repeated one if the service ignores `after`.
    """

    limit: int | None = PAGE
    batches: list[Batch] = field(factory=list)
    end: str = ""
    _ids: set[str] = field(factory=set)
    _after: str | None = None
    _pages: int = 0
    _longest: int = 0  # items on the longest page
    _left_out: bool = False  # whether an item had no id; the walk goes on, and is not complete

    def next(self) -> Flow[list[Batch]]:
        """The batches of the next page that were not on an earlier one."""
        shown = yield from self._page()
        self._pages += 1
        new = [batch for batch in shown.batches if batch.id not in self._ids]
        self._ids.update(batch.id for batch in new)
        self.batches += new
        self._left_out |= shown.left_out > 0
        self.end = self._reported((yield from self._end(shown, new)))
        if shown.batches:
            self._after = shown.batches[-1].id
        elif shown.last_id:
            self._after = shown.last_id
        return new

    def raise_unless_complete(self) -> None:
        """Raises `ListIncomplete` if the walk ended before the list did."""
        if self.end not in (COMPLETE, UNPAGED):
            raise ListIncomplete(self.end)

    def stop(self) -> None:
        """Ends the walk before its end, because its batches are enough."""
        self.end = self._reported(EARLY)

    def _reported(self, end: str) -> str:
        proves = end in (COMPLETE, UNPAGED, EARLY)
        return "an item of the list has no id" if proves and self._left_out else end

    def _page(self) -> Flow[Page]:
        try:
            return (yield from page(self._after, self.limit))
        except BadRequest:
            if self._after is not None or self.limit != PAGE:
                raise
            self.limit = None  # the service allows fewer batches on a page
            return (yield from page(None, None))

    def _end(self, shown: Page, new: list[Batch]) -> Flow[str]:
        """How the walk ends at a page; empty if it goes on."""
        if self._pages >= MOST_PAGES:
            return f"the list has more than {MOST_PAGES} pages"
        length = len(shown.batches) + shown.left_out
        is_shorter = length < self._longest
        if shown.batches and shown.has_more is False and is_shorter:
            return COMPLETE
        self._longest = max(self._longest, length)
        if new:
            return ""
        if not shown.batches:
            if shown.last_id not in (None, self._after):
                return ""  # a page that was filtered until it was empty
            is_end = not shown.has_more
            return COMPLETE if is_end else "the list ends with an empty page that says `has_more`"
        if shown.has_more is not True and (yield from self._is_one_page()):
            return UNPAGED
        return "the list cannot be paged: the service ignores `after`"

    def _is_one_page(self) -> Flow[bool]:
        """Whether a page without paging is the whole list: `has_more` must be right elsewhere."""
        number = len(self.batches)
        if number == 1 or (self.limit is not None and number > self.limit):
            return True
        first = yield from page(None, 1)
        return len(first.batches) == number or (len(first.batches) == 1 and first.has_more is True)


def read(is_enough: Callable[[list[Batch]], bool]) -> Flow[Reading]:
    """Reads the list to its end, or until `is_enough(batches)`; errors end it, too."""
    walk, failure = Walk(), None
    while not walk.end:
        try:
            yield from walk.next()
        except (APIError, TransportError) as error:
            failure = error
            reason = str(error).partition("\n")[0]
            walk.end = f"the list could not be read: {reason}"
        if not walk.end and is_enough(walk.batches):
            walk.stop()
    return Reading(tuple(walk.batches), walk.end, failure)
