"""
Batches and files as callers use them: read leniently from the JSON of a response.

Rule 1: an object copies nothing; its properties read the JSON object `raw`.
Rule 2: no property raises. A field that is missing, null or of another type reads as None, 0 or
empty, and is in `raw` as it came.
"""

import json
import math
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from attrs import define, field

from siliconflow_batch_api import models

from .errors import BatchCancelled, BatchExpired, BatchFailed, BatchNotCompleted, UnreadableAnswer
from .parameters import TOKEN

Model = TypeVar("Model")
FINAL = frozenset({"completed", "failed", "expired", "cancelled", "canceled"})
EXCEPTIONS: dict[str, type[BatchNotCompleted]] = {
    "failed": BatchFailed,
    "expired": BatchExpired,
    "cancelled": BatchCancelled,
    "canceled": BatchCancelled,
}
# What parsing raises in the generated `from_dict`, which trusts its argument.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


@define(frozen=True, slots=True)
class Counts:
    """The lines of a batch by outcome; all are 0 before the service counts them."""

    total: int = 0
    completed: int = 0
    failed: int = 0


@define(frozen=True, slots=True)
class Batch:
    """
    A batch.

    `raw` is the JSON object as it came. `response` is the HTTP response that it was read from; that
    of a list holds the other batches of its page as well. It is left out of a pickle.
    """

    raw: dict[str, Any] = field(repr=False)
    response: httpx.Response | None = field(default=None, repr=False, eq=False)

    def __repr__(self) -> str:
        return f"Batch(id={self.id!r}, status={self.status!r}, counts={self.counts!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.raw,)

    @property
    def model(self) -> models.Batch:
        """The generated model, as strict as the contract; raises `UnreadableAnswer`."""
        return _parsed(models.Batch, self.raw)

    @property
    def id(self) -> str:
        return _text(self.raw.get("id")) or ""

    @property
    def status(self) -> str:
        """The status as the service reports it, even if no document names it."""
        return _text(self.raw.get("status")) or "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the status is completed, failed, expired or cancelled."""
        return self.status.lower() in FINAL

    @property
    def input_file_id(self) -> str | None:
        return _text(self.raw.get("input_file_id"))

    @property
    def output_file_id(self) -> str | None:
        """The URL or id of the file with the lines that have a response, if there are any."""
        return _text(self.raw.get("output_file_id"))

    @property
    def error_file_id(self) -> str | None:
        """The URL or id of the file with the lines that failed, if there are any."""
        return _text(self.raw.get("error_file_id"))

    @property
    def errors(self) -> list[str]:
        """No document shows an error; one that is not a string is returned as JSON."""
        errors = self.raw.get("errors")
        if isinstance(errors, dict):
            data = errors.get("data")
            errors = data if isinstance(data, list) else [errors]
        listed = errors if isinstance(errors, list) else [errors]
        return [_as_text(error) for error in listed if error not in (None, "", {})]

    @property
    def counts(self) -> Counts:
        counts = self.raw.get("request_counts")
        if not isinstance(counts, dict):
            return Counts()
        return Counts(*(_count(counts.get(name)) for name in ("total", "completed", "failed")))

    @property
    def metadata(self) -> dict[str, str]:
        """
        The metadata of the creation, with the token that the client added.

        A value that the service has changed into a number or a boolean is returned as JSON.
        """
        metadata = self.raw.get("metadata")
        if not isinstance(metadata, dict):
            return {}
        return {name: _as_text(value) for name, value in metadata.items()}

    @property
    def token(self) -> str | None:
        """The token that the client added when it created the batch; `find` searches for it."""
        return self.metadata.get(TOKEN)

    @property
    def file_name(self) -> str | None:
        """The name of the input file; only lists have it."""
        return _text(self.raw.get("file_name"))

    @property
    def created_at(self) -> datetime | None:
        return moment(self.raw.get("created_at"))

    @property
    def expires_at(self) -> datetime | None:
        return moment(self.raw.get("expires_at"))

    @property
    def in_progress_at(self) -> datetime | None:
        return moment(self.raw.get("in_progress_at"))

    @property
    def finalizing_at(self) -> datetime | None:
        return moment(self.raw.get("finalizing_at"))

    @property
    def completed_at(self) -> datetime | None:
        return moment(self.raw.get("completed_at"))

    @property
    def failed_at(self) -> datetime | None:
        return moment(self.raw.get("failed_at"))

    @property
    def expired_at(self) -> datetime | None:
        return moment(self.raw.get("expired_at"))

    @property
    def cancelling_at(self) -> datetime | None:
        return moment(self.raw.get("cancelling_at"))

    @property
    def cancelled_at(self) -> datetime | None:
        return moment(self.raw.get("cancelled_at"))

    def raise_unless_completed(self) -> None:
        """Raises `BatchFailed`, `BatchExpired` or `BatchCancelled` if that is the status."""
        if error := EXCEPTIONS.get(self.status.lower()):
            raise error(self)


@define(frozen=True, slots=True)
class File:
    """
    An uploaded file. `raw` and `response` are as those of a `Batch`.
    """

    raw: dict[str, Any] = field(repr=False)
    response: httpx.Response | None = field(default=None, repr=False, eq=False)

    def __repr__(self) -> str:
        return f"File(id={self.id!r}, name={self.name!r}, bytes={self.bytes})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.raw,)

    @property
    def model(self) -> models.UploadedFile | models.ListedFile:
        """The generated model, as strict as the contract; raises `UnreadableAnswer`."""
        if "createdAt" in self.raw:
            return _parsed(models.UploadedFile, self.raw)
        return _parsed(models.ListedFile, self.raw)

    @property
    def id(self) -> str:
        return _text(self.raw.get("id")) or ""

    @property
    def name(self) -> str | None:
        return _text(self.raw.get("filename"))

    @property
    def bytes(self) -> int:
        return _count(self.raw.get("bytes"))

    @property
    def purpose(self) -> str | None:
        return _text(self.raw.get("purpose"))

    @property
    def created_at(self) -> datetime | None:
        # The response to an upload spells it `createdAt`, a list `created_at`.
        return moment(self.raw.get("created_at")) or moment(self.raw.get("createdAt"))

    @property
    def line_count(self) -> int | None:
        """The number of lines; only lists have it."""
        count = self.raw.get("line_count")
        return None if _number(count) is None else _count(count)


def _parsed(model: type[Model], raw: dict[str, Any]) -> Model:
    try:
        parsed: Model = model.from_dict(raw)  # type: ignore[attr-defined]
    except UNREADABLE as error:
        reason = f"{raw.get('id')!r} is not a {model.__name__} of the contract: {error!r}"
        raise UnreadableAnswer(200, reason, body=json.dumps(raw)) from error
    return parsed


def moment(value: object) -> datetime | None:
    """The aware datetime of Unix seconds or of a time in ISO 8601; None if it is neither."""
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
            time = datetime.fromisoformat(value)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        seconds = _number(value)
        return None if not seconds or seconds < 0 else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _number(value: object) -> float | None:
    """A finite number, also if it came as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _count(value: object) -> int:
    number = _number(value)
    return 0 if number is None or number < 0 else int(number)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
