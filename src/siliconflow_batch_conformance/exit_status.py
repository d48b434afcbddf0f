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
Rule 5: a `must` that failed behind a `should`, and is blocked, has failed; what it stands behind
excuses it where the ledger knows that.
"""

from collections.abc import Mapping

from .deviations import EXPIRED, FLAKY, KNOWN, STALE
from .verdicts import BLOCKED, BROKEN, FAILS, HOLDS, Run, Verdict

CONFORMANT, NOT_CONFORMANT, NOTHING_SAID = 0, 1, 2
MUST = "must"
JUDGED = frozenset({HOLDS, FAILS, KNOWN, FLAKY})


def exit_status(
    run: Run, tiers: Mapping[str, str], *, strict: bool = False, interrupted: bool = False
) -> int:
    """`tiers` says of each requirement whether it is a `must`, a `should` or `hygiene`."""
    outcomes = {id: verdict.outcome for id, verdict in run.verdicts.items()}
    counting = {id for id in outcomes if strict or tiers.get(id, MUST) == MUST}
    seen = set(outcomes.values())
    if {STALE, EXPIRED} & seen or any(_fails(id, run.verdicts) for id in counting):
        return NOT_CONFORMANT
    broken = bool(run.errors) or BROKEN in seen
    if broken or interrupted or not JUDGED & seen:
        return NOTHING_SAID
    return CONFORMANT


def _fails(id: str, verdicts: Mapping[str, Verdict]) -> bool:
    verdict = verdicts[id]
    if verdict.outcome == BLOCKED and verdict.behind:
        return not any(_is_known(other, verdicts) for other in verdict.behind)
    return verdict.outcome == FAILS


def _is_known(id: str, verdicts: Mapping[str, Verdict]) -> bool:
    """Whether the ledger has an entry for a failure, or for one that it stands behind."""
    if verdicts[id].outcome in (KNOWN, FLAKY):
        return True
    return any(_is_known(other, verdicts) for other in verdicts[id].behind)
