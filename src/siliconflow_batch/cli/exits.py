"""
How a command ends: one table of exit codes, and which situation ends in which.

Rule: `--help` and README show EXITS; no other place knows a number.
"""

from collections.abc import Sequence
from typing import Any

from ..errors import (
    BatchNotCompleted,
    CreateOutcomeUnknown,
    InputError,
    InputFileInvalid,
    SiliconFlowError,
    TransportError,
    WaitTimedOut,
)

EXITS = {
    0: "done",
    1: "an input file has faults; nothing was sent",
    2: "the call is wrong: usage, no key, a file that cannot be read or written",
    3: "the service said no",
    4: "nobody answered",
    5: "a batch ended otherwise than completed, or lines have no answer",
    6: "a batch has not ended yet; it goes on",
    7: "it is not known whether a batch was created",
    130: "interrupted; batches go on",
}
(
    DONE,
    FAULTS,
    CALL_WRONG,
    REFUSED,
    UNANSWERED,
    NOT_COMPLETED,
    NOT_ENDED,
    UNKNOWN,
    INTERRUPTED,
) = EXITS
WORST = "Of several files or batches each is seen to, and the worst (the highest) counts."


class UsageWrong(InputError):
    """The arguments do not make a call."""


class NotEnded(SiliconFlowError):
    """A batch has no results yet; it goes on."""

    def __init__(self, batch_id: str, status: str) -> None:
        super().__init__(batch_id, status)
        self.batch_id, self.status = batch_id, status

    def __str__(self) -> str:
        return f"Batch {self.batch_id!r} is {self.status} and has no results yet."


class ResultsIncomplete(SiliconFlowError):
    """What there was of a batch's results was written, and not every line has an answer."""

    def __init__(
        self,
        batch_id: str,
        status: str,
        reasons: Sequence[str],
        *,
        answered: int,
        failed: int,
        missing: int,
    ) -> None:
        super().__init__(batch_id, status, reasons, answered, failed, missing)
        self.batch_id, self.status, self.reasons = batch_id, status, reasons
        self.answered, self.failed, self.missing = answered, failed, missing

    def __str__(self) -> str:
        why = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        ended = "" if self.status == "completed" else f", {self.status}{why}"
        missing = f", {self.missing} in no result file" if self.missing else ""
        return f"{self.batch_id}: {self.answered} answered, {self.failed} failed{missing}{ended}"


class TokenNotListed(SiliconFlowError):
    """No batch in the list has the token."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token

    def __str__(self) -> str:
        return (
            f"No batch in the list has the token {self.token!r}.\n\n"
            "A list can lag behind: look again in some minutes before you submit again."
        )


class Interrupted(SiliconFlowError):
    """Told to stop; what the service has begun goes on."""


KINDS: tuple[tuple[type[Exception], int], ...] = (  # the first that fits
    (InputFileInvalid, FAULTS),
    (InputError, CALL_WRONG),
    (OSError, CALL_WRONG),
    (TransportError, UNANSWERED),
    (BatchNotCompleted, NOT_COMPLETED),
    (ResultsIncomplete, NOT_COMPLETED),
    (WaitTimedOut, NOT_ENDED),
    (NotEnded, NOT_ENDED),
    (CreateOutcomeUnknown, UNKNOWN),
    (Interrupted, INTERRUPTED),
    (SiliconFlowError, REFUSED),
)


def code(error: Exception) -> int:
    return next(code for kind, code in KINDS if isinstance(error, kind))


def table(*codes: Any) -> str:
    """Rows of EXITS for a help text; all of them when none is named."""
    return "\n".join(f"  {code:>3}  {EXITS[code]}" for code in codes or EXITS)
