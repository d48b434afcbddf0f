"""
What the client does, written once for threads and for event loops.

Rule 1: a flow is a generator of steps (`Call`, `Pause`); a driver carries each one out and sends
back what came of it, or throws in what went wrong.
Rule 2: a creation is repeated only after it was looked for where it would be.
"""

import random
import re
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from types import ModuleType
from typing import Any, Literal

from attrs import define

from siliconflow_batch_api import models
from siliconflow_batch_api.types import UNSET

from . import operations
from .errors import (
    APIError,
    ArgumentInvalid,
    CreateOutcomeUnknown,
    RateLimited,
    ServiceUnavailable,
    TransportError,
    UnreadableAnswer,
    WaitTimedOut,
)
from .objects import TOKEN, Batch

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
WINDOW = re.compile(r"([1-9][0-9]{1,2})h")
PAIRS, KEY, VALUE = 16, 64, 512
PAGE = 100
OUTAGE = 3600  # seconds without an answer that a wait sits out
CLOCKS_DIFFER = 600  # seconds that this machine's clock and the service's may be apart


@define(frozen=True)
class Call:
    """
    One operation, with its arguments or with what makes them anew for each attempt.

    `repeatable` says whether it may be sent again after an unknown outcome.
    """

    operation: ModuleType
    model: type[Any]
    arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]]
    repeatable: bool = True


@define(frozen=True)
class Pause:
    """Nothing, for some seconds."""

    seconds: float


Step = Call | Pause
Flow = Generator[Step, Any, Any]


@define(frozen=True)
class Patience:
    """
    How long an unknown creation is looked for: `looks` times, spread over `seconds`, so that a list
    which lags has time to know the batch; then `creations` tells how often it is tried in all.
    """

    seconds: float = 60.0
    looks: int = 5
    creations: int = 3

    def __attrs_post_init__(self) -> None:
        # Without a look, absence would be taken for known, and a batch paid twice.
        if self.looks < 1 or self.creations < 1 or not 0 <= self.seconds < float("inf"):
            raise ArgumentInvalid(f"{self} makes no sense: looks and creations begin at 1.")


def retrieve(batch_id: str) -> Flow:
    arguments = {"batch_id": checked_id(batch_id)}
    return (yield Call(operations.retrieve_batch, models.Batch, arguments))


def cancel(batch_id: str) -> Flow:
    arguments = {"batch_id": checked_id(batch_id)}
    return (yield Call(operations.cancel_batch, models.Batch, arguments))


def page(after: str | None, limit: int = PAGE) -> Flow:
    arguments = {"after": UNSET if after is None else after, "limit": limit}
    return (yield Call(operations.list_batches, models.BatchPage, arguments))


def files(limit: int | None) -> Flow:
    arguments = {"limit": UNSET if limit is None else limit, "purpose": "batch"}
    return (yield Call(operations.list_files, models.ListFilesResponse, arguments))


def create(
    input_file_id: str,
    *,
    window: str | int,
    metadata: Mapping[str, str] | None,
    model: str | None,
    patience: Patience,
) -> Flow:
    """
    Creates one batch, whatever happens to the answers on the way.

    Raises `CreateOutcomeUnknown` when the answer was lost and the list does not tell either.
    """
    token = uuid.uuid4().hex
    body = creation(input_file_id, window=window, metadata=metadata, model=model, token=token)
    began = time.time()
    call = Call(operations.create_batch, models.Batch, {"body": body}, repeatable=False)
    for _ in range(patience.creations):
        try:
            return (yield call)
        except (TransportError, ServiceUnavailable, UnreadableAnswer) as lost:
            if isinstance(lost, TransportError) and not lost.sent:
                raise
            reason = str(lost).partition("\n")[0]
        found, sure = yield from look_for(token, began, patience)
        if found is not None:
            return found
        if not sure:
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
    """What is sent to create a batch; `ArgumentInvalid` for what would be refused."""
    return models.CreateBatchRequest(
        input_file_id=checked_id(input_file_id),
        endpoint=ENDPOINT,
        completion_window=checked_window(window),
        metadata=checked_metadata({**(metadata or {}), TOKEN: token}),
        replace=UNSET if model is None else models.ModelReplacement(model=checked_model(model)),
    )


def look_for(token: str, began: float, patience: Patience) -> Flow:
    """
    The batch with a token, or None; and whether its absence is sure: every look saw the whole list
    back to before the creation.
    """
    sure = False
    for look in range(patience.looks):
        yield Pause(patience.seconds / patience.looks * (0.5 if look == 0 else 1))
        found, whole = yield from find(token, began - CLOCKS_DIFFER)
        if found is not None:
            return found, True
        sure = whole
    return None, sure


def find(token: str, since: float) -> Flow:
    """The batch with a token, or None; and whether every batch created `since` was seen."""
    seen: set[str] = set()
    after = None
    while True:
        try:
            answer = yield from page(after)
        except (APIError, TransportError):
            return None, False
        fresh = [batch for batch in answer.data if batch.id not in seen]
        for batch in fresh:
            if Batch(batch).token == token:
                return batch, True
        if not answer.has_more:
            return None, True
        if not fresh or answer.data[-1].id != answer.last_id:
            return None, False  # paging leads nowhere: the service ignores `after`
        if all(batch.created_at < since for batch in fresh):
            return None, True
        seen.update(batch.id for batch in fresh)
        after = answer.last_id


def wait(
    batch_id: str,
    *,
    timeout: float | None,
    interval: float,
    longest: float,
    on_update: Callable[[Batch], None] | None,
) -> Flow:
    """
    Looks at a batch until it is final, less and less often; an outage of up to an hour is sat out.

    Raises `WaitTimedOut` when `timeout` seconds are over.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, told, status, answered = interval, None, "not known yet", time.monotonic()
    while True:
        try:
            batch = Batch((yield from retrieve(batch_id)))
        except (TransportError, ServiceUnavailable, RateLimited):
            now = time.monotonic()
            if now - answered > OUTAGE or (deadline is not None and now > deadline):
                raise
            batch = None
        if batch is not None:
            answered = time.monotonic()
            state = (batch.status, batch.counts)
            if on_update is not None and state != told:
                on_update(batch)
            told, status = state, batch.status
            if batch.is_final:
                return batch.model
        left = float("inf") if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise WaitTimedOut(batch_id, timeout or 0, status)
        # Jitter, so that many who wait do not ask at once.
        yield Pause(min(left, pause * random.uniform(0.8, 1.2)))  # noqa: S311
        pause = min(pause * 1.5, longest)


def checked_id(given: str) -> str:
    """An id that is safe in a path; the service's are letters, digits, `-` and `_`."""
    if not isinstance(given, str) or not ID.fullmatch(given):
        raise ArgumentInvalid(f"{given!r} is no id: letters, digits, '-' and '_' make one.")
    return given


def checked_window(window: str | int) -> str:
    text = f"{window}h" if isinstance(window, int) else window
    match = WINDOW.fullmatch(text)
    if match is None or not 24 <= int(match[1]) <= 336:
        raise ArgumentInvalid(f"The window is {window!r}; it must lie between '24h' and '336h'.")
    return text


def checked_model(model: str) -> str:
    if not isinstance(model, str) or not model.strip():
        raise ArgumentInvalid(f"The model is {model!r}; name one, or leave it out.")
    return model


def checked_metadata(notes: Mapping[str, str]) -> models.BatchMetadata:
    """Notes within the service's limits; one of the sixteen is this client's token."""
    if len(notes) > PAIRS:
        raise ArgumentInvalid(
            f"metadata has {len(notes) - 1} pairs; at most {PAIRS - 1} are left beside the token."
        )
    for key, value in notes.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ArgumentInvalid(f"metadata[{key!r}] must be a string, not {value!r}.")
        if len(key) > KEY or len(value) > VALUE:
            raise ArgumentInvalid(
                f"metadata[{key[:KEY]!r}] is too long: keys up to {KEY} characters, "
                f"values up to {VALUE}."
            )
    return models.BatchMetadata.from_dict(dict(notes))
