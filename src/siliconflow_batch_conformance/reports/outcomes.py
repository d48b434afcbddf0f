"""
The outcomes of a verdict, as reports explain them.

`known`, `stale`, `expired` and `flaky` come from the ledger of known deviations.
"""

from attrs import define

FAILURE, ERROR, OPEN, EXCUSED, GOOD = "failure", "error", "open", "excused", "good"


@define(frozen=True)
class Outcome:
    """`kind` is how it counts; `does` follows a number, as in `3 fail`; `meaning` explains it."""

    name: str
    kind: str
    does: str
    meaning: str


# The worst first: the order of every summary.
OUTCOMES = {
    row.name: row
    for row in (
        Outcome("fails", FAILURE, "fail", "the service does not do what the documents say"),
        Outcome("stale", FAILURE, "stale", "a known deviation, but the requirement holds now"),
        Outcome("expired", FAILURE, "expired", "a known deviation whose expiry date has passed"),
        Outcome("error", ERROR, "in error", "the suite failed, not the service"),
        Outcome("flaky", EXCUSED, "flaky", "a known deviation that occurs only sometimes"),
        Outcome("known", EXCUSED, "known", "a known deviation"),
        Outcome("blocked", OPEN, "blocked", "cannot be judged because of another failure"),
        Outcome("inconclusive", OPEN, "inconclusive", "the service took too long"),
        Outcome("not judged", OPEN, "not judged", "no request was sent that could show it"),
        Outcome("holds", GOOD, "hold", "the service does what the documents say"),
    )
}
TIERS = ("must", "should", "hygiene")


def outcome(name: str) -> Outcome:
    """The outcome of this name; an unknown name counts as open."""
    return OUTCOMES.get(name) or Outcome(name, OPEN, name, "an outcome of another version")


def rank(name: str) -> int:
    """The position in OUTCOMES, 0 for the worst."""
    names = list(OUTCOMES)
    return names.index(name) if name in OUTCOMES else len(names)


def tier_rank(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)
