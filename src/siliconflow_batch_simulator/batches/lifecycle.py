"""
The batch lifecycle, without HTTP and without files.

Rule 1: every transition is a row of TRANSITIONS; nothing else sets a status.
Rule 2: this module follows the documents, not openapi.yaml, so that the two can disagree.
Rule 3: time is an argument; nothing here waits.
"""

from typing import Any

from attrs import Factory, define

# The batch guide names the statuses and describes cancelling and expiry. docs/assumptions.md
# lists what was chosen for the rest: a cancel while finalizing, and a second cancel.
TRANSITIONS = {
    ("in_queue", "start"): "in_progress",
    ("in_queue", "fail"): "failed",
    ("in_queue", "expire"): "expired",
    ("in_queue", "cancel"): "cancelling",
    ("in_progress", "finalize"): "finalizing",
    ("in_progress", "expire"): "expired",
    ("in_progress", "cancel"): "cancelling",
    ("finalizing", "complete"): "completed",
    ("finalizing", "cancel"): "cancelling",
    ("cancelling", "cancel"): "cancelling",
    ("cancelling", "drain"): "cancelled",
}
FINAL = frozenset(TRANSITIONS.values()) - {source for source, _ in TRANSITIONS}


class TransitionRefused(Exception):
    """The status of the batch does not allow this event; the batch is unchanged."""

    def __init__(self, batch_id: str, status: str, event: str) -> None:
        super().__init__(batch_id, status, event)
        self.batch_id, self.status, self.event = batch_id, status, event

    def __str__(self) -> str:
        return f"Cannot {self.event} batch {self.batch_id!r}: its status is {self.status!r}."


@define
class Pace:
    """Simulated seconds that a batch spends in each status; `running` covers all its lines."""

    queued: float = 0.3
    running: float = 0.6
    finalizing: float = 0.3
    cancelling: float = 0.3


@define
class Batch:
    """
    A batch and its progress. Times are Unix seconds as floats.

    `stamps` holds when each status began; `answered` is when the last line got its result. `offset`
    is where the next line begins in the input file; `output_bytes` and `error_bytes` are the
    recorded sizes of the result files.
    """

    id: str
    account: str
    input_file_id: str
    file_name: str
    total: int
    window_hours: int
    created: float
    metadata: dict[str, str] | None = None
    model: str | None = None
    status: str = "in_queue"
    errors: list[str] | None = None
    stamps: dict[str, float] = Factory(dict)
    completed: int = 0
    failed: int = 0
    answered: float | None = None
    offset: int = 0
    output_bytes: int = 0
    error_bytes: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None

    @property
    def expires(self) -> float:
        return self.created + self.window_hours * 3600

    @property
    def done(self) -> int:
        """How many lines have a result."""
        return self.completed + self.failed

    @property
    def final(self) -> bool:
        return self.status in FINAL


def move(batch: Batch, event: str, at: float) -> None:
    """
    Applies `event` to `batch`. The stamp of a status is the time of its first beginning.

    Raises `TransitionRefused` if TRANSITIONS has no such row; the batch is then unchanged.
    """
    target = TRANSITIONS.get((batch.status, event))
    if target is None:
        raise TransitionRefused(batch.id, batch.status, event)
    batch.status = target
    batch.stamps.setdefault(target, at)


def next_event(batch: Batch, pace: Pace, answered: float | None) -> tuple[str, float] | None:
    """
    The next event of `batch` if nobody cancels it, and its time; None if the batch has ended.

    `answered` is when its last line gets its result, or None if that is not known yet.
    """
    match batch.status:
        case "in_queue" if batch.errors:
            upcoming = ("fail", batch.created + pace.queued)
        case "in_queue":
            upcoming = ("start", batch.created + pace.queued)
        case "in_progress":
            upcoming = ("finalize", batch.expires if answered is None else answered)
        case "finalizing":
            return ("complete", batch.stamps["finalizing"] + pace.finalizing)
        case "cancelling":
            return ("drain", batch.stamps["cancelling"] + pace.cancelling)
        case _:
            return None
    return upcoming if upcoming[1] < batch.expires else ("expire", batch.expires)


def lines_due(batch: Batch, pace: Pace, at: float) -> int:
    """
    How many lines are finished by `at`, spread evenly over `pace.running`.

    When a batch is cancelled, the line in flight at that moment still finishes.
    """
    started = batch.stamps.get("in_progress")
    if started is None:
        return 0
    cancelled = batch.stamps.get("cancelling")
    moment = at if cancelled is None else min(at, cancelled)
    if moment >= started + pace.running:
        return batch.total
    # Floats hold Unix seconds with a precision of a quarter of a microsecond.
    due = int(batch.total * (moment - started) / pace.running + 1e-6)
    return due if cancelled is None or at <= cancelled else min(due + 1, batch.total)


def view(batch: Batch) -> dict[str, Any]:
    """The batch in the documented shape and order of fields, without its result files."""
    counted = batch.status != "in_queue" and batch.errors is None
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "errors": batch.errors if batch.status == "failed" else None,
        "input_file_id": batch.input_file_id,
        "completion_window": f"{batch.window_hours}h",
        "status": batch.status,
        "output_file_id": None,
        "error_file_id": None,
        "created_at": int(batch.created),
        "in_progress_at": _stamp(batch, "in_progress"),
        "expires_at": int(batch.created) + batch.window_hours * 3600,
        "finalizing_at": _stamp(batch, "finalizing"),
        "completed_at": _stamp(batch, "completed"),
        "failed_at": _stamp(batch, "failed"),
        "expired_at": _stamp(batch, "expired"),
        "cancelling_at": _stamp(batch, "cancelling"),
        "cancelled_at": _stamp(batch, "cancelled"),
        "request_counts": {
            "total": batch.total,
            "completed": batch.completed,
            "failed": batch.failed,
        }
        if counted
        else None,
        "metadata": batch.metadata,
    }


def _stamp(batch: Batch, status: str) -> int | None:
    at = batch.stamps.get(status)
    return None if at is None else int(at)
