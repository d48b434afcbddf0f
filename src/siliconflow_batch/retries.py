"""
How often the client repeats a request, and how long a call can take at most.

`Retries` limits one request. `Patience` limits the search for a batch whose creation had no clear
response; each page of that search is a request with its own retries, so the two multiply.

A is the time of one attempt. httpx limits each wait for the network, not the attempt as a whole:
with the default timeouts, a service that accepts the connection and stays silent makes A = 60 s.

    one request   R = min(attempts * A + pauses, 2 * A + seconds + longest pause)
                  a pause lasts at most `longest` s, or what `Retry-After` says, up to `seconds` s
    retrieve, cancel, files, upload, and each page of batches and find
                  R
    create        creations * (R + search), where
                  search = seconds + (looks + 1) * requests * R, and
                  requests = pages + 2, and up to 20 in the first look
    wait          timeout + R; without `timeout`, until the batch ends, or 3600 s + 1.2 * longest
                  + R after the last response
    download      attempts * R for each 256 KiB, while it makes progress; so does each result file,
                  after seconds + (looks + 1) * R if a completed batch does not name its files

docs/api.md has the numbers for the defaults.
"""

from typing import Any

from attrs import define

from .errors import (
    ArgumentInvalid,
    CertificateRefused,
    RateLimited,
    ServiceUnavailable,
    TransportError,
)
from .parameters import checked_seconds

FIRST_LOOK = 1 / 30  # of the patience; a list that does not lag shows the batch then


@define(frozen=True)
class Retries:
    """
    The limits of one request.

    It is sent at most `attempts` times, and not again once `seconds` have passed since the first
    attempt ended. The pauses between attempts double from `first` to `longest` seconds, plus a
    random part of up to `first`. A `Retry-After` header replaces the pause; if it exceeds
    `seconds`, the error is raised at once.
    """

    attempts: int = 6
    seconds: float = 120.0
    first: float = 0.5
    longest: float = 20.0

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.attempts, int) or self.attempts < 1:
            raise ArgumentInvalid(f"`attempts` must be at least 1, not {self.attempts!r}.")
        for name in ("seconds", "first", "longest"):
            checked_seconds(name, getattr(self, name))

    def arguments(self) -> dict[str, Any]:
        """The arguments of `stamina.retry_context`."""
        return {
            "attempts": self.attempts,
            "timeout": self.seconds,
            "wait_initial": self.first,
            "wait_max": self.longest,
            "wait_jitter": self.first,
        }

    def again(self, error: Exception, repeatable: bool = True) -> bool | float:
        """
        Whether to send a request again, or the seconds to wait before it is sent again.

        `repeatable` is that of a `Call`.
        """
        if isinstance(error, CertificateRefused):
            return False
        if isinstance(error, TransportError) and not error.sent:
            return True
        if isinstance(error, TransportError):
            return repeatable
        if isinstance(error, RateLimited | ServiceUnavailable):
            return repeatable and self._pause(error)
        return False

    def _pause(self, error: RateLimited | ServiceUnavailable) -> bool | float:
        pause = error.retry_after
        return True if pause is None else pause <= self.seconds and max(pause, 0.001)


@define(frozen=True)
class Patience:
    """
    The limits of the search for a batch whose creation had no clear response, and for the result
    files that a completed batch does not name.

    The client reads the list of batches `looks` times within `seconds`, ever less often, because a
    list can lag behind; the last look comes at the end, and is made twice. If the list then shows
    that there is no batch, the creation is repeated, up to `creations` in all; with 1 it is never
    repeated. An empty list shows this only if `new_account` is true.

    Raises `ArgumentInvalid` for limits that would skip the search.
    """

    seconds: float = 60.0
    looks: int = 5
    creations: int = 3
    new_account: bool = False

    def __attrs_post_init__(self) -> None:
        # Without a look, the batch would count as absent and be paid for twice.
        for name in ("looks", "creations"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ArgumentInvalid(f"`{name}` must be at least 1, not {getattr(self, name)!r}.")
        checked_seconds("seconds", self.seconds)

    def pauses(self) -> list[float]:
        """
        The seconds to pause before each look.

        With the defaults, the looks come after 2, 5, 11, 26, 60 and 60 seconds.
        """
        steps = range(self.looks - 1, -1, -1)
        shares = [FIRST_LOOK ** (step / max(self.looks - 1, 1)) for step in steps]
        moments = [share * self.seconds for share in shares]
        moments = [*(moment for moment in moments[:-1] if moment > 0), *2 * moments[-1:]]
        return [moment - before for before, moment in zip([0.0, *moments], moments, strict=False)]
