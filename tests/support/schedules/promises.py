"""
What holds in each schedule, judged when a process has ended without being killed.

The exceptions are those that README states, and no others; each is a line of `_is_excused`.
"""

from collections.abc import Iterator

from siliconflow_batch.creations import search
from siliconflow_batch.errors import CreateOutcomeUnknown

from .list_shapes import CAP, CHANGED, COMPLETE, CUT, WINDOW, Listing, Stored
from .model_processes import End, ModelProcess, Repeat
from .model_world import EMPTIED, INTERRUPTED, STALE, UNREADABLE, UNSAVED

SECOND = "no second batch of a creation"
WRONG = "the batch that is returned is that of the creation"
UNREPORTED = "a batch that exists is returned, or reported with what finds it"
FORGOTTEN = "a record is forgotten only if no batch exists, or it was returned"
FOUND_LATER = "`find` does not deny a batch that exists"
LIVENESS = "on an honest list, a creation ends in one batch, which is returned"
REQUESTS = "the number of requests is bounded"
PROMISES = (SECOND, WRONG, UNREPORTED, FORGOTTEN, FOUND_LATER, LIVENESS, REQUESTS)
MINUTES = 600.0
UNFORESEEN = {INTERRUPTED, UNSAVED, UNREADABLE, EMPTIED, STALE}


def broken(process: ModelProcess) -> Iterator[str]:
    """The promises that a process has broken; `find` is called afterwards where it was named."""
    if not all(_is_excused(process, repeat) for repeat in process.repeats):
        yield SECOND
    if process.requests > most_requests(process):
        yield REQUESTS
    for end in process.ends:
        number = process.account.owners[end.order.creation.token]
        yield from _of_one(process, end, number)


def _of_one(process: ModelProcess, end: End, number: int) -> Iterator[str]:
    made, made_here = process.account.of(number), _here(process, number)
    ids = {batch.id for batch in made}
    if end.returned is not None and end.returned.id not in ids:
        yield WRONG
    if made_here and end.returned is None:
        if not _is_reported(process, end, number):
            yield UNREPORTED
        if process.mode.is_recorded and process.world.records[number].saved is None:
            yield FORGOTTEN
    if isinstance(end.error, CreateOutcomeUnknown):
        yield from _after_minutes(process, end.error, number)
    if _must_end(process, number) and (end.returned is None or len(made) != 1):
        yield LIVENESS


def _is_excused(process: ModelProcess, repeat: Repeat) -> bool:
    """Whether a second batch is one of those that README names."""
    listing, patience, earlier = process.listing, process.patience, repeat.earlier
    if patience.creations == 1 and repeat.is_known:
        return False  # never repeated, never twice
    is_hidden = earlier.listed_at > repeat.looked_at
    if not repeat.is_known and process.mode.is_keyed:  # another machine, which has no record
        is_shown = listing.paging not in (WINDOW, CUT)
        return is_hidden or not is_shown or listing.metadata not in (COMPLETE, CHANGED)
    if listing.deceives:
        return True
    return is_hidden and repeat.looked_at - earlier.sent_at >= patience.seconds


def _here(process: ModelProcess, number: int) -> list[Stored]:
    """The batches of a creation that this machine made; the list alone shows the others."""
    account = process.account
    return [one for one in account.of(number) if one.machine == account.machine]


def _is_reported(process: ModelProcess, end: End, number: int) -> bool:
    token, error = end.order.creation.token, end.error
    if isinstance(error, CreateOutcomeUnknown):
        return error.token == token and (not end.order.creation.own or bool(error.input_file_id))
    if isinstance(error, KeyboardInterrupt):
        record = process.world.records[number] if process.mode.is_recorded else None
        is_recorded = record is not None and record.saved and record.saved.creating is not None
        return bool(is_recorded) or any(token in note for note in getattr(error, "__notes__", ()))
    return False


def _after_minutes(
    process: ModelProcess, error: CreateOutcomeUnknown, number: int
) -> Iterator[str]:
    """The caller does what the exception says."""
    later = ModelProcess(
        process.world.copy(), process.mode, process.events, process.choices, process.patience
    )
    later.account.pass_time(MINUTES)
    try:
        found = later.quiet().drive(search.find(error.token, error.input_file_id))
    except CreateOutcomeUnknown:
        return
    made = process.account.of(number)
    if found is not None and found.id not in {batch.id for batch in made}:
        yield WRONG
    if found is None and _here(process, number) and not process.listing.deceives:
        yield FOUND_LATER


def _must_end(process: ModelProcess, number: int) -> bool:
    """Whether the creation can and must end in one batch in this process."""
    listing, mode, fates = process.listing, process.mode, process.fates[number]
    is_honest = listing.is_honest and (listing.history or process.patience.new_account)
    if not is_honest or process.happened & UNFORESEEN:
        return False
    if any(fate.is_refusal for fate in fates):
        return False
    if not mode.own and not listing.tells_whose:
        return False
    made = process.account.of(number)
    if any(batch.listed_at - batch.sent_at >= process.patience.seconds for batch in made):
        return False
    if process.had[number] > 1 or process.repeats or made != _here(process, number):
        return False  # excused, or reported as what it is
    return bool(made) or len(fates) + process.resumed[number] < process.patience.creations


def most_requests(process: ModelProcess) -> int:
    """
    The most requests of a process: for each order its upload, a walk, and its creations; for each
    of the searches `looks` + 1 walks, the batches that they retrieve, and those named by answers.
    """
    patience, orders = process.patience, process.mode.orders
    walk = most_pages(process.listing, len(process.account.batches)) + 1
    searches = patience.creations * orders
    named = 3 * searches
    each = (patience.looks + 1) * (walk + named) + search.MOST_RETRIEVED
    return orders * (1 + walk + patience.creations) + searches * each


def most_pages(listing: Listing, batches: int) -> int:
    """The pages of a walk: those with batches, an empty one at its end, and three odd ones."""
    return batches // CAP + 4
