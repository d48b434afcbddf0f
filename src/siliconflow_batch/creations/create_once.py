"""
The creation of batches, each once, even if responses are lost.

Rule 1: a request whose outcome is open is repeated only after a search has shown that there is no
batch.
Rule 2: once an outcome was open, an end without a batch is a `CreateOutcomeUnknown`.
Rule 3: what another process needs to go on is saved before the request that could be lost.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from attrs import evolve

from .. import operations
from ..errors import (
    APIError,
    CreateOutcomeUnknown,
    ListIncomplete,
    SiliconFlowError,
    TransportError,
)
from ..flows import retrieve
from ..objects import Batch
from ..retries import Patience
from ..steps import Call, Flow, Pause, Save
from ..transport.logs import log
from ..transport.responses import read_named_batch, read_upload, unreadable
from .evidence import COMPLETE, OTHER, OURS, UNPAGED, Outcome, kinship
from .list_walk import read
from .orders import Order
from .search import settle

# Client errors that can come after the work: request timeout, conflict, too early, too many
# requests, and two of gateways whose client has gone.
OPEN = frozenset({408, 409, 425, 429, 460, 499})
NAMED_ID = re.compile(r'"id"\s*:\s*"([A-Za-z0-9_-]{1,200})"')
LONGEST_PAUSE = 120.0  # seconds by which a `Retry-After` can delay a repeated creation


def create_all(
    orders: Sequence[Order],
    patience: Patience,
    *,
    known: Mapping[str, datetime | None] | None = None,
    on_end: Callable[[Order], None] = lambda _: None,
) -> Flow[None]:
    """
    Creates a batch for each order; `on_end(order)` is called when it has a batch or an error.

    Orders whose outcome is open are set aside, and one search serves all of them. `known` are
    batches of the account that exist; it may grow meanwhile.
    """
    try:
        for order in orders:
            yield from _carry_out(order, _begin(order), on_end)
        while open_ := [order for order in orders if order.is_open]:
            outcomes = yield from settle(
                [order.creation for order in open_],
                patience,
                named=[id for order in open_ for id in order.named],
                known=known,
            )
            for order in open_:
                outcome = outcomes[order.creation.token]
                yield from _carry_out(order, _go_on(order, outcome, patience), on_end)
    except BaseException as error:  # Ctrl-C, or a cancelled task
        for order in orders:
            if order.is_open:
                error.add_note(str(_unknown(order, Outcome(reason="the search was interrupted"))))
        raise


def _carry_out(order: Order, flow: Flow[None], on_end: Callable[[Order], None]) -> Flow[None]:
    """Carries out a part of an order; what it raises becomes the order's error."""
    try:
        yield from flow
        if order.batch is not None and order.record is not None:
            yield Save(order.record, {"batch_id": order.batch.id})
    except (SiliconFlowError, OSError) as error:
        order.error, order.is_open = error, False
    if not order.is_open:
        on_end(order)


def _begin(order: Order) -> Flow[None]:
    """Looks for an earlier batch where there can be one; otherwise uploads the file and creates."""
    if order.made is not None:
        order.batch = yield from retrieve(order.made)
        order.is_found = True
    elif order.is_resumed:
        order.is_open, order.attempts = True, 1
        order.reason = "an earlier process was interrupted"
    else:
        yield from _look_before(order)
        if order.batch is None:
            yield from _upload(order)
            yield from _attempt(order)


def _look_before(order: Order) -> Flow[None]:
    """Notes the batches that exist, unless the file alone identifies the batch."""
    is_own = order.source is not None or order.creation.own
    if is_own and not order.is_keyed:
        return
    reading = yield from read(lambda _: False)
    for one in reading.batches:
        if order.is_keyed and kinship(order.creation, one) == OURS:
            order.batch, order.is_found = one, True
            return
    if order.is_keyed and reading.error is not None:
        raise reading.error  # nothing was sent, and the batch of the key may be on the list
    if order.is_keyed and reading.end not in (COMPLETE, UNPAGED) and not reading.batches:
        raise ListIncomplete(reading.end)
    before = frozenset(one.id for one in reading.batches)
    order.creation = evolve(order.creation, before=before)


def _upload(order: Order) -> Flow[None]:
    if order.source is None or order.creation.file_id is not None:
        return
    with order.source() as call:
        file = read_upload((yield call))
    order.creation = evolve(order.creation, file_id=file.id, own=True, uploaded_at=file.created_at)
    if order.record is not None:
        at = file.created_at
        uploaded_at = None if at is None else at.timestamp()
        yield Save(order.record, {"file_id": file.id, "uploaded_at": uploaded_at})


def _attempt(order: Order) -> Flow[None]:
    """Sends the creation once. The order then has its batch, or is open; or this raises."""
    creation = order.creation
    body = order.settings.body(creation.file_id or "", creation.token)
    if order.record is not None and order.attempts == 0:
        yield Save(order.record, {"creating": time.time()})
    was_open, order.is_open = order.attempts > 0, True
    order.attempts += 1
    order.reason = "the response has not arrived"
    try:
        reply = yield Call(
            operations.create_batch, {"body": body}, repeatable=False, closes_connection=True
        )
        made = read_named_batch(reply)
        if made is None or not _is_answer(order, made):
            raise unreadable(reply.response, "the response is not that of this creation")
        order.batch, order.is_open = made, False
    except SiliconFlowError as error:
        order.reason, order.cause = str(error).partition("\n")[0], error
        if isinstance(error, APIError):
            known = {*creation.before, creation.file_id}
            order.named += [id for id in NAMED_ID.findall(error.body)[:3] if id not in known]
        if is_open(error):
            log.warning("%s; looking for the batch before it is created again", order.reason)
        else:
            order.is_open = False
            if was_open:
                raise _unknown(
                    order, Outcome(reason="an earlier attempt may have been carried out")
                ) from error
            raise


def _is_answer(order: Order, made: Batch) -> bool:
    """Whether a batch is the one of this creation, not the late response to another request."""
    kin = kinship(order.creation, made)
    return kin == OURS or (kin != OTHER and made.input_file_id == order.creation.file_id)


def is_open(error: SiliconFlowError) -> bool:
    """Whether a creation that ended with this error may have been carried out."""
    if isinstance(error, TransportError):
        return error.sent
    if isinstance(error, APIError):
        return not 400 <= error.status < 500 or error.status in OPEN
    return False


def _go_on(order: Order, outcome: Outcome, patience: Patience) -> Flow[None]:
    """Ends an order whose outcome is known, or repeats the creation if there is no batch."""
    if outcome.batch is not None:
        order.batch, order.is_found, order.is_open = outcome.batch, True, False
        log.info("create batch: found as %s", order.batch.id)
        if outcome.twins:
            twins = ", ".join([order.batch.id, *outcome.twins])
            log.warning("create batch: %s look like one creation; each may be paid for", twins)
        return
    if not outcome.absent or order.attempts >= patience.creations:
        raise _unknown(order, outcome) from order.cause
    asked = getattr(order.cause, "retry_after", None) or 0.0
    if asked > patience.seconds:
        yield Pause(min(asked, LONGEST_PAUSE) - patience.seconds)
    order.is_resumed = False
    order.creation = evolve(order.creation, before=order.creation.before | outcome.others)
    yield from _attempt(order)


def _unknown(order: Order, outcome: Outcome) -> CreateOutcomeUnknown:
    creation = order.creation
    so_far = "it is not listed so far" if outcome.absent else outcome.reason
    file_id = creation.file_id if creation.own else None
    return CreateOutcomeUnknown(
        creation.token, f"{order.reason}; {so_far}", file_id, outcome.possible
    )
