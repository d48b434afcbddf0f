"""Which failures of generated cases the suite does not count."""

from typing import Any

import pytest
from schemathesis import HookContext
from schemathesis.core.failures import AcceptedNegativeData

from siliconflow_batch_conformance.cases.test_schema import filter_failure, schema


@pytest.mark.parametrize(
    ("path", "query", "counts"),
    [
        ("/files", {}, False),
        ("/files", {"limit": 5}, False),
        ("/files", {"limit": 0}, True),
        ("/files", {"limit": "many"}, True),
        ("/files", {"purpose": "fine-tune"}, True),
        ("/files", {"purpose": "batch", "limit": -1}, True),
        ("/batches", {"limit": 0}, True),
        ("/batches", {}, True),
    ],
)
def test_only_a_missing_purpose_may_be_accepted(
    path: str, query: dict[str, Any], counts: bool
) -> None:
    """Every other invalid request that is accepted is a failure."""
    case = schema[path]["GET"].Case(query=query)
    failure = AcceptedNegativeData(
        operation=case.operation.label,
        message="accepted",
        status_code=200,
        expected_statuses=["400"],
    )

    assert filter_failure(HookContext(operation=case.operation), failure, case, None) is counts
