"""
Checks of input files that a service must not run.

`responses` are those to the upload, to the creation, and the last one that showed the batch; there
are fewer where the service refused the file earlier.
"""

from collections.abc import Callable
from typing import Any

from .exchange import Exchange, batches


def has_no_successful_line(responses: list[Exchange]) -> str | None:
    """a refusal (400), a failed batch, or a batch without successful lines"""
    return _outcome(
        responses, lambda batch: not (batch.get("request_counts") or {}).get("completed")
    )


def batch_is_rejected(responses: list[Exchange]) -> str | None:
    """a refusal (400) or a failed batch"""
    return _outcome(responses, lambda batch: False)


def line_is_counted_as_failed(responses: list[Exchange]) -> str | None:
    """a refusal (400), a failed batch, or a batch that counts the wrong line as failed"""
    return _outcome(
        responses, lambda batch: bool((batch.get("request_counts") or {}).get("failed"))
    )


def _outcome(
    responses: list[Exchange], may_complete: Callable[[dict[str, Any]], bool]
) -> str | None:
    *_, last = responses
    if len(responses) < 3:
        return None if last.status == 400 else f"{last.status} {last.text[:200]}"
    for batch in batches(last).values():
        status = batch["status"]  # a batch without a status fails BATCH-1
        if status == "failed" or (status == "completed" and may_complete(batch)):
            return None
        return f"status {status!r}, request_counts {batch.get('request_counts')}"
    return f"{last.status} {last.text[:200]}"
