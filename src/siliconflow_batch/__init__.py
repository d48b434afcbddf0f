"""
The SiliconFlow Batch API for Python.

    from siliconflow_batch import SiliconFlowBatch

    with SiliconFlowBatch() as client:
        batch = client.submit("prompts.jsonl", model="deepseek-ai/DeepSeek-V3")
        batch = client.wait(batch.id)
        for result in client.results(batch): ...

`AsyncSiliconFlowBatch` has the same methods for event loops. `errors` lists the exceptions.
`operations` and `models` are the generated client that both are built on.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, models, operations
    from .async_client import AsyncSiliconFlowBatch
    from .client import SiliconFlowBatch
    from .errors.base_error import SiliconFlowError
    from .input_files.lines import write_lines
    from .input_files.prompts import chat_lines
    from .input_files.validation import check, validate
    from .objects import Batch, Counts, File
    from .result_files.line_outcomes import Usage
    from .result_files.results import Result
    from .result_files.summary import Summary
    from .retries import Patience, Retries
    from .transport.settings import CHINA, INTERNATIONAL

# The module of each public name; "" means that the name is a module itself. A module is imported
# when its name is first used, so that a program for threads does not wait for asyncio.
MODULES = {
    "errors": "",
    "models": "",
    "operations": "",
    "AsyncSiliconFlowBatch": ".async_client",
    "SiliconFlowBatch": ".client",
    "SiliconFlowError": ".errors.base_error",
    "chat_lines": ".input_files.prompts",
    "write_lines": ".input_files.lines",
    "check": ".input_files.validation",
    "validate": ".input_files.validation",
    "Batch": ".objects",
    "Counts": ".objects",
    "File": ".objects",
    "Result": ".result_files.results",
    "Usage": ".result_files.line_outcomes",
    "Summary": ".result_files.summary",
    "Patience": ".retries",
    "Retries": ".retries",
    "CHINA": ".transport.settings",
    "INTERNATIONAL": ".transport.settings",
}


if not TYPE_CHECKING:  # a type checker would accept every misspelt name

    def __getattr__(name: str) -> Any:
        if name not in MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(MODULES[name] or f".{name}", __name__)
        value = getattr(module, name) if MODULES[name] else module
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES})


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
    "Summary",
    "Usage",
    "chat_lines",
    "check",
    "errors",
    "models",
    "operations",
    "validate",
    "write_lines",
]
