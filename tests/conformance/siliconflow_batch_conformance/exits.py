"""
What a judged run means for the exit status.

    1    a `must` fails; or any requirement is STALE or EXPIRED; with --strict, `should` and
         `hygiene` fail as `must` does
    2    else: the rig broke, the run was interrupted, or nothing was judged
    0    else

Rule 1: what is certain comes first: a failure that was seen is no less one for a rig that broke
later.
Rule 2: STALE and EXPIRED are mistakes of the ledger, which is ours; they count at every tier.
Rule 3: hygiene is what no document asks for; without --strict it is reported, as `should` is.
Rule 4: a requirement whose tier is not told counts as `must`.
"""

from collections.abc import Mapping

from .deviations import EXPIRED, FLAKY, KNOWN, STALE
from .verdicts import BROKEN, FAILS, HOLDS, Run

CONFORMANT, NOT_CONFORMANT, NOTHING_SAID = 0, 1, 2
MUST = "must"
JUDGED = frozenset({HOLDS, FAILS, KNOWN, FLAKY})


def exit_status(
    run: Run, tiers: Mapping[str, str], *, strict: bool = False, interrupted: bool = False
) -> int:
    """`tiers` says of each requirement whether it is a `must`, a `should` or `hygiene`."""
    outcomes = {id: verdict.outcome for id, verdict in run.verdicts.items()}
    counting = {id for id in outcomes if strict or tiers.get(id, MUST) == MUST}
    if any(
        outcome in (STALE, EXPIRED) or (outcome == FAILS and id in counting)
        for id, outcome in outcomes.items()
    ):
        return NOT_CONFORMANT
    broken = bool(run.errors) or BROKEN in outcomes.values()
    if broken or interrupted or not JUDGED & set(outcomes.values()):
        return NOTHING_SAID
    return CONFORMANT
