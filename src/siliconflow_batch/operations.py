"""
The seven operations, as the generated client writes them.

Each is a module with `sync` and `asyncio`, which answer the parsed body, and `sync_detailed` and
`asyncio_detailed`, which add the status, the headers and the bytes.
"""

from siliconflow_batch_api.api.batches import (
    cancel_batch,
    create_batch,
    list_batches,
    retrieve_batch,
)
from siliconflow_batch_api.api.files import download_file, list_files, upload_file

__all__ = [
    "cancel_batch",
    "create_batch",
    "download_file",
    "list_batches",
    "list_files",
    "retrieve_batch",
    "upload_file",
]
