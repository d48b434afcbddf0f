"""
The seven operations of the generated client.

Each is a module. `sync` and `asyncio` return the parsed body; `sync_detailed` and
`asyncio_detailed` return the status, the headers and the content as well.
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
