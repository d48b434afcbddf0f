"""
What the list of batches says about a creation without a clear response.

Rule 1: this module is pure: it sends nothing and reads no clock.
Rule 2: the batch of a creation is the one that shows its token, or any batch of a file that was
uploaded for this creation alone. No other batch is ever taken for it.
Rule 3: a creation counts as absent only if `doubt` finds no reason against it.

No rule can exclude that the service carries out or lists a creation after the last look, or hides
it in a list that looks complete.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from attrs import define, field

from ..errors import SiliconFlowError
from ..objects import Batch
from ..parameters import TOKEN

OURS, POSSIBLE, OTHER = "ours", "possible", "other"
# How a walk over the list ended. Any other text is the reason why it could not go on.
COMPLETE, UNPAGED, EARLY = "complete", "unpaged", "early"
CLOCKS = timedelta(minutes=1)  # by which the clocks of uploads and of batches may differ
# Lengths at which a service may cut a list that it does not page; so may every multiple of 100.
ROUND = frozenset({10, 20, 25, 50})


@define(frozen=True)
class Creation:
    """
    One creation, and what identifies its batch.

    `own`: the file was uploaded for this creation alone, at `uploaded_at` by the service's clock.
    `before`: batches that existed before the first attempt. `is_new_account`: an empty list is
    believed.
    """

    token: str
    file_id: str | None = None
    own: bool = False
    uploaded_at: datetime | None = None
    before: frozenset[str] = frozenset()
    is_new_account: bool = False


@define(frozen=True)
class Reading:
    """
    The list as one walk has read it: each of the `batches` once, in the order of the list.

    `end` is COMPLETE if nothing follows the last batch, UNPAGED if the service ignores paging and
    shows all on one page, EARLY if older batches were not read, or why the walk could not go on:
    then `error` is the exception that ended it, if one did.
    """

    batches: tuple[Batch, ...] = ()
    end: str = COMPLETE
    error: SiliconFlowError | None = None


@define(frozen=True)
class Evidence:
    """
    One reading of the list, and other facts about the account.

    `known` are batches that existed when the search began, with the times of their creation.
    `retrieved` are batches that were retrieved because the list did not show whose they are.
    """

    reading: Reading = field(factory=Reading)
    known: Mapping[str, datetime | None] = field(factory=dict)
    retrieved: Mapping[str, Batch] = field(factory=dict)

    def batches(self) -> list[Batch]:
        """Each batch once, as complete as it was seen."""
        listed = {batch.id: batch for batch in self.reading.batches}
        return [*{**listed, **self.retrieved}.values()]

    def excludes(self, batch: Batch) -> bool:
        """Whether a batch without a token would show it if it had one."""
        if any(map(_shows_token, self.reading.batches)):  # lists show metadata
            return True
        return batch.id in self.retrieved and any(one.metadata for one in self.retrieved.values())


@define(frozen=True)
class Outcome:
    """
    What is known of a creation: its `batch`, or that it is `absent`.

    Otherwise `reason` says why neither is known, and `possible` are the ids that may be its own.
    `others` are the batches that exist if it is absent: none of them is its own. `twins` are
    further batches that look like its own.
    """

    batch: Batch | None = None
    absent: bool = False
    reason: str = ""
    possible: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()
    twins: tuple[str, ...] = ()


def judge(creation: Creation, evidence: Evidence) -> Outcome:
    """The outcome of a creation, as far as the evidence shows it."""
    kin = {batch.id: kinship(creation, batch, evidence) for batch in evidence.batches()}
    ours = [batch for batch in evidence.batches() if kin[batch.id] == OURS]
    if ours:
        twins = dict.fromkeys(batch.id for batch in ours if batch.id != ours[0].id)
        return Outcome(ours[0], twins=tuple(twins))
    possible = tuple(id for id, one in kin.items() if one == POSSIBLE)
    if possible:
        return Outcome(reason=f"{_some(possible)} may be its batch", possible=possible)
    reason = doubt(creation, evidence)
    return Outcome(reason=reason) if reason else Outcome(absent=True, others=frozenset(kin))


def kinship(creation: Creation, batch: Batch, evidence: Evidence | None = None) -> str:
    """OURS, OTHER or POSSIBLE."""
    if creation.token.lower() in {value.lower() for value in batch.metadata.values()}:
        return OURS
    if batch.id in creation.before or _shows_token(batch):
        return OTHER
    if creation.file_id is not None and batch.input_file_id is not None:
        if batch.input_file_id != creation.file_id:
            return OTHER
        if creation.own:
            return OURS
    if is_older(creation, batch) or (evidence is not None and evidence.excludes(batch)):
        return OTHER
    return POSSIBLE


def is_older(creation: Creation, batch: Batch) -> bool:
    """Whether the batch was created before the creation was sent, for any clock of the service."""
    if batch.id in creation.before:
        return True
    created, uploaded = batch.created_at, creation.uploaded_at
    return created is not None and uploaded is not None and created < uploaded - CLOCKS


def doubt(creation: Creation, evidence: Evidence) -> str:
    """Why a reading without the batch does not prove its absence; empty if it does."""
    reading = evidence.reading
    if reading.end not in (COMPLETE, UNPAGED, EARLY):
        return reading.end
    if not reading.batches:
        believed = creation.is_new_account and not evidence.known
        return "" if believed else "the list is empty"
    if missing := _missing(evidence):
        return f"the list does not show {_some(missing)}, which exists"
    if reaches_back(creation, reading.batches):
        return ""
    if reading.end == EARLY:
        return "the list was not read to its end"
    number = len(reading.batches)
    if reading.end == UNPAGED and (number in ROUND or number % 100 == 0):
        return f"the list may be cut: it has {number} batches, not in the order of their times"
    return ""


def reaches_back(creation: Creation, batches: Sequence[Batch], least: int = 1) -> bool:
    """
    Whether the batches are newest first, and `least` of them are older than the creation.

    The order is shown, not assumed: no time is missing, none rises, and one falls.
    """
    times = [batch.created_at for batch in batches if batch.created_at is not None]
    is_ordered = len(times) == len(batches) and times == sorted(times, reverse=True)
    older = sum(is_older(creation, batch) for batch in batches)
    return is_ordered and len(set(times)) > 1 and older >= least


def _shows_token(batch: Batch) -> bool:
    return any(key.lower() == TOKEN for key in batch.metadata)


def _missing(evidence: Evidence) -> list[str]:
    """The known batches that the reading should show."""
    reading = evidence.reading
    listed = {batch.id for batch in reading.batches}
    missing = [id for id in evidence.known if id not in listed]
    if reading.end == EARLY:  # newest first: only what is newer than its end must be in it
        last = reading.batches[-1].created_at
        times = {id: evidence.known[id] for id in missing}
        return [id for id, time in times.items() if time and last and time > last]
    return missing


def _some(ids: Sequence[str]) -> str:
    """Up to three ids, for messages."""
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return ", ".join(ids[:3]) + more
