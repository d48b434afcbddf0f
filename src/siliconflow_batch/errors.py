"""
The exceptions of this package, as one tree.

    SiliconFlowError
    ├── APIError                  the service responded with an error
    │   ├── BadRequest            400: the request is invalid; nothing was changed
    │   ├── KeyRefused            401: the API key is missing or invalid
    │   ├── AccessDenied          403: the account is not allowed to do this
    │   ├── NotFound              404: the account has no such object, or the path is wrong
    │   ├── RateLimited           429: too many requests; `retry_after` is in seconds
    │   ├── ServiceUnavailable    5xx: the service or a gateway failed; try again later
    │   ├── EnvelopedFailure      200, but the body reports a failure
    │   └── UnreadableAnswer      200, but the body is not what the contract declares
    ├── TransportError            no response, or only a part of one
    │   └── DownloadTruncated     a download ended early; nothing was written
    ├── CreateOutcomeUnknown      a batch may exist, and was not found
    ├── ListIncomplete            the service shows only a part of the list of batches
    ├── BatchNotCompleted         a batch is final, but not completed
    │   ├── BatchFailed           the service rejected the batch as a whole
    │   ├── BatchExpired          the completion window ended first
    │   └── BatchCancelled        the batch was cancelled
    ├── WaitTimedOut              a batch was not final in time; it continues to run
    ├── ResultLineInvalid         a line of a result file has no readable record
    ├── StateUnusable             a file in the state folder cannot be written
    └── InputError                refused before anything was sent
        ├── KeyMissing            there is no usable API key
        ├── ArgumentInvalid       an argument is invalid
        └── InputFileInvalid      an input file is invalid; `faults` lists why

Rule 1: no message, repr or attribute contains the key.
Rule 2: the text is what happened and where, an empty line, and what to do next.
Rule 3: every exception can be pickled and copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from .objects import Batch

ADVICE = {
    400: "Fix the request; sending it again will not help.",
    401: "Check SILICONFLOW_API_KEY, and that the key is for the site you call (.cn or .com).",
    403: "Check the account: its balance, and its real-name verification.",
    404: "Check the id: it must belong to this account and this site.",
    429: "Wait, and send fewer requests at a time.",
    **dict.fromkeys((500, 502), "Try again later."),
    503: "The service is overloaded; try again later.",
    504: "The service may have done the work; check before you send the request again.",
}
MESSAGE_LIMIT = 500  # characters of the service's message in the text of an exception


class SiliconFlowError(Exception):
    """The base class of every exception that this package raises."""


class APIError(SiliconFlowError):
    """
    The service responded with an error.

    `code` and `message` are the service's own, `body` is the body as text, and `request_id` the id
    of the request for the service's support. Each is empty or None if the response has none.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: int | None = None,
        body: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        operation: str = "",
    ) -> None:
        super().__init__(status, message)
        self.status, self.message, self.code, self.body = status, message, code, body
        self.request_id, self.retry_after = request_id, retry_after
        self.operation = operation

    def __str__(self) -> str:
        operation = f"{self.operation}: " if self.operation else ""
        code = f", code {self.code}" if self.code is not None else ""
        message = self.message or "no message"
        if len(message) > MESSAGE_LIMIT:
            message = message[:MESSAGE_LIMIT] + "…"
        request = f" (request {self.request_id})" if self.request_id else ""
        advice = ADVICE.get(self.status, "")
        return f"{operation}{self.status}{code}: {message}{request}\n\n{advice}".rstrip()


class BadRequest(APIError):
    """400: the request is invalid; nothing was changed."""


class KeyRefused(APIError):
    """401: the API key is missing or invalid."""


class AccessDenied(APIError):
    """403: the account is not allowed to do this."""


class NotFound(APIError):
    """404: the account has no such object, or the path is wrong."""


class RateLimited(APIError):
    """429: too many requests; `retry_after` is in seconds, or None if the service gave no time."""


class ServiceUnavailable(APIError):
    """5xx: the service, or a gateway in front of it, failed."""


class EnvelopedFailure(APIError):
    """The status is 200, but the body reports a failure."""


class UnreadableAnswer(APIError):
    """The status is 200, but the body is not JSON, or not what the contract declares."""


class TransportError(SiliconFlowError):
    """
    There is no response, or only a part of one. The cause is the exception of the HTTP client.

    `sent` is False if it is certain that the service received nothing.
    """

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class DownloadTruncated(TransportError):
    """A download ended before the file did; nothing was written. `received` is in bytes."""

    def __init__(self, received: int) -> None:
        super().__init__("download truncated")
        self.args, self.received = (received,), received

    def __str__(self) -> str:
        return f"The download ended early, after {self.received} bytes.\n\nDownload the file again."


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
    """The service shows only a part of the list of batches."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The list may have more batches: {self.reason}."


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


class InputError(SiliconFlowError):
    """Refused before anything was sent."""


class KeyMissing(InputError):
    """There is no usable API key."""

    def __str__(self) -> str:
        return (
            "There is no usable API key.\n\nSet SILICONFLOW_API_KEY, or pass key=…; "
            "create a key at https://cloud.siliconflow.cn/account/ak."
        )


class ArgumentInvalid(InputError):
    """An argument is one that the service would refuse, or that is not safe to send."""


@define(frozen=True)
class LineFault:
    """A fault of an input file. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.field + ': ' if self.field else ''}{self.reason}"


class InputFileInvalid(InputError):
    """An input file is invalid. Nothing was uploaded."""

    def __init__(self, faults: Sequence[LineFault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults)) + "\n\nNothing was uploaded."


class ResultLineInvalid(SiliconFlowError):
    """A line of a result file has no readable record. `line` counts from 1."""

    def __init__(self, line: int, reason: str, raw: bytes) -> None:
        super().__init__(line, reason, raw)
        self.line, self.reason, self.raw = line, reason, raw

    def __str__(self) -> str:
        return f"result file, line {self.line}: {self.reason}: {self.raw[:200]!r}"


class StateUnusable(SiliconFlowError):
    """A file in the state folder cannot be written. What would be sent next must not be sent."""

    def __init__(self, path: Path | str, reason: object) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"Cannot write {self.path}: {self.reason}\n\n"
            "Every batch is recorded there before it is created. "
            "Set SILICONFLOW_STATE to a folder that can be written."
        )
