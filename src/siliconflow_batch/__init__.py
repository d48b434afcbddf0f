"""
The SiliconFlow Batch API for Python.

    from siliconflow_batch import SiliconFlowBatch

    with SiliconFlowBatch() as client:
        batch = client.submit("prompts.jsonl", model="deepseek-ai/DeepSeek-V3")
        batch = client.wait(batch.id)
        for result in client.results(batch): ...

`AsyncSiliconFlowBatch` has the same methods for event loops; `errors` draws the tree of exceptions;
`operations` and `models` are the generated client beneath.
"""

from siliconflow_batch_api import models

from . import errors, operations
from .async_client import AsyncSiliconFlowBatch
from .client import SiliconFlowBatch
from .connection import CHINA, INTERNATIONAL, Retries
from .errors import SiliconFlowError
from .flows import Patience
from .lines import check, validate
from .objects import Batch, Counts, File
from .prompts import chat_lines, write_lines
from .records import Result

__all__ = [
    "CHINA",
    "INTERNATIONAL",
    "AsyncSiliconFlowBatch",
    "Batch",
    "Counts",
    "File",
    "Patience",
    "Result",
    "Retries",
    "SiliconFlowBatch",
    "SiliconFlowError",
    "chat_lines",
    "check",
    "errors",
    "models",
    "operations",
    "validate",
    "write_lines",
]
