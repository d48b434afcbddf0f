"""
A requirement is judged under the alternative that the service shows.

Rule 1: an alternative explains the failures of the requirements in its `not_judged`, and only if
every sighting of its question allows it: a service that contradicts itself is not excused.
Rule 2: a requirement that holds keeps its verdict.
"""

from collections.abc import Mapping

from attrs import evolve

from ..verdicts import FAILS, NOT_JUDGED, Verdict
from .assumptions import load_assumptions
from .conclusions import REFUTED, conclude
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
        if one.outcome == REFUTED:
            shown = [one.question.alternative(name) for name in one.alternatives]
            names = f"{one.question.id}: {' or '.join(one.alternatives)}"
            for id in shown[0].not_judged:
                if all(id in alternative.not_judged for alternative in shown):
                    reasons[id] = f"it cannot be judged under {names}"
    return reasons


def _not_judged(verdict: Verdict, reason: str) -> Verdict:
    return evolve(verdict, outcome=NOT_JUDGED, reason=reason, failures=[])
