"""
Batches and files as callers use them: typed, with aware datetimes.

Rule: an object copies nothing; its properties read the generated model that it holds.
"""

import json
from datetime import UTC, datetime

import httpx
from attrs import define, field

from siliconflow_batch_api import models
from siliconflow_batch_api.types import Unset

from .errors import BatchCancelled, BatchExpired, BatchFailed, BatchNotCompleted

TOKEN = "siliconflow_batch_token"  # noqa: S105 - the name of a metadata key
FINAL = frozenset({"completed", "failed", "expired", "cancelled"})
EXCEPTIONS: dict[str, type[BatchNotCompleted]] = {
    "failed": BatchFailed,
    "expired": BatchExpired,
    "cancelled": BatchCancelled,
}


def _time(seconds: int | Unset | None) -> datetime | None:
    return None if seconds is None or isinstance(seconds, Unset) else moment(seconds)


def moment(seconds: int) -> datetime:
    """The aware datetime of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)


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

    `model` is the generated model, with times as integers. `response` is the HTTP response that the
    batch was read from; that of a list holds the other batches of its page as well.
    """

    model: models.Batch = field(repr=False)
    response: httpx.Response | None = field(default=None, repr=False, eq=False)

    def __repr__(self) -> str:
        return f"Batch(id={self.id!r}, status={self.status!r}, counts={self.counts!r})"

    @property
    def id(self) -> str:
        return self.model.id

    @property
    def status(self) -> str:
        """The status as the service reports it, even if no document names it."""
        return str(self.model.status)

    @property
    def is_final(self) -> bool:
        """Whether the status is completed, failed, expired or cancelled."""
        return self.status in FINAL

    @property
    def input_file_id(self) -> str:
        return self.model.input_file_id

    @property
    def output_file_id(self) -> str | None:
        """The URL or id of the file with the lines that have a response, if there are any."""
        return self.model.output_file_id or None

    @property
    def error_file_id(self) -> str | None:
        """The URL or id of the file with the lines that failed, if there are any."""
        return self.model.error_file_id or None

    @property
    def errors(self) -> list[str]:
        """No document shows an error; one that is not a string is returned as JSON."""
        errors = self.model.errors or []
        if isinstance(errors, models.BatchErrorList):
            data = errors.additional_properties.get("data")
            errors = data if isinstance(data, list) else [errors.to_dict()]
        return [error if isinstance(error, str) else json.dumps(error) for error in errors]

    @property
    def counts(self) -> Counts:
        counts = self.model.request_counts
        if not isinstance(counts, models.RequestCounts):
            return Counts()
        numbers = (counts.total, counts.completed, counts.failed)
        return Counts(*(0 if isinstance(number, Unset) else number for number in numbers))

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of the creation, with the token that the client added."""
        metadata = self.model.metadata
        return {} if metadata is None else dict(metadata.additional_properties)

    @property
    def token(self) -> str | None:
        """The token that the client added when it created the batch; `find` searches for it."""
        return self.metadata.get(TOKEN)

    @property
    def file_name(self) -> str | None:
        """The name of the input file; only lists have it."""
        return None if isinstance(self.model.file_name, Unset) else self.model.file_name

    @property
    def created_at(self) -> datetime:
        return moment(self.model.created_at)

    @property
    def expires_at(self) -> datetime:
        return moment(self.model.expires_at)

    @property
    def in_progress_at(self) -> datetime | None:
        return _time(self.model.in_progress_at)

    @property
    def finalizing_at(self) -> datetime | None:
        return _time(self.model.finalizing_at)

    @property
    def completed_at(self) -> datetime | None:
        return _time(self.model.completed_at)

    @property
    def failed_at(self) -> datetime | None:
        return _time(self.model.failed_at)

    @property
    def expired_at(self) -> datetime | None:
        return _time(self.model.expired_at)

    @property
    def cancelling_at(self) -> datetime | None:
        return _time(self.model.cancelling_at)

    @property
    def cancelled_at(self) -> datetime | None:
        return _time(self.model.cancelled_at)

    def raise_unless_completed(self) -> None:
        """Raises `BatchFailed`, `BatchExpired` or `BatchCancelled` if that is the status."""
        if self.status in EXCEPTIONS:
            raise EXCEPTIONS[self.status](self)


@define(frozen=True, slots=True)
class File:
    """
    An uploaded file. `model` and `response` are as those of a `Batch`.
    """

    model: models.UploadedFile | models.ListedFile = field(repr=False)
    response: httpx.Response | None = field(default=None, repr=False, eq=False)

    def __repr__(self) -> str:
        return f"File(id={self.id!r}, name={self.name!r}, bytes={self.bytes})"

    @property
    def id(self) -> str:
        return self.model.id

    @property
    def name(self) -> str:
        return self.model.filename

    @property
    def bytes(self) -> int:
        return self.model.bytes_

    @property
    def purpose(self) -> str:
        return self.model.purpose

    @property
    def created_at(self) -> datetime:
        # The response to an upload spells it `createdAt`, a list `created_at`.
        return moment(self.model.created_at)

    @property
    def line_count(self) -> int | None:
        """The number of lines; only lists have it."""
        return self.model.line_count if isinstance(self.model, models.ListedFile) else None
