"""
What the client does, written once for both clients; `creations` has the creation of batches.

Rule: a function is a `Flow`; it sends nothing and waits for nothing itself.
"""

import random
import time
from collections.abc import Callable, Container
from types import ModuleType

from siliconflow_batch_api.types import UNSET

from . import operations
from .errors import (
    APIError,
    ArgumentInvalid,
    BadRequest,
    EnvelopedFailure,
    TransportError,
    UnreadableAnswer,
    WaitTimedOut,
)
from .objects import Batch, File
from .parameters import checked_id, checked_limit, checked_seconds
from .retries import Patience
from .steps import Call, Flow, Pause
from .transport.responses import read_batch, read_files, read_upload, unreadable

NOT_FOUND = 404
REFUSED = (200, 400, 409)  # by what a service refuses a second cancel; 200 with an envelope
CANCELLED = ("cancelling", "cancelled", "canceled")
PASSING = frozenset({408, 409, 421, 423, 424, 425, 429, 499})  # client errors that pass
DEFAULT_FILES = 10  # what the service documents
MOST_FILES = 10_000  # no document states a maximum
# The usual defaults and maxima of lists: a list of such a length may be a part.
USUAL_DEFAULTS = frozenset({10, 20, 50})
USUAL_MAXIMA = frozenset({100, 200, 500, 1_000})
OUTAGE = 3600  # seconds for which `wait` goes on without a response
NEW = 60  # seconds after which a batch that this client created, and is not found, does not exist
UNKNOWN = 10  # the same for any other id, which may be mistyped


def upload(call: Call) -> Flow[File]:
    return read_upload((yield call))


def files(limit: int | None) -> Flow[tuple[list[File], str]]:
    """The files that the service lists, at most `limit` if given, and why there may be more."""
    asked = MOST_FILES if limit is None else checked_limit(limit)
    try:
        shown = yield from _files(asked)
    except BadRequest:
        if limit is not None:
            raise
        asked, shown = DEFAULT_FILES, (yield from _files(None))  # the service allows fewer
    files, left_out = shown
    if left_out:
        return files[:limit], "an item of the list has no id"
    if limit is not None and len(files) >= limit:
        return files[:limit], ""
    if len(files) < asked and not (yield from _may_be_part(len(files))):
        return files, ""
    return files, f"the service shows {len(files)} files and has no next page"


def _may_be_part(number: int) -> Flow[bool]:
    """Whether a service may have shown so many files because it ignores or lowers `limit`."""
    if number not in USUAL_DEFAULTS:
        return number in USUAL_MAXIMA
    files, _ = yield from _files(number // 2)
    return len(files) == number


def _files(limit: int | None) -> Flow[tuple[list[File], int]]:
    arguments = {"limit": UNSET if limit is None else limit, "purpose": "batch"}
    return read_files((yield Call(operations.list_files, arguments)))


def retrieve(batch: Batch | str) -> Flow[Batch]:
    return (yield from _one_batch(operations.retrieve_batch, batch))


def cancel(batch: Batch | str) -> Flow[Batch]:
    """
    Cancels a batch, and returns it. One that is cancelled already is returned as it is.

    The service refuses a second cancel; the first one may have been ours, with a lost response.
    """
    try:
        return (yield from _one_batch(operations.cancel_batch, batch))
    except APIError as error:
        if error.status not in REFUSED:
            raise
        try:
            found = yield from retrieve(batch)
        except (APIError, TransportError):
            raise error from None
        if found.status.lower() not in CANCELLED:
            raise
        return found


def _one_batch(operation: ModuleType, named: Batch | str) -> Flow[Batch]:
    """The batch with this id; a response with another one is `UnreadableAnswer`."""
    batch_id = checked_id(named)
    reply = yield Call(operation, {"batch_id": batch_id})
    batch = read_batch(reply)
    if batch.id != batch_id:
        raise unreadable(reply.response, f"the response is that of batch {batch.id}")
    return batch


def with_results(batch: Batch | str, patience: Patience) -> Flow[Batch]:
    """
    A batch, by itself or by its id, that names its result files.

    A completed batch may name them later than it is completed, so it is retrieved again for a
    while. It is returned as it is then. Errors that pass are not raised.
    """
    if not isinstance(batch, Batch):
        batch = yield from retrieve(batch)
    for seconds in patience.pauses():
        if not _names_files_later(batch):
            break
        yield Pause(seconds)
        try:
            later = yield from retrieve(batch.id)
        except (TransportError, APIError) as error:
            if not _can_pass(error, is_new=False):
                raise
        else:
            batch = later if later.is_final else batch  # another replica may be behind
    return batch


def _names_files_later(batch: Batch) -> bool:
    if batch.status.lower() != "completed":
        return False
    output, errors = batch.output_file_id, batch.error_file_id
    lacks_output = batch.counts.completed > 0 and output is None
    lacks_errors = batch.counts.failed > 0 and errors is None
    return lacks_output or lacks_errors or not (output or errors)


def wait(
    named: Batch | str,
    *,
    timeout: float | None,
    interval: float,
    longest: float,
    on_update: Callable[[Batch], None] | None,
    known: Container[str] = (),
) -> Flow[Batch]:
    """
    Retrieves a batch until it is final, less and less often.

    `known` are batches that this client created. Raises `WaitTimedOut` after `timeout` seconds, or
    the last error after an hour without a response.
    """
    batch_id, interval = checked_id(named), checked_seconds("interval", interval)
    longest = checked_seconds("longest", longest)
    timeout = None if timeout is None else checked_seconds("timeout", timeout)
    if on_update is not None and not callable(on_update):
        raise ArgumentInvalid(f"Invalid on_update {on_update!r}: pass a function.")
    began = responded = time.monotonic()
    deadline = None if timeout is None else began + timeout
    pause, reported, status = interval, None, "unknown"
    while True:
        try:
            batch = yield from retrieve(batch_id)
        except (TransportError, APIError) as error:
            now = time.monotonic()
            is_new = reported is None and now - began < (NEW if batch_id in known else UNKNOWN)
            if not _can_pass(error, is_new) or now - responded > OUTAGE:
                raise
            if deadline is not None and now > deadline:
                raise
        else:
            responded = time.monotonic()
            state, status = (batch.status, batch.counts), batch.status
            if on_update is not None and state != reported:
                on_update(batch)
            reported = state
            if batch.is_final:
                return batch
        left = float("inf") if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise WaitTimedOut(batch_id, timeout or 0, status)
        # The random part keeps many clients from sending their requests at the same time.
        yield Pause(min(left, pause * random.uniform(0.8, 1.2)))  # noqa: S311
        pause = min(pause * 1.5, longest)


def _can_pass(error: TransportError | APIError, is_new: bool) -> bool:
    """Whether the next look can succeed. A list, or a replica, may not know a new batch yet."""
    if isinstance(error, TransportError | UnreadableAnswer | EnvelopedFailure):
        return True
    if error.status == NOT_FOUND:
        return is_new
    return not 400 <= error.status < 500 or error.status in PASSING
