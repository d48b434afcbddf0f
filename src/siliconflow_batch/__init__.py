"""
The SiliconFlow Batch API for Python.

`connect` makes a client, `operations` holds what it can do, `models` what goes in and comes out.
"""

from siliconflow_batch_api import models
from siliconflow_batch_api.errors import UnexpectedStatus
from siliconflow_batch_api.types import UNSET, File

from . import operations
from .connection import CHINA, INTERNATIONAL, Connection, connect

__all__ = [
    "CHINA",
    "INTERNATIONAL",
    "UNSET",
    "Connection",
    "File",
    "UnexpectedStatus",
    "connect",
    "models",
    "operations",
]
