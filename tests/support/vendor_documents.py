"""Documents as the vendor publishes them, for the tests to edit and download again."""

import copy
from collections.abc import Callable
from typing import Any

from contract.vendor_pages import Page

Edit = Callable[[dict[str, Any]], object]
# Runs `contract.drift` on a file with the given text: exit status, output, error output.
Drift = Callable[[str], tuple[int, str, str]]


def as_downloaded(page: Page) -> dict[str, Any]:
    """The page's document, with the version that the documents of incomplete pages lack."""
    return copy.deepcopy({"openapi": "3.0.0", **page.document})


def create_operation(document: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = document["paths"]["/batches"]["post"]
    return operation


def batch_schema(document: dict[str, Any]) -> dict[str, Any]:
    content = create_operation(document)["responses"]["200"]["content"]
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema
