"""
What a run says of each requirement, and what that means for its exit status.
"""

from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, field

from .checks.exchange import Exchange

HOLDS, FAILS, BLOCKED, INCONCLUSIVE, NOT_JUDGED, BROKEN = (
    "holds",
    "fails",
    "blocked",  # it failed, or could not be looked at, behind another failure
    "inconclusive",  # the service did not get there in the time given
    "not judged",  # nothing was sent that could tell
    "error",  # the rig, not the service
)


@define(frozen=True)
class Failure:
    """
    What one case says against a requirement.

    `check` with `arguments` (exchanges, lists of them, and JSON values) says `actual`, or None
    where all is well; `story` are the exchanges that led there, in their order.
    """

    case: str
    expected: str
    actual: str
    check: Callable[..., str | None] | None = None
    arguments: tuple[Any, ...] = ()
    story: tuple[Exchange, ...] = ()


@define
class Verdict:
    """
    `outcome` is one of the words above; `reason` explains one without failures. One that failed and
    is blocked says which failures it stands `behind`.
    """

    requirement: str
    outcome: str
    failures: list[Failure] = field(factory=list)
    reason: str = ""
    cases: int = 0
    behind: tuple[str, ...] = ()


@define
class Run:
    """What one run found on one target; `seed` and `began` (Unix seconds) say which run."""

    target: str
    seed: int
    began: float
    seconds: float
    requests: int
    verdicts: dict[str, Verdict]
    errors: list[str] = field(factory=list)


def failed(verdicts: Iterable[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.outcome == FAILS]
