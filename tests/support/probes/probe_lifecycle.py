"""Probes that follow a batch through its statuses."""

from support.account import Account
from support.probes.requests import (
    BAD,
    GOOD,
    Probe,
    cancel_statuses,
    follows_lifecycle,
    new_batch,
    status_of,
    statuses,
)


def leaves_others_alone(api: Account) -> bool:
    """Whether a cancel does not affect another batch."""
    one, other = new_batch(api)["id"], new_batch(api)["id"]
    api.cancel(one)
    return status_of(api, other) == "in_queue"


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        (
            *("never-started", "never-answered", "never-completed", "never-finalizing"),
            *("queue-again", "progress-again", "completed-reopened", "created-finished"),
            *("queued-unknown", "expired-early", "completed-misspelled"),
        ),
        lambda api, _: follows_lifecycle(statuses(api)),
    ),
    "failed-for-a-line": lambda api, _: follows_lifecycle(statuses(api, GOOD, BAD)),
    **dict.fromkeys(
        (
            *("never-cancelled", "cancelled-unknown", "cancelled-as-completed", "cancel-ignored"),
            *("cancel-forgotten", "cancel-queued-refused", "cancelled-misspelled"),
        ),
        lambda api, _: cancel_statuses(api) == ["cancelling", "cancelled"],
    ),
    "cancel-running-refused": lambda api, _: (
        cancel_statuses(api, 0.4) == ["cancelling", "cancelled"]
    ),
    "cancel-finalizing-unknown": lambda api, _: (
        cancel_statuses(api, 1) == ["cancelling", "cancelled"]
    ),
    "cancel-finished": lambda api, _: cancel_statuses(api, 2) == ["400", "completed"],
    "cancel-all": lambda api, _: leaves_others_alone(api),
}
