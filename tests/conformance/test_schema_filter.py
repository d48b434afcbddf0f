"""The one failure of generated cases that is dropped: a list of files without `purpose`."""

from typing import Any, cast

import pytest
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, Failure, MalformedJson

from siliconflow_batch_conformance.cases import test_schema as generated

ACCEPTED = AcceptedNegativeData(
    operation="GET /files", message="accepted", status_code=200, expected_statuses=["400"]
)
OTHER = cast("Failure", MalformedJson.__new__(MalformedJson))


def is_kept(failure: Failure, path: str = "/files", **query: Any) -> bool:
    case = generated.schema[path]["GET"].Case(query=query)
    context, response = cast("schemathesis.HookContext", None), cast("schemathesis.Response", None)
    return bool(generated.filter_failure(context, failure, case, response))


@pytest.mark.parametrize("query", [{}, {"limit": 1}, {"limit": "20"}])
def test_a_list_without_purpose_may_be_accepted(query: dict[str, Any]) -> None:
    """A service that accepts a list without `purpose` is not at fault."""
    assert not is_kept(ACCEPTED, **query)


@pytest.mark.parametrize(
    "query", [{"purpose": "fine-tune"}, {"limit": 0}, {"limit": "ten"}, {"limit": -1}]
)
def test_other_invalid_data_must_be_refused(query: dict[str, Any]) -> None:
    """Another mutation that is accepted is still a failure, even without `purpose`."""
    assert is_kept(ACCEPTED, **query)


def test_other_operations_and_failures_are_kept() -> None:
    """Only that failure of that operation is dropped."""
    assert is_kept(ACCEPTED, path="/batches")
    assert is_kept(OTHER)
