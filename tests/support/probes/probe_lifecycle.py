"""Batches on their way, looked at twice in each status."""

from support.account import Account
from support.probes.requests import BAD, GOOD, Probe, cancelling, is_life, life, new, seen


def spares(api: Account) -> bool:
    """A cancel leaves the batch beside alone."""
    one, other = new(api)["id"], new(api)["id"]
    api.cancel(one)
    return seen(api, other) == "in_queue"


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        (
            *("never-started", "never-answered", "never-completed", "never-finalizing"),
            *("queue-again", "progress-again", "completed-reopened", "created-finished"),
            *("queued-unknown", "expired-early", "completed-misspelled"),
        ),
        lambda api, _: is_life(life(api)),
    ),
    "failed-for-a-line": lambda api, _: is_life(life(api, GOOD, BAD)),
    **dict.fromkeys(
        (
            *("never-cancelled", "cancelled-unknown", "cancelled-as-completed", "cancel-ignored"),
            *("cancel-forgotten", "cancel-queued-refused", "cancelled-misspelled"),
        ),
        lambda api, _: cancelling(api) == ["cancelling", "cancelled"],
    ),
    "cancel-running-refused": lambda api, _: cancelling(api, 0.4) == ["cancelling", "cancelled"],
    "cancel-finalizing-unknown": lambda api, _: cancelling(api, 1) == ["cancelling", "cancelled"],
    "cancel-finished": lambda api, _: cancelling(api, 2) == ["400", "completed"],
    "cancel-all": lambda api, _: spares(api),
}
