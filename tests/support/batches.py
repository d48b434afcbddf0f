"""A batch as the service's documents show it."""

from typing import Any

from siliconflow_batch import Batch

BATCH = {
    "id": "batch_a",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "errors": None,
    "input_file_id": "file-a",
    "completion_window": "24h",
    "status": "in_queue",
    "output_file_id": None,
    "error_file_id": None,
    "created_at": 1741685413,
    "in_progress_at": None,
    "expires_at": 1741771813,
    "completed_at": None,
    "failed_at": None,
    "expired_at": None,
    "request_counts": None,
    "metadata": None,
}


def batch(**fields: Any) -> Batch:
    return Batch({**BATCH, **fields})
