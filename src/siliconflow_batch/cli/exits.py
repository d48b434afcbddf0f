"""
The exit statuses of the command line.

Rule: `--help` and README show EXITS; no other module contains a number.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import (
    BatchNotCompleted,
    CreateOutcomeUnknown,
    FileNotWritten,
    InputError,
    InputFileInvalid,
    ResultsIncomplete,
    SiliconFlowError,
    StateUnusable,
    TransportError,
    WaitTimedOut,
)

EXITS = {
    0: "success",
    1: "an input file is invalid; nothing was sent",
    2: "usage error, missing key, or a file that cannot be read or written",
    3: "the service returned an error",
    4: "no response from the service",
    5: "a batch ended without being completed, or lines have no result",
    6: "a batch has not ended yet; it continues",
    7: "unknown whether a batch was created",
    130: "interrupted; batches continue",
}
(
    SUCCESS,
    INPUT_INVALID,
    USAGE,
    API_ERROR,
    NO_RESPONSE,
    NOT_COMPLETED,
    NOT_ENDED,
    UNKNOWN,
    INTERRUPTED,
) = EXITS
# What is done when everything is printed: the first step ends the command, the others tidy up.
LAST: list[Callable[[], None]] = []
WORST = "All files and batches are processed; the highest exit status is returned."


class UsageWrong(InputError):
    """The arguments are invalid."""


class NotEnded(SiliconFlowError):
    """A batch has not ended, and has no results yet."""

    def __init__(self, batch_id: str, status: str) -> None:
        super().__init__(batch_id, status)
        self.batch_id, self.status = batch_id, status

    def __str__(self) -> str:
        return f"Batch {self.batch_id!r} is {self.status} and has no results yet."


class TokenNotListed(SiliconFlowError):
    """No listed batch has the token."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token

    def __str__(self) -> str:
        return (
            f"No batch in the list has the token {self.token!r}.\n\n"
            "Lists can lag: look again in a few minutes before you submit the file again."
        )


class OutputClosed(SiliconFlowError):
    """The reader of standard output has gone, so that ids of batches could not be printed."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(ids)
        self.ids = list(ids)

    def __str__(self) -> str:
        return (
            f"Standard output was closed. These batches were created: {', '.join(self.ids)}.\n\n"
            "Any other file was not begun. Run the same command again to continue."
        )


class Interrupted(SiliconFlowError):
    """The command was interrupted; batches continue."""


KINDS: tuple[tuple[type[Exception], int], ...] = (  # the first match counts
    (InputFileInvalid, INPUT_INVALID),
    (InputError, USAGE),
    (OSError, USAGE),
    (StateUnusable, USAGE),
    (OutputClosed, USAGE),
    (FileNotWritten, USAGE),
    (TransportError, NO_RESPONSE),
    (BatchNotCompleted, NOT_COMPLETED),
    (ResultsIncomplete, NOT_COMPLETED),
    (WaitTimedOut, NOT_ENDED),
    (NotEnded, NOT_ENDED),
    (CreateOutcomeUnknown, UNKNOWN),
    (Interrupted, INTERRUPTED),
    (SiliconFlowError, API_ERROR),
)


def exit_status(error: Exception) -> int:
    """The exit status for an exception."""
    return next(status for kind, status in KINDS if isinstance(error, kind))


def table(*codes: Any) -> str:
    """The rows of EXITS with these codes, as text; all rows without arguments."""
    return "\n".join(f"  {code:>3}  {EXITS[code]}" for code in codes or EXITS)
