"""
Everything that can go wrong, as one tree.

    SiliconFlowError
    ├── APIError                  the server answered, and the answer is no
    │   ├── BadRequest            400: the request was not taken
    │   ├── KeyRefused            401: the key is missing or not valid
    │   ├── AccessDenied          403: the account may not
    │   ├── NotFound              404: no such object of this account, or no such path
    │   ├── RateLimited           429: too many requests; `retry_after` says how long to wait
    │   ├── ServiceUnavailable    500, 502, 503, 504: try again later
    │   ├── EnvelopedFailure      200, with a failure inside the envelope
    │   └── UnreadableAnswer      200, with something else than was asked for
    ├── TransportError            nobody answered, or not to the end
    │   └── DownloadTruncated     a file ended early; nothing was kept of it
    ├── CreateOutcomeUnknown      a batch may or may not exist; it was not created again
    ├── BatchNotCompleted         a batch ended, and not as completed
    │   ├── BatchFailed
    │   ├── BatchExpired
    │   └── BatchCancelled
    ├── WaitTimedOut              a batch did not end in the time given; it goes on
    ├── ResultLineInvalid         a line of a result file is no record
    └── InputError                refused before anything was sent
        ├── KeyMissing
        ├── ArgumentInvalid
        └── InputFileInvalid      an input file has faults; `faults` holds them

Rule: no key is in any message, repr or attribute here.
"""

from collections.abc import Sequence

from attrs import define

ADVICE = {
    400: "Mend the request; sending it again will not help.",
    401: "Check SILICONFLOW_API_KEY, and that it is a key of the site that you call (.cn or .com).",
    403: "Check the account: its balance, and its real-name check.",
    404: "Check the id: it must be of this account and of this site.",
    429: "Wait, and send fewer requests at a time.",
    500: "Try again later.",
    502: "Try again later.",
    503: "The service is overloaded; try again later.",
    504: "The service may have done what was asked; look before you ask again.",
}
SHOWN = 500


class SiliconFlowError(Exception):
    """The root: whatever this package raises on purpose is one of these."""


class APIError(SiliconFlowError):
    """
    The server answered, and the answer is no.

    `code` is the service's own, where it gave one; `message` its words; `body` the text as it came;
    `request_id` the id that it gave the request, for its support.
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
        code = f", code {self.code}" if self.code is not None else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        said = self.message if len(self.message) <= SHOWN else self.message[:SHOWN] + "…"
        advice = ADVICE.get(self.status, "")
        what = f"{self.operation}: " if self.operation else ""
        return f"{what}{self.status}{code}: {said or 'no words'}{request}\n\n{advice}".rstrip()


class BadRequest(APIError):
    """400: the request was not taken; nothing was changed."""


class KeyRefused(APIError):
    """401: the key is missing or not valid."""


class AccessDenied(APIError):
    """403: the account may not do this."""


class NotFound(APIError):
    """404: no such object of this account, or no such path."""


class RateLimited(APIError):
    """429: too many requests; `retry_after` is in seconds, where the server said so."""


class ServiceUnavailable(APIError):
    """500, 502, 503, 504: the service or a gateway before it could not answer."""


class EnvelopedFailure(APIError):
    """A failure inside an envelope that came with 200."""


class UnreadableAnswer(APIError):
    """The answer is not what the contract says: no JSON, or another shape."""


class TransportError(SiliconFlowError):
    """
    Nobody answered, or not to the end. The cause is the transport's own exception.

    `sent` is False where it is certain that the service received nothing.
    """

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class DownloadTruncated(TransportError):
    """A file ended before its length; what came of it was not kept."""

    def __init__(self, received: int) -> None:
        super().__init__(f"The download ended early, after {received} bytes.\n\nTry it again.")
        self.received = received


class CreateOutcomeUnknown(SiliconFlowError):
    """
    The answer to a creation was lost, and no batch with its token could be found.

    The batch may exist. `token` is in its metadata under `siliconflow_batch_token`.
    """

    def __init__(self, token: str, reason: str) -> None:
        super().__init__(token, reason)
        self.token, self.reason = token, reason

    def __str__(self) -> str:
        return (
            f"It is not known whether the batch was created: {self.reason}\n\n"
            f"Look later for a batch whose metadata has the token {self.token!r} "
            "(client.find(token)), and create it again only if there is none."
        )


class BatchNotCompleted(SiliconFlowError):
    """A batch ended otherwise than completed. `batch` is its last state."""

    def __init__(self, batch: object, batch_id: str, status: str, reasons: Sequence[str]) -> None:
        super().__init__(batch_id, status, reasons)
        self.batch, self.batch_id, self.status, self.reasons = batch, batch_id, status, reasons

    def __str__(self) -> str:
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return (
            f"Batch {self.batch_id!r} is {self.status}{why}.\n\n"
            "Lines that were answered are in its output file; results(batch) reads them."
        )


class BatchFailed(BatchNotCompleted):
    """The batch as a whole was refused."""


class BatchExpired(BatchNotCompleted):
    """The completion window closed on it."""


class BatchCancelled(BatchNotCompleted):
    """It was cancelled."""


class WaitTimedOut(SiliconFlowError):
    """A batch did not end in the time given. It goes on."""

    def __init__(self, batch_id: str, seconds: float, status: str) -> None:
        super().__init__(batch_id, seconds, status)
        self.batch_id, self.seconds, self.status = batch_id, seconds, status

    def __str__(self) -> str:
        return (
            f"Batch {self.batch_id!r} is {self.status} after {self.seconds:g} s of waiting.\n\n"
            f"It goes on; wait({self.batch_id!r}) takes it up again, in any process."
        )


class InputError(SiliconFlowError):
    """Refused before anything was sent."""


class KeyMissing(InputError):
    """There is no API key that could be sent."""

    def __str__(self) -> str:
        return (
            "There is no usable API key.\n\nSet SILICONFLOW_API_KEY, or pass key=…; "
            "keys are made at https://cloud.siliconflow.cn/account/ak."
        )


class ArgumentInvalid(InputError):
    """An argument that the service would refuse, or that is not safe to send."""


@define(frozen=True)
class LineFault:
    """One thing that is wrong in an input file; `line` counts from 1, 0 is the file as a whole."""

    file: str
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.field + ': ' if self.field else ''}{self.reason}"


class InputFileInvalid(InputError):
    """An input file has faults. Nothing was uploaded."""

    def __init__(self, faults: Sequence[LineFault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults)) + "\n\nNothing was uploaded."


class ResultLineInvalid(SiliconFlowError):
    """A line of a result file that is no record; `line` counts from 1."""

    def __init__(self, line: int, reason: str, raw: bytes) -> None:
        super().__init__(line, reason, raw)
        self.line, self.reason, self.raw = line, reason, raw

    def __str__(self) -> str:
        return f"result file, line {self.line}: {self.reason}: {self.raw[:200]!r}"
