"""POST /batches/{batch_id}/cancel: the way out."""

from typing import Any

from .requirements import expect, requirement
from .target import Target

Batch = dict[str, Any]


@requirement("CANCEL-1")
def test_cancelling(cancellation: list[Batch]) -> None:
    """A cancel is on its way at once."""
    status = cancellation[0]["status"]

    expect(status in ("cancelling", "cancelled"), "cancelling, or cancelled already", status)


@requirement("CANCEL-2")
def test_cancelled(cancellation: list[Batch]) -> None:
    """What is cancelling ends as cancelled."""
    seen = [batch["status"] for batch in cancellation]

    expect(seen[-1] == "cancelled", "cancelled in the end", seen)


@requirement("CANCEL-3")
def test_times(cancellation: list[Batch]) -> None:
    """Both times are set, one after the other, and no other end has a time."""
    last = cancellation[-1]
    asked, done = last.get("cancelling_at"), last.get("cancelled_at")

    ordered = isinstance(asked, int) and isinstance(done, int) and asked <= done
    expect(ordered, "cancelling_at <= cancelled_at", (asked, done))
    others = {name: last.get(name) for name in ("completed_at", "failed_at", "expired_at")}
    expect(not any(others.values()), "no time of another end", others)


@requirement("CANCEL-4")
def test_finished(target: Target, completed: Batch) -> None:
    """A cancel comes too late for a finished batch, and leaves no trace on it."""
    answer = target.cancel(completed["id"])

    after = target.retrieve(completed["id"])
    expect(after["status"] == completed["status"], completed["status"], after["status"])
    traces = {name: after.get(name) for name in ("cancelling_at", "cancelled_at")}
    expect(not any(traces.values()), f"no time of a cancel after {answer.status_code}", traces)
    said = f"{answer.status_code} {answer.text}"
    expect(400 <= answer.status_code < 500, "a refusal (4xx)", said)


@requirement("CANCEL-5")
def test_twice(target: Target, cancellation: list[Batch]) -> None:
    """A cancel that is repeated, as after a lost answer, moves no time."""
    last = cancellation[-1]

    target.cancel(last["id"])

    after = target.retrieve(last["id"])
    names = ("status", "cancelling_at", "cancelled_at")
    before, now = ([batch.get(name) for name in names] for batch in (last, after))
    expect(now == before, f"{before}", now)


@requirement("CANCEL-6")
def test_unknown(target: Target) -> None:
    """What is not there cannot be cancelled."""
    answer = target.cancel("batch_thereisnone")

    expect(answer.status_code == 404, "404", f"{answer.status_code} {answer.text}")
