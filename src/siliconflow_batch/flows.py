"""
What the client does, written once for both clients.

Rule 1: a function is a `Flow`; it sends nothing and waits for nothing itself.
Rule 2: a batch is created again only after the list of batches was searched for it.
"""

import random
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Literal

from attrs import define, field

from siliconflow_batch_api import models
from siliconflow_batch_api.types import UNSET

from . import operations
from .errors import (
    APIError,
    CreateOutcomeUnknown,
    RateLimited,
    ServiceUnavailable,
    TransportError,
    UnreadableAnswer,
    WaitTimedOut,
)
from .objects import TOKEN, Batch, File
from .parameters import checked_id, checked_metadata, checked_model, checked_window
from .retries import Patience
from .steps import Call, Flow, Pause, Reply
from .transport.upload import Upload

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
PAGE = 100
OUTAGE = 3600  # seconds for which `wait` goes on without a response
CLOCK_DIFFERENCE = 600  # seconds that the clocks of this machine and of the service may differ


def upload(source: Upload) -> Flow[File]:
    reply = yield source.call()
    return File(reply.model.data, reply.response)


def files(limit: int | None) -> Flow[list[File]]:
    arguments = {"limit": UNSET if limit is None else limit, "purpose": "batch"}
    reply = yield Call(operations.list_files, models.ListFilesResponse, arguments)
    return [File(model, reply.response) for model in reply.model.data.data]


def retrieve(batch_id: str) -> Flow[Batch]:
    return (yield from _batch(Call(operations.retrieve_batch, models.Batch, _path(batch_id))))


def cancel(batch_id: str) -> Flow[Batch]:
    return (yield from _batch(Call(operations.cancel_batch, models.Batch, _path(batch_id))))


def _path(batch_id: str) -> dict[str, str]:
    return {"batch_id": checked_id(batch_id)}


def _batch(call: Call) -> Flow[Batch]:
    reply = yield call
    return Batch(reply.model, reply.response)


def page(after: str | None, limit: int = PAGE) -> Flow[Reply]:
    arguments = {"after": UNSET if after is None else after, "limit": limit}
    reply: Reply = yield Call(operations.list_batches, models.BatchPage, arguments)
    return reply


@define
class Pages:
    """The list of batches, page by page; it ends when a page repeats the ones before."""

    after: str | None = None
    more: bool = True
    _ids: set[str] = field(factory=set)

    def next(self, limit: int) -> Flow[list[Batch]]:
        """The batches of the next page that were not on an earlier one."""
        reply = yield from page(self.after, limit)
        new = [batch for batch in reply.model.data if batch.id not in self._ids]
        self._ids.update(batch.id for batch in new)
        self.after = reply.model.last_id
        self.more = bool(reply.model.has_more and new and self.after)
        return [Batch(batch, reply.response) for batch in new]


def create(
    input_file_id: str,
    *,
    window: str | int,
    metadata: Mapping[str, str] | None,
    model: str | None,
    patience: Patience,
) -> Flow[Batch]:
    """
    Creates one batch, even if responses are lost.

    Raises `CreateOutcomeUnknown` if a response was lost and the list could not be read.
    """
    token = uuid.uuid4().hex
    body = creation(input_file_id, window=window, metadata=metadata, model=model, token=token)
    began = time.time()
    call = Call(operations.create_batch, models.Batch, {"body": body}, repeatable=False)
    for _ in range(patience.creations):
        try:
            return (yield from _batch(call))
        except (TransportError, ServiceUnavailable, UnreadableAnswer) as error:
            if isinstance(error, TransportError) and not error.sent:
                raise
            reason = str(error).partition("\n")[0]
        batch, complete = yield from search(token, began, patience)
        if batch is not None:
            return batch
        if not complete:
            break
    raise CreateOutcomeUnknown(token, reason)


def creation(
    input_file_id: str,
    *,
    window: str | int,
    metadata: Mapping[str, str] | None,
    model: str | None,
    token: str,
) -> models.CreateBatchRequest:
    """The body that creates a batch; raises `ArgumentInvalid`."""
    return models.CreateBatchRequest(
        input_file_id=checked_id(input_file_id),
        endpoint=ENDPOINT,
        completion_window=checked_window(window),
        metadata=checked_metadata({**(metadata or {}), TOKEN: token}),
        replace=UNSET if model is None else models.ModelReplacement(model=checked_model(model)),
    )


def search(token: str, began: float, patience: Patience) -> Flow[tuple[Batch | None, bool]]:
    """
    Finds the batch with a token, reading the list several times because it can lag behind.

    Returns the batch or None, and whether the last reading was complete.
    """
    complete = False
    for look in range(patience.looks):
        yield Pause(patience.seconds / patience.looks * (0.5 if look == 0 else 1))
        batch, complete = yield from find(token, began - CLOCK_DIFFERENCE)
        if batch is not None:
            break
    return batch, complete


def find(token: str, since: float) -> Flow[tuple[Batch | None, bool]]:
    """
    Finds the batch with a token in the list.

    Returns the batch or None, and whether the list was read back to `since`, in Unix seconds.
    """
    ids: set[str] = set()
    after = None
    while True:
        try:
            reply = yield from page(after)
        except (APIError, TransportError):
            return None, False
        listed = reply.model
        new = [batch for batch in listed.data if batch.id not in ids]
        for batch in new:
            if Batch(batch).token == token:
                return Batch(batch, reply.response), True
        if not listed.has_more:
            return None, True
        if not new or listed.data[-1].id != listed.last_id:
            return None, False  # the service ignores `after`: later pages cannot be read
        if all(batch.created_at < since for batch in new):
            return None, True
        ids.update(batch.id for batch in new)
        after = listed.last_id


def wait(
    batch_id: str,
    *,
    timeout: float | None,
    interval: float,
    longest: float,
    on_update: Callable[[Batch], None] | None,
) -> Flow[Batch]:
    """
    Retrieves a batch until it is final, less and less often.

    Raises `WaitTimedOut` after `timeout` seconds, or the last error after an hour without a
    response.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, reported, status, responded = interval, None, "unknown", time.monotonic()
    while True:
        try:
            batch = yield from retrieve(batch_id)
        except (TransportError, ServiceUnavailable, RateLimited):
            now = time.monotonic()
            if now - responded > OUTAGE or (deadline is not None and now > deadline):
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
