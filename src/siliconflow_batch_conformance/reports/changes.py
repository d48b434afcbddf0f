"""
What changed since the previous report of a target.
"""

from collections.abc import Sequence

from ..service.budget import is_loopback
from .outcomes import FAILURE, GOOD, outcome
from .records import RunRecord, VerdictRecord

NEW_FAILURE, FIXED, UNCHANGED, NEW = "new failure", "fixed", "unchanged", "not in the last run"


def change(now: VerdictRecord, before: VerdictRecord | None) -> str:
    """One of the constants above, or `before: …` for a change between other outcomes."""
    if before is not None and now.outcome == before.outcome:
        return UNCHANGED
    failed = before is not None and outcome(before.outcome).kind == FAILURE
    if outcome(now.outcome).kind == FAILURE and not failed:
        return NEW_FAILURE
    if failed and outcome(now.outcome).kind == GOOD:
        return FIXED
    return NEW if before is None else f"before: {before.outcome}"


def counterpart(run: RunRecord, previous: Sequence[RunRecord]) -> RunRecord | None:
    """
    The latest previous run on the same target.

    A simulator gets another port in each run. If only one target of the previous report is on this
    machine, a run on this machine is compared with it.
    """
    same = [other for other in previous if other.target == run.target]
    if not same and is_loopback(run.target):
        local = [other for other in previous if is_loopback(other.target)]
        same = local if len({other.target for other in local}) == 1 else []
    return max(same, key=lambda other: other.began, default=None)
