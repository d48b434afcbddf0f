"""
Limits on what a run may send to a service that may cost money, and how fast. They hold for every
service, on this machine as well, because a gateway here may stand in front of a paid service; only
the suite's own simulator, and a service that the user calls `--unmetered`, has none.

    request                         without --writes    with --writes
    GET                             sent                sent
    POST expected to be rejected    sent, within 65     sent, within 65
    POST                            never               sent, within 65; 5 batches of 1 or 2 lines
    anything else                   never               never

Rule 1: `acquire` precedes every request and `record` follows every response. A request that
`acquire` refuses is not sent, and its case is not judged.
Rule 2: a creation counts as a batch until the service rejects it. A creation without a response
counts, and so does an unexpected 200.
Rule 3: no file and no batch has more than two lines, even if the service should reject it.
Rule 4: five of the 70 writes are reserved for clean-up, through `acquire_for_cleanup`. Batches that
cannot be cancelled within the 70 are left to the next run, which has 70 writes of its own.
"""

import ipaddress
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from attrs import define, field

WRITES, BATCHES, LINES = 70, 5, 2
RATE, BURST = 2.0, 2  # requests a second, and how many may follow a pause without delay
PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds: after a 429 without Retry-After; after any response
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(base_url: str) -> bool:
    """Whether the service runs on this machine; False for an invalid URL."""
    try:
        host = urlsplit(base_url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class NotSent(Exception):
    """The budget does not permit a request; its case is not judged, for this reason."""


class NotAllowed(NotSent):
    """This run never sends requests of this kind."""


class BudgetSpent(NotSent):
    """The run has used up its requests of this kind."""


@define(kw_only=True)
class Budget:
    """
    The limits shared by all accounts of a run; no limits apply if it is `unmetered`. `clock` is
    monotonic, in seconds; `today` is Unix seconds, used to read dates in Retry-After.
    """

    unmetered: bool
    writes: bool = False
    rate: float = RATE
    clock: Callable[[], float] = time.monotonic
    today: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    written: int = field(default=0, init=False)
    batches: int = field(default=0, init=False)
    _creation_pending: bool = field(default=False, init=False)
    _next_turn: float = field(default=-math.inf, init=False)
    _resume_at: float = field(default=-math.inf, init=False)

    def acquire(
        self, method: str, path: str, *, lines: int | None = None, rejected: bool = False
    ) -> None:
        """
        Waits until the request may be sent; raises `NotSent` if it may not.

        `lines` is the line count of the uploaded file or of the batch's input file, 0 for a file
        that does not exist. `rejected` means that the service is certain to reject the request.
        """
        if self.unmetered:
            return
        if (pause := self._resume_at - self.clock()) > LONGEST_PAUSE:
            raise BudgetSpent(f"the service asked for a pause of {pause:.0f} s")
        self._creation_pending = False
        if method.upper() not in READING:
            self._count_write(method.upper(), urlsplit(path).path.rstrip("/"), lines, rejected)
        self.wait()

    def require_batch(self) -> None:
        """Raises `BudgetSpent` if the run may not create another batch."""
        if not self.unmetered and self.batches >= BATCHES:
            raise BudgetSpent(f"the run has created its {BATCHES} batches")

    def acquire_for_cleanup(self, method: str) -> None:
        """Like `acquire`, for the reads and cancels of a clean-up."""
        if not self.unmetered and method not in READING:
            if self.written >= WRITES:
                raise BudgetSpent(f"the run has sent its {WRITES} writes")
            self.written += 1
        self.wait()

    def wait(self) -> None:
        """Waits for the rate limit and for a requested pause, up to a minute."""
        if self.unmetered:
            return
        now = self.clock()
        self._next_turn = max(self._next_turn, now - (BURST - 1) / self.rate)
        if (pause := min(max(self._next_turn, self._resume_at) - now, LONGEST_PAUSE)) > 0:
            self.sleep(pause)
        self._next_turn += 1 / self.rate

    def record(self, status: int, headers: Mapping[str, str]) -> None:
        """Records the response to the last request; header names are lower case."""
        if self.unmetered:
            return
        if self._creation_pending and is_rejection(status):
            self.batches -= 1
        self._creation_pending = False
        delay = retry_after(headers.get("retry-after"), self.today())
        if status == 429 or (status == 503 and delay is not None):
            self._resume_at = self.clock() + (PAUSE if delay is None else delay)

    def _count_write(self, method: str, path: str, lines: int | None, rejected: bool) -> None:
        creation = path.rpartition("/")[2] == "batches"
        if method != "POST":
            raise NotAllowed(f"{method} is not documented, and its effect could not be undone")
        if not (self.writes or rejected):
            raise NotAllowed("writes need --writes, or --unmetered if they cost nothing")
        if creation and lines is None:
            raise NotAllowed("a creation needs the line count of its input file")
        if (lines or 0) > LINES or (creation and lines == 0 and not rejected):
            raise NotAllowed(f"a paid batch has 1 to {LINES} lines here, not {lines}")
        if self.written >= WRITES - BATCHES:
            raise BudgetSpent(f"the run has sent its {WRITES - BATCHES} writes")
        if creation:
            self.require_batch()
        self.written += 1
        self.batches += creation
        self._creation_pending = creation


def is_rejection(status: int) -> bool:
    """Whether the status shows that a write had no effect; 408 and 499 leave it open."""
    return 400 <= status < 500 and status not in (408, 499)


def retry_after(header: str | None, today: float) -> float | None:
    """The seconds of a Retry-After header, a number or a date; None if it is neither."""
    try:
        seconds = float(header or "nan")
    except ValueError:
        try:
            date = parsedate_to_datetime(str(header))
        except ValueError:
            return None
        # parsedate_to_datetime returns a naive datetime for zone -0000, which is UTC (RFC 5322).
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (aware - datetime.fromtimestamp(today, UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
