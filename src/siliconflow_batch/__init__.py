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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from siliconflow_batch_api import models

    from . import errors, operations
    from .async_client import AsyncSiliconFlowBatch
    from .client import SiliconFlowBatch
    from .errors import SiliconFlowError
    from .flows import Patience
    from .input_files.prompts import chat_lines, write_lines
    from .input_files.validation import check, validate
    from .objects import Batch, Counts, File
    from .result_files.results import Result
    from .transport.connection import CHINA, INTERNATIONAL, Retries

# Where each name lives: what a program does not use, as event loops, it does not wait for.
HOMES = {
    "models": "siliconflow_batch_api",
    "errors": "",
    "operations": "",
    "AsyncSiliconFlowBatch": ".async_client",
    "SiliconFlowBatch": ".client",
    "CHINA": ".transport.connection",
    "INTERNATIONAL": ".transport.connection",
    "Retries": ".transport.connection",
    "SiliconFlowError": ".errors",
    "Patience": ".flows",
    "check": ".input_files.validation",
    "validate": ".input_files.validation",
    "Batch": ".objects",
    "Counts": ".objects",
    "File": ".objects",
    "chat_lines": ".input_files.prompts",
    "write_lines": ".input_files.prompts",
    "Result": ".result_files.results",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = HOMES[name]
    if not home:
        return import_module(f".{name}", __name__)
    found = getattr(import_module(home, __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})


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
