"""
What the service answers, as callers want it: typed, with real times, and the model still in reach.

Rule: nothing is copied out of a model; an object looks into the one that it holds.
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
ENDS: dict[str, type[BatchNotCompleted]] = {
    "failed": BatchFailed,
    "expired": BatchExpired,
    "cancelled": BatchCancelled,
}


def _time(seconds: int | Unset | None) -> datetime | None:
    return None if seconds is None or isinstance(seconds, Unset) else moment(seconds)


def moment(seconds: int) -> datetime:
    """An aware datetime of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)


@define(frozen=True, slots=True)
class Counts:
    """Lines by outcome; all zero before they are counted."""

    total: int = 0
    completed: int = 0
    failed: int = 0


@define(frozen=True, slots=True)
class Batch:
    """
    A batch. `model` is the generated model with the raw integers, `response` the raw answer.
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
        """As the service says it, known or not."""
        return str(self.model.status)

    @property
    def is_final(self) -> bool:
        """Whether it has ended; a status that no document names has not."""
        return self.status in FINAL

    @property
    def input_file_id(self) -> str:
        return self.model.input_file_id

    @property
    def output_file_id(self) -> str | None:
        """Where the answered lines are, a URL or a file id; None where there are none."""
        return self.model.output_file_id or None

    @property
    def error_file_id(self) -> str | None:
        """Where the failed lines are, a URL or a file id; None where there are none."""
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
        given = self.model.request_counts
        if not isinstance(given, models.RequestCounts):
            return Counts()
        numbers = (given.total, given.completed, given.failed)
        return Counts(*(0 if isinstance(number, Unset) else number for number in numbers))

    @property
    def metadata(self) -> dict[str, str]:
        """The caller's notes, with the token that this client added."""
        given = self.model.metadata
        return {} if given is None else {str(key): given[key] for key in given.additional_keys}

    @property
    def token(self) -> str | None:
        """What this client marked the creation with."""
        return self.metadata.get(TOKEN)

    @property
    def file_name(self) -> str | None:
        """The input file's name; known in lists only."""
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
        """Raises `BatchFailed`, `BatchExpired` or `BatchCancelled` where that is how it ended."""
        if self.status in ENDS:
            raise ENDS[self.status](self, self.id, self.status, self.errors)


@define(frozen=True, slots=True)
class File:
    """
    An uploaded file, whichever operation told of it. `line_count` is known in lists only.
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
        """One time, though the upload spells it `createdAt` and the list `created_at`."""
        return moment(self.model.created_at)

    @property
    def line_count(self) -> int | None:
        return self.model.line_count if isinstance(self.model, models.ListedFile) else None
