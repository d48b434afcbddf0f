"""
A requirement is judged under the alternative that the service shows.

Rule 1: an alternative explains the failures of the requirements in its `not_judged`, and only if
every sighting of its question allows it: a service that contradicts itself is not excused.
Rule 2: a requirement in `judged_if_answered` of a question is not judged either if the exchanges
leave the question open and an alternative that remains possible explains the failure.
Rule 3: a requirement that holds keeps its verdict.
"""

from collections.abc import Mapping, Sequence

from attrs import evolve

from ..verdicts import FAILS, NOT_JUDGED, Verdict
from .assumptions import Alternative, load_assumptions
from .conclusions import NOT_SEEN, REFUTED, Conclusion, conclude
from .sightings import Exchanges


def without_explained(verdicts: Mapping[str, Verdict], exchanges: Exchanges) -> dict[str, Verdict]:
    """The verdicts, with each failure that an alternative explains as not judged."""
    reasons = explained(exchanges)
    return {
        id: _not_judged(verdict, reasons[id])
        if verdict.outcome == FAILS and id in reasons
        else verdict
        for id, verdict in verdicts.items()
    }


def explained(exchanges: Exchanges) -> dict[str, str]:
    """The requirements that the exchanges exempt from judgment, each with the reason."""
    reasons = {}
    for one in conclude(exchanges, load_assumptions()):
        if one.outcome not in (REFUTED, NOT_SEEN):
            continue
        possible = _possible(one)
        if one.outcome == REFUTED:
            names = " or ".join(alternative.name for alternative in possible)
            reason = f"it cannot be judged under {one.question.id}: {names}"
            ids = set(possible[0].not_judged).intersection(*(each.not_judged for each in possible))
        else:
            reason = f"it cannot be judged because no exchange answers {one.question.id}"
            ids = {id for each in possible for id in each.not_judged}
            ids &= {*one.question.judged_if_answered}
        reasons.update(dict.fromkeys(ids, reason))
    return reasons


def _possible(conclusion: Conclusion) -> Sequence[Alternative]:
    """The alternatives that the exchanges leave possible; all where they show none."""
    question = conclusion.question
    return [question.alternative(name) for name in conclusion.alternatives] or question.alternatives


def _not_judged(verdict: Verdict, reason: str) -> Verdict:
    return evolve(verdict, outcome=NOT_JUDGED, reason=reason, failures=[], excused=True)
