"""
The verdicts of a run: an outcome for each requirement, with its failures.
"""

from collections.abc import Iterable
from typing import Any

from attrs import define, field

from .checks import Check
from .checks.exchange import Exchange, without_keys
from .checks.listed import Differ, Row, side_by_side

HOLDS, FAILS, BLOCKED, INCONCLUSIVE, NOT_JUDGED, BROKEN = (
    "holds",
    "fails",
    "blocked",  # it failed or could not be judged because of another failure
    "inconclusive",  # the service took longer than the patience of the run
    "not judged",  # the run sent no request that could show it
    "error",  # the suite or the connection failed, not the service
)


@define(frozen=True)
class Failure:
    """
    One case in which a requirement did not hold.

    `check` with `arguments` (exchanges, lists of them, and JSON values) returned `actual`; `story`
    are the exchanges that led to it, in their order. If two lists differ, `rows` has an expected
    and an actual item in each row; None where one is missing.
    """

    case: str
    expected: str
    actual: str
    check: Check | None = None
    arguments: tuple[Any, ...] = ()
    story: tuple[Exchange, ...] = ()
    rows: tuple[Row, ...] = ()


def rows_of(actual: str, secrets: Iterable[str] = ()) -> tuple[Row, ...]:
    """The rows of two lists that differ, without keys; none for any other result of a check."""
    if not isinstance(actual, Differ):
        return ()
    lists = (
        [without_keys(item, secrets) for item in one] for one in (actual.expected, actual.actual)
    )
    return tuple(side_by_side(*lists))


@define
class Verdict:
    """
    `outcome` is one of the constants above; `reason` explains an outcome without failures. A failed
    failed requirement that is blocked names the failures that are its `causes`. `excused` says that
    nothing is open: a run of this kind cannot judge the requirement, or the service's answer to an
    open question exempts it.
    """

    requirement: str
    outcome: str
    failures: list[Failure] = field(factory=list)
    reason: str = ""
    cases: int = 0
    causes: tuple[str, ...] = ()
    excused: bool = False


@define
class Run:
    """The verdicts of one run on one target; `seed` and `began` (Unix seconds) identify the run."""

    target: str
    seed: int
    began: float
    seconds: float
    requests: int
    verdicts: dict[str, Verdict]
    errors: list[str] = field(factory=list)


def failed(verdicts: Iterable[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.outcome == FAILS]
