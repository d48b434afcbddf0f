"""
The exit status of a run.

    1    a `must` fails, or any requirement is STALE or EXPIRED; with --strict, `should` and
         `hygiene` count as `must`
    2    otherwise: an error occurred, the run was interrupted, nothing was judged, or a `must` is
         open: inconclusive (patience ended, 429, 503, lost responses), blocked, or not judged
         although a run of this kind can judge it
    0    otherwise; open requirements are allowed with --allow-inconclusive

A requirement is not open if it is excused: a run of this kind (without writes, without a second
key, from a recording) cannot judge it, or the service's answer to an open question exempts it.

Rule 1: failures come first; an error later in the run does not hide them.
Rule 2: STALE and EXPIRED are mistakes in the ledger of known deviations; they count in every tier.
Rule 3: without --strict, failures of `should` and `hygiene` are reported and do not count.
Rule 4: a requirement without a tier counts as `must`.
Rule 5: a `must` that failed and is blocked by another failure counts as failed.
"""

from collections.abc import Mapping

from .deviations import EXPIRED, FLAKY, KNOWN, STALE
from .verdicts import BLOCKED, BROKEN, FAILS, HOLDS, INCONCLUSIVE, NOT_JUDGED, Run, Verdict

CONFORMANT, NOT_CONFORMANT, NO_VERDICT = 0, 1, 2
MUST = "must"
JUDGED = frozenset({HOLDS, FAILS, KNOWN, FLAKY})


def exit_status(
    run: Run,
    tiers: Mapping[str, str],
    *,
    strict: bool = False,
    allow_inconclusive: bool = False,
    interrupted: bool = False,
) -> int:
    """`tiers` maps each requirement to `must`, `should` or `hygiene`."""
    outcomes = {id: verdict.outcome for id, verdict in run.verdicts.items()}
    seen = set(outcomes.values())
    if any(
        is_fatal(one.outcome, bool(one.causes), tiers.get(id, MUST), strict=strict)
        for id, one in run.verdicts.items()
    ):
        return NOT_CONFORMANT
    is_broken = bool(run.errors) or BROKEN in seen
    if is_broken or interrupted or not JUDGED & seen:
        return NO_VERDICT
    is_open = any(
        _is_open(one) for id, one in run.verdicts.items() if strict or tiers.get(id, MUST) == MUST
    )
    return NO_VERDICT if is_open and not allow_inconclusive else CONFORMANT


def is_fatal(outcome: str, is_caused: bool, tier: str, *, strict: bool) -> bool:
    """Whether an outcome makes the exit status 1; `is_caused`: another failure explains it."""
    is_failed = outcome == FAILS or (outcome == BLOCKED and is_caused)
    return outcome in (STALE, EXPIRED) or (is_failed and (strict or tier == MUST))


def _is_open(verdict: Verdict) -> bool:
    is_judged = verdict.outcome not in (INCONCLUSIVE, BLOCKED, NOT_JUDGED)
    return not (is_judged or verdict.excused)
