"""
What each outcome of a verdict means to a reader: one row for each word.

`known`, `stale`, `expired` and `flaky` come from the ledger of accepted deviations.
"""

from attrs import define

FAILURE, ERROR, OPEN, EXCUSED, GOOD = "failure", "error", "open", "excused", "good"


@define(frozen=True)
class Outcome:
    """`kind` is how it counts; `does` is the verb of `3 fail`; `meaning` goes on for a sentence."""

    word: str
    kind: str
    does: str
    meaning: str


# The worst first: the order of every summary.
OUTCOMES = {
    row.word: row
    for row in (
        Outcome("fails", FAILURE, "fail", "the service does something else"),
        Outcome("stale", FAILURE, "stale", "accepted as a deviation, and it holds now"),
        Outcome("expired", FAILURE, "expired", "accepted as a deviation until a date that is past"),
        Outcome("error", ERROR, "in error", "the rig failed, not the service"),
        Outcome("flaky", EXCUSED, "flaky", "accepted as a deviation that comes and goes"),
        Outcome("known", EXCUSED, "known", "accepted as a deviation"),
        Outcome("blocked", OPEN, "blocked", "not to be seen behind another failure"),
        Outcome("inconclusive", OPEN, "inconclusive", "the service did not get there in time"),
        Outcome("not judged", OPEN, "not judged", "nothing was sent that could tell"),
        Outcome("holds", GOOD, "hold", "the service does what the documents say"),
    )
}
TIERS = ("must", "should", "hygiene")


def outcome(word: str) -> Outcome:
    """The word's row; a word of another version is open, with no meaning known."""
    return OUTCOMES.get(word) or Outcome(word, OPEN, word, "an outcome of another version")


def rank(word: str) -> int:
    """The place in the order, the worst being 0."""
    words = list(OUTCOMES)
    return words.index(word) if word in OUTCOMES else len(words)


def tier_rank(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)
