"""Exceptions about batches, lists and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base_error import SiliconFlowError

if TYPE_CHECKING:
    from ..objects import Batch
    from ..result_files.summary import Summary


class CreateOutcomeUnknown(SiliconFlowError):
    """
    A creation has no clear response, and the list does not show what became of it.

    The batch may exist. Its metadata has `token` under the key `siliconflow_batch_token`.
    `input_file_id` is its file, if uploaded for it alone; `possible` are ids that may be its own.
    """

    def __init__(
        self,
        token: str,
        reason: str,
        input_file_id: str | None = None,
        possible: Sequence[str] = (),
    ) -> None:
        super().__init__(token, reason, input_file_id, possible)
        self.token, self.reason = token, reason
        self.input_file_id, self.possible = input_file_id, tuple(possible)

    def __str__(self) -> str:
        arguments = [self.token, *([self.input_file_id] if self.input_file_id else [])]
        return (
            f"It is unknown whether the batch was created: {self.reason}\n\n"
            f"Call client.find({', '.join(map(repr, arguments))}) in some minutes, and create the "
            "batch again only if that returns None: then the list shows that there is none."
        )


class ListIncomplete(SiliconFlowError):
    """The service shows only a part of a list, or may do so."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The list may have more items: {self.reason}."


class BatchNotCompleted(SiliconFlowError):
    """A batch is final, but not completed. `batch` is its last state."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch)
        self.batch, self.batch_id, self.status = batch, batch.id, batch.status
        self.reasons = batch.errors

    def __str__(self) -> str:
        reasons = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return (
            f"Batch {self.batch_id!r} is {self.status}{reasons}.\n\n"
            "results(batch) reads the lines that were processed before that."
        )


class BatchFailed(BatchNotCompleted):
    """The service rejected the batch as a whole."""


class BatchExpired(BatchNotCompleted):
    """The completion window ended before the batch was completed."""


class BatchCancelled(BatchNotCompleted):
    """The batch was cancelled."""


class WaitTimedOut(SiliconFlowError):
    """A batch was not final in time. It continues to run."""

    def __init__(self, batch_id: str, seconds: float, status: str) -> None:
        super().__init__(batch_id, seconds, status)
        self.batch_id, self.seconds, self.status = batch_id, seconds, status

    def __str__(self) -> str:
        return (
            f"Batch {self.batch_id!r} is still {self.status} after {self.seconds:g} s.\n\n"
            f"It continues to run; call wait({self.batch_id!r}) again, in any process."
        )


class ResultsIncomplete(SiliconFlowError):
    """
    The results of a batch were read, but they are not what its input asks for.

    `summary` says what is missing, repeated, unknown or cannot be read; `batch` is its last state.
    """

    def __init__(self, batch: Batch, summary: Summary) -> None:
        super().__init__(batch, summary)
        self.batch, self.batch_id, self.status, self.summary = (
            batch,
            batch.id,
            batch.status,
            summary,
        )

    def __str__(self) -> str:
        problems = self.summary.problems(self.batch)
        reasons = [self.status, *self.batch.errors] if self.status != "completed" else []
        more = "; ".join([*problems, *([": ".join(reasons)] if reasons else [])])
        return (
            f"{self.batch_id}: {self.summary}{'; ' if more else ''}{more}\n\n"
            "failed_lines(batch, source) yields the lines without an answer, to submit them again."
        )
