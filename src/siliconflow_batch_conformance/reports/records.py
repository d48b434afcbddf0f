"""
The records of a run in a report: plain data without keys, and with long texts shortened.

Rule 1: a body is stored as text if it is UTF-8, else as base64; its original length is stored too.
Rule 2: the judged exchanges of a failure's story and the latest ones keep their bodies.
"""

import base64
from collections.abc import Iterable, Sequence

from attrs import define, field

from ..checks.exchange import Exchange
from ..verdicts import Failure, Run, Verdict
from .redaction import redacted
from .texts import cut

BODY = 4096  # characters of a text body, or bytes of a binary one
TEXT = 8192  # characters of any other text
IN_FULL = 6  # exchanges of a story that keep their bodies
ROWS, ITEM = 50, 200  # rows of two lists, and characters of an item
STORY = 60  # exchanges of a story that are kept
FAILURES = 5  # failures of a verdict
ERRORS = 50  # errors of a run


@define(frozen=True)
class Body:
    """`length` is the original number of bytes; `encoding` is `text` or `base64`."""

    text: str = ""
    length: int = 0
    encoding: str = "text"
    shortened: bool = False


@define(frozen=True)
class ExchangeRecord:
    """An exchange; `judged` means that the check received it."""

    number: int
    method: str
    path: str
    status: int
    query: dict[str, str]
    sender: str
    authorization: str | None
    awaited: bool
    judged: bool
    at: float
    sent_type: str
    sent: Body
    headers: dict[str, str]
    body: Body


@define(frozen=True)
class FailureRecord:
    """
    A failure; `left_out` is the number of omitted exchanges before those in `story`.

    `rows` are an expected and an actual item each, where two lists differ.
    """

    case: str
    expected: str
    actual: str
    story: list[ExchangeRecord] = field(factory=list)
    left_out: int = 0
    rows: list[tuple[str | None, str | None]] = field(factory=list)


@define(frozen=True)
class VerdictRecord:
    """A verdict; `left_out` is the number of omitted failures."""

    requirement: str
    outcome: str
    reason: str = ""
    cases: int = 0
    failures: list[FailureRecord] = field(factory=list)
    left_out: int = 0


@define(frozen=True)
class RunRecord:
    target: str
    seed: int
    began: float
    seconds: float
    requests: int
    verdicts: dict[str, VerdictRecord]
    errors: list[str] = field(factory=list)


def record(run: Run | RunRecord, secrets: tuple[str, ...] = ()) -> RunRecord:
    """The record of a run; a `RunRecord` is returned without the secrets."""
    if isinstance(run, RunRecord):
        return redacted(run, secrets)
    errors = [cut(_text(error, secrets), TEXT) for error in run.errors[:ERRORS]]
    if more := len(run.errors) - ERRORS:
        errors += [f"… and {more} more"] if more > 0 else []
    unredacted = RunRecord(
        target=_text(run.target, secrets),
        seed=run.seed,
        began=run.began,
        seconds=run.seconds,
        requests=run.requests,
        verdicts={id: _verdict(verdict, secrets) for id, verdict in run.verdicts.items()},
        errors=errors,
    )
    return redacted(unredacted, secrets)


def records(runs: Iterable[Run | RunRecord], secrets: tuple[str, ...] = ()) -> list[RunRecord]:
    return [record(run, secrets) for run in runs]


def _verdict(verdict: Verdict, secrets: tuple[str, ...]) -> VerdictRecord:
    return VerdictRecord(
        requirement=verdict.requirement,
        outcome=verdict.outcome,
        reason=cut(_text(verdict.reason, secrets), TEXT),
        cases=verdict.cases,
        failures=[_failure(failure, secrets) for failure in verdict.failures[:FAILURES]],
        left_out=max(0, len(verdict.failures) - FAILURES),
    )


def _failure(failure: Failure, secrets: tuple[str, ...]) -> FailureRecord:
    judged = {exchange.number for exchange in _exchanges(failure.arguments)}
    story = failure.story or tuple(_exchanges(failure.arguments))
    full = _in_full(story, judged)
    return FailureRecord(
        case=failure.case,
        expected=cut(_text(failure.expected, secrets), TEXT),
        actual=cut(_text(failure.actual, secrets), TEXT),
        story=[
            _exchange(exchange, secrets, full=index in full, judged=exchange.number in judged)
            for index, exchange in enumerate(story)
            if index >= len(story) - STORY or index in full
        ],
        left_out=sum(index not in full for index in range(len(story) - STORY)),
        rows=[
            (_item(expected, secrets), _item(actual, secrets))
            for expected, actual in failure.rows[:ROWS]
        ],
    )


def _item(item: str | None, secrets: tuple[str, ...]) -> str | None:
    return None if item is None else cut(_text(item, secrets), ITEM)


def _in_full(story: Sequence[Exchange], judged: set[int]) -> set[int]:
    """The indices of the exchanges that keep their bodies: the judged ones, then the latest."""
    latest = sorted(range(len(story)), key=lambda index: (story[index].number in judged, index))
    return set(latest[-IN_FULL:])


def _exchanges(arguments: object) -> Iterable[Exchange]:
    if isinstance(arguments, Exchange):
        yield arguments
    elif isinstance(arguments, list | tuple):
        for argument in arguments:
            yield from _exchanges(argument)


def _exchange(
    exchange: Exchange, secrets: tuple[str, ...], *, full: bool, judged: bool
) -> ExchangeRecord:
    limit = BODY if full else 0
    return ExchangeRecord(
        number=exchange.number,
        method=exchange.method,
        path=_text(exchange.path, secrets),
        status=exchange.status,
        query={
            _text(name, secrets): _text(value, secrets) for name, value in exchange.query.items()
        },
        sender=exchange.sender,
        authorization=exchange.authorization,
        awaited=exchange.awaited,
        judged=judged,
        at=exchange.at,
        sent_type=exchange.request_type,
        sent=_body(exchange.request_body, limit, secrets),
        headers={
            name: cut(_text(exchange.headers[name], secrets), TEXT)
            for name in (sorted(exchange.headers) if full else ())
        },
        body=_body(exchange.body, limit, secrets),
    )


def _body(data: bytes, limit: int, secrets: tuple[str, ...]) -> Body:
    if not data or not limit:
        return Body(length=len(data), shortened=bool(data))
    clean = redacted(data, secrets)
    try:
        text = clean.decode()
    except UnicodeDecodeError:
        encoded = base64.b64encode(clean[:limit]).decode()
        return Body(encoded, len(data), "base64", len(clean) > limit)
    return Body(cut(text, limit), len(data), "text", len(text) > limit)


def _text(text: str, secrets: tuple[str, ...]) -> str:
    """The text without secrets and without lone surrogates, before it is cut."""
    return redacted(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), secrets)
