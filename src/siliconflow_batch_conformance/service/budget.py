"""
What a run may do to a service that is not on this machine, and how fast.

    request                         without --writes    with --writes
    GET                             sent                sent
    POST that is to be refused      sent, within 55     sent, within 55
    POST                            never               sent, within 55; 5 batches of 1 or 2 lines
    anything else                   never               never

Rule 1: `ask` comes before every request, `heard` behind every answer; what `ask` refuses is not
sent, and its case is not judged.
Rule 2: a creation counts as a batch until the service has refused it: an answer that was lost
counts, and so does a 200 where a refusal was certain.
Rule 3: no file and no batch has more than two lines, to be refused or not.
Rule 4: of 60 writes five are kept for whoever cleans up; `clean` is for them. What is not cancelled
within the 60 is left to the next run, which has 60 of its own.
"""

import ipaddress
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from attrs import define, field

WRITES, BATCHES, LINES = 60, 5, 2
RATE, BURST = 2.0, 2  # requests a second, and how many of them at once after a rest
PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds after a 429 that names none, and after any other
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(base_url: str) -> bool:
    """Whether a service is on this machine; what is no URL is on none."""
    try:
        host = urlsplit(base_url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class NotSent(Exception):
    """A request that the budget keeps back; the case is not judged, for this reason."""


class NotAllowed(NotSent):
    """Nothing of this kind is sent in this run."""


class BudgetSpent(NotSent):
    """There was some, and it is used up."""


@define(kw_only=True)
class Budget:
    """
    One for all accounts of a run; `loopback` has no limits. `clock` counts seconds from anywhere,
    `today` is Unix seconds, for dates in Retry-After.
    """

    loopback: bool
    writes: bool = False
    rate: float = RATE
    clock: Callable[[], float] = time.monotonic
    today: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    written: int = field(default=0, init=False)
    batches: int = field(default=0, init=False)
    _in_doubt: bool = field(default=False, init=False)
    _turn: float = field(default=-math.inf, init=False)
    _resume: float = field(default=-math.inf, init=False)

    def ask(
        self, method: str, path: str, *, lines: int | None = None, rejected: bool = False
    ) -> None:
        """
        Waits until the request may be sent; raises `NotSent` where it may not.

        `lines` are those of the file that is uploaded or that a batch is created from, 0 for a file
        that does not exist; `rejected` says that the service is certain to refuse.
        """
        if self.loopback:
            return
        if (pause := self._resume - self.clock()) > LONGEST_PAUSE:
            raise BudgetSpent(f"the service asked not to be called for another {pause:.0f} s")
        self._in_doubt = False
        if method.upper() not in READING:
            self._write(method.upper(), urlsplit(path).path.rstrip("/"), lines, rejected)
        self.wait()

    def spare(self) -> None:
        """Raises `BudgetSpent` where there is no batch left."""
        if not self.loopback and self.batches >= BATCHES:
            raise BudgetSpent(f"the {BATCHES} batches of a run are used up")

    def clean(self, method: str) -> None:
        """As `ask`, for a clean-up: it reads, and cancels what was created."""
        if not self.loopback and method not in READING:
            if self.written >= WRITES:
                raise BudgetSpent(f"the {WRITES} writes of a run are used up")
            self.written += 1
        self.wait()

    def wait(self) -> None:
        """Waits for the rate and for what the service asked, a minute at most."""
        if self.loopback:
            return
        now = self.clock()
        self._turn = max(self._turn, now - (BURST - 1) / self.rate)
        if (pause := min(max(self._turn, self._resume) - now, LONGEST_PAUSE)) > 0:
            self.sleep(pause)
        self._turn += 1 / self.rate

    def heard(self, status: int, headers: Mapping[str, str]) -> None:
        """Takes the answer to what was asked last; header names are in lower case."""
        if self.loopback:
            return
        if self._in_doubt and refused(status):
            self.batches -= 1
        self._in_doubt = False
        told = retry_after(headers.get("retry-after"), self.today())
        if status == 429 or (status == 503 and told is not None):
            self._resume = self.clock() + (PAUSE if told is None else told)

    def _write(self, method: str, path: str, lines: int | None, rejected: bool) -> None:
        """Counts a write, unless it raises."""
        creation = path.rpartition("/")[2] == "batches"
        if method != "POST":
            raise NotAllowed(f"no document names {method}; what it does could not be undone")
        if not (self.writes or rejected):
            raise NotAllowed("writes to a service that is not on this machine need --writes")
        if creation and lines is None:
            raise NotAllowed("a creation must say of how many lines it is")
        if (lines or 0) > LINES or (creation and lines == 0 and not rejected):
            raise NotAllowed(f"a paid batch has 1 to {LINES} lines here, not {lines}")
        if self.written >= WRITES - BATCHES:
            raise BudgetSpent(f"the {WRITES - BATCHES} writes of a run are used up")
        if creation:
            self.spare()
        self.written += 1
        self.batches += creation
        self._in_doubt = creation


def refused(status: int) -> bool:
    """Whether an answer to a write says that nothing came of it; 408 and 499 do not."""
    return 400 <= status < 500 and status not in (408, 499)


def retry_after(header: str | None, today: float) -> float | None:
    """Seconds, from a number or a date; None where it says neither."""
    try:
        seconds = float(header or "nan")
    except ValueError:
        try:
            date = parsedate_to_datetime(str(header))
        except ValueError:
            return None
        # A date in -0000 comes without a zone, and is meant in UTC (RFC 5322).
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (aware - datetime.fromtimestamp(today, UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


@define(frozen=True)
class Price:
    """Yuan for a million tokens in a batch; a model that `thinks` may add THINKING to an answer."""

    input: Decimal
    output: Decimal
    thinks: bool = False


# The batch guide, half of the real-time prices; thinking_budget is 128 to 32768 there.
THINKING = 32_768
PROMPT = 64  # tokens of one of the suite's prompts, with what the model's template adds
PRICES = {
    "deepseek-ai/DeepSeek-R1": Price(Decimal(2), Decimal(8), thinks=True),
    "deepseek-ai/DeepSeek-V3": Price(Decimal(1), Decimal(4)),
    "Qwen/QwQ-32B": Price(Decimal("0.5"), Decimal(2), thinks=True),
    "deepseek-ai/DeepSeek-V3.1-Terminus": Price(Decimal(2), Decimal(6), thinks=True),
    "moonshotai/Kimi-K2-Instruct-0905": Price(Decimal(2), Decimal(8)),
}


def price(lines: int, max_tokens: int, model: str) -> str:
    """What `lines` lines cost at most, to be said before a run that writes."""
    if (row := PRICES.get(model)) is None:
        return f"{lines} lines of {model}: the price of this model is not known"
    answer = max_tokens + (THINKING if row.thinks else 0)
    yuan = lines * (PROMPT * row.input + answer * row.output) / 1_000_000
    shown = yuan.quantize(Decimal("0.01"), ROUND_UP)
    return (
        f"{lines} lines of {model}: at most {shown} yuan, by the batch guide's prices "
        f"({row.input}/{row.output} yuan for a million tokens of input/output)"
    )
