"""
Checks of what becomes of an input file that must not be run.

`way` are the answers that it got: to the upload, to the creation, and the last look at the batch;
as many as there were.
Rule: nothing but `exchange` and the standard library (see there).
"""

from collections.abc import Callable
from typing import Any

from .exchange import Exchange, batches


def is_not_answered(way: list[Exchange]) -> str | None:
    """a refusal (400), a failed batch, or no answered line"""
    return _run(way, lambda batch: not (batch.get("request_counts") or {}).get("completed"))


def is_refused_whole(way: list[Exchange]) -> str | None:
    """a refusal (400) or a failed batch"""
    return _run(way, lambda batch: False)


def is_counted_as_failed(way: list[Exchange]) -> str | None:
    """a refusal (400), a failed batch, or one that counts the wrong line as failed"""
    return _run(way, lambda batch: bool((batch.get("request_counts") or {}).get("failed")))


def is_taken(answer: Exchange) -> str | None:
    """200"""
    return None if answer.status == 200 else f"{answer.status} {answer.text[:200]}"


def _run(way: list[Exchange], completed_is_fine: Callable[[dict[str, Any]], bool]) -> str | None:
    *_, last = way
    if len(way) < 3:
        return None if last.status == 400 else f"{last.status} {last.text[:200]}"
    for batch in batches(last).values():
        status = batch["status"]  # without one the shape is wrong, which is BATCH-1's matter
        if status == "failed" or (status == "completed" and completed_is_fine(batch)):
            return None
        return f"status {status!r}, request_counts {batch.get('request_counts')}"
    return f"{last.status} {last.text[:200]}"
