"""GET /batches/{batch_id}: a batch on its way."""

import itertools
from typing import Any

import pytest

from .requirements import expect, requirement
from .target import Target

ORDER = ["validating", "in_queue", "in_progress", "finalizing", "completed"]
STAMPS = ["created_at", "in_progress_at", "finalizing_at", "completed_at"]
SENT = ["id", "object", "endpoint", "input_file_id", "completion_window", "created_at", "metadata"]
ODD_IDS = ["batch_", "BATCH_X", "file-jkvytbjtow", "%2e%2e", "a%2Fb", "%00", "é" * 20, "x" * 2000]

Batch = dict[str, Any]


@requirement("RETRIEVE-1")
def test_retrieve(target: Target, input_file: str) -> None:
    """A batch is retrieved as it was created, but for how far it has come."""
    created = target.batch(input_file, metadata={"description": "retrieve"})

    found = target.retrieve(created["id"])

    changed = {name: found.get(name) for name in SENT if found.get(name) != created.get(name)}
    expect(not changed, f"{ {name: created.get(name) for name in changed} }", changed)


@requirement("RETRIEVE-2")
def test_unknown(target: Target) -> None:
    """An id that names no batch is answered with 404 and words, not with a batch."""
    answer = target.request("GET", "/batches/batch_thereisnone")

    expect(answer.status_code == 404, "404", f"{answer.status_code} {answer.text}")
    expect(not answer.text.lstrip().startswith(("{", "[")), "a string", answer.text)


@requirement("RETRIEVE-3")
@pytest.mark.parametrize("batch_id", ODD_IDS)
def test_odd_ids(target: Target, batch_id: str) -> None:
    """Ids of any shape are told that they name nothing."""
    answer = target.request("GET", f"/batches/{batch_id}")

    expect(answer.status_code in (400, 404), "400 or 404", f"{answer.status_code} {answer.text}")


@requirement("LIFE-1")
def test_order(history: list[Batch]) -> None:
    """The statuses that were seen are in the documented order."""
    seen = [batch["status"] for batch in history]

    known = all(status in ORDER for status in seen)
    expect(known and seen == sorted(seen, key=ORDER.index), f"an order as in {ORDER}", seen)


@requirement("LIFE-2")
def test_times(history: list[Batch]) -> None:
    """Whoever is in a status has the time of it and of those before, none later than the next."""
    for batch in history:
        if batch["status"] not in ORDER[1:]:
            continue
        reached = STAMPS[: ORDER.index(batch["status"])]
        shown = {name: batch.get(name) for name in reached}
        times = [time for time in shown.values() if isinstance(time, int)]
        complete = len(times) == len(reached)
        expect(complete, f"a time in each of {reached} when {batch['status']}", shown)
        expect(times == sorted(times), f"{reached} in order", shown)


@requirement("LIFE-3")
def test_times_stay(history: list[Batch]) -> None:
    """A time does not change once it is there."""
    for before, after in itertools.pairwise(history):
        moved = {
            name: (before[name], after.get(name))
            for name in before
            if name.endswith("_at") and before[name] is not None and after.get(name) != before[name]
        }
        expect(not moved, "times that stay", moved)


@requirement("LIFE-4")
def test_one_end(completed: Batch) -> None:
    """A batch ends once."""
    others = {name: completed.get(name) for name in ("failed_at", "expired_at", "cancelled_at")}

    expect(not any(others.values()), "no time of another end", others)


@requirement("LIFE-5")
def test_counts(completed: Batch) -> None:
    """Two lines were answered, one was not, and that makes three."""
    expected = {"total": 3, "completed": 2, "failed": 1}

    counts = completed["request_counts"]
    expect(counts == expected, f"{expected}", counts)


@requirement("LIFE-6")
def test_sent_stays(history: list[Batch]) -> None:
    """What the creator sent is the same to the end."""
    first = {name: history[0].get(name) for name in SENT}

    for batch in history:
        now = {name: batch.get(name) for name in SENT}
        expect(now == first, f"{first}", now)


@requirement("LIFE-7")
def test_completes(history: list[Batch]) -> None:
    """Nothing but time stands between three lines and their end."""
    expect(history[-1]["status"] == "completed", "completed", history[-1])
