"""
openapi.yaml is valid and complete, and has the documented limits.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from contract.document import (
    Document,
    accepts,
    escape,
    locate,
    operations,
    response_schema,
)
from contract.ledger import read_contract

CONTRACT = read_contract()
OPERATIONS = [f"{method.upper()} {path}" for method, path in operations(CONTRACT)]
STATUSES = {"200", "400", "401", "403", "404", "429", "500", "503", "504"}
WINDOW = "/components/schemas/CompletionWindow"
METADATA = "/components/schemas/BatchMetadata"


def operation_pointer(operation: str, rest: str = "") -> str:
    method, path = operation.split()
    return f"/paths/{escape(path)}/{method.lower()}{rest}"


def value(document: Document, pointer: str) -> Any:
    return locate(document, pointer)[1]


def parameters(document: Document, operation: str) -> dict[str, Any]:
    """The parameters of an operation by name."""
    listed = value(document, operation_pointer(operation, "/parameters"))
    return {parameter["name"]: parameter for parameter in listed}


def media_types(document: Document) -> Iterator[str]:
    """The pointer to every media type of every request and response."""
    for operation in OPERATIONS:
        places = [
            operation_pointer(operation, f"/responses/{status}")
            for status in value(document, operation_pointer(operation, "/responses"))
        ]
        if "requestBody" in value(document, operation_pointer(operation)):
            places.append(operation_pointer(operation, "/requestBody"))
        for place in places:
            for name in value(document, f"{place}/content"):
                yield f"{place}/content/{escape(name)}"


EXAMPLES = [
    (f"{place}/examples/{name}/value", f"{place}/schema")
    for place in media_types(CONTRACT)
    for name in value(CONTRACT, place).get("examples", ())
]


class TestDocument:
    def test_is_valid_openapi(self, contract: Document) -> None:
        """openapi-spec-validator reports no error."""
        assert [str(error) for error in OpenAPIV31SpecValidator(contract).iter_errors()] == []

    def test_operation_ids_are_unique(self, contract: Document) -> None:
        """Each of the seven operations has an operationId of its own."""
        names = [
            value(contract, operation_pointer(operation, "/operationId"))
            for operation in OPERATIONS
        ]

        assert len(names) == len(set(names)) == 7

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_documents_every_status(self, contract: Document, operation: str) -> None:
        """Every operation has a response for each status that a vendor document shows."""
        assert set(value(contract, operation_pointer(operation, "/responses"))) == STATUSES

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_requires_a_key(self, contract: Document, operation: str) -> None:
        """Every operation declares the bearer token as its security."""
        assert value(contract, operation_pointer(operation, "/security")) == [{"bearerAuth": []}]

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_request_body_is_required(self, contract: Document, operation: str) -> None:
        """A request body is never optional."""
        body = value(contract, operation_pointer(operation)).get("requestBody")

        assert body is None or body["required"] is True

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_undocumented_operation_is_marked(self, contract: Document, operation: str) -> None:
        """Only the operation that no vendor page documents is marked as undocumented."""
        marked = "x-undocumented-by-vendor" in value(contract, operation_pointer(operation))

        assert marked == (operation == "GET /files/{file_id}/content")

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize("status", sorted(STATUSES - {"200"}))
    def test_error_is_read_as_text(self, contract: Document, operation: str, status: str) -> None:
        """`text/plain` is the first media type of every error, so that no body fails to parse."""
        content = value(contract, operation_pointer(operation, f"/responses/{status}/content"))

        assert next(iter(content)) == "text/plain"

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize("status", sorted(STATUSES))
    def test_trace_id_is_optional(self, contract: Document, operation: str, status: str) -> None:
        """Every response may have the header; the contract says where it is declared."""
        headers = value(contract, operation_pointer(operation, f"/responses/{status}/headers"))
        header = value(contract, "/components/headers/TraceId")

        assert headers == {"x-siliconcloud-trace-id": {"$ref": "#/components/headers/TraceId"}}
        assert not header.get("required")
        assert "chat operation" in header["description"]


class TestErrors:
    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize("status", sorted(STATUSES - {"200"}))
    @pytest.mark.parametrize(
        ("body", "accepted"),
        [
            ("Invalid token", True),
            ({"code": 20012, "message": "string", "data": "string"}, True),
            ({"code": 30001, "message": "balance", "data": None}, True),
            ({"message": "rate limiting", "data": "string"}, True),
            ({"code": None, "message": "string", "data": None}, True),
            ({"code": 20012, "data": "string"}, False),
            ({"message": "string"}, False),
            (None, False),
            ([], False),
        ],
        ids=str,
    )
    def test_has_two_shapes(
        self, contract: Document, operation: str, status: str, body: object, accepted: bool
    ) -> None:
        """Any error is a JSON string, or an object with `message` and `data`."""
        assert accepts(contract, response_schema(operation, int(status)), body) == accepted


class TestListFiles:
    def test_purpose_is_required(self, contract: Document) -> None:
        """`purpose` is required and has the value `batch`."""
        purpose = parameters(contract, "GET /files")["purpose"]

        assert purpose["required"] is True
        assert purpose["schema"] == {"type": "string", "const": "batch"}

    def test_limit_has_a_default(self, contract: Document) -> None:
        """`limit` is at least 1 and defaults to 10."""
        limit = parameters(contract, "GET /files")["limit"]

        assert limit["schema"] == {"type": "integer", "minimum": 1, "default": 10}

    def test_has_no_cursor(self, contract: Document) -> None:
        """There is no parameter for the next page, and the description says so."""
        assert parameters(contract, "GET /files").keys() == {"purpose", "limit"}
        assert "No cursor" in value(contract, operation_pointer("GET /files", "/description"))


class TestListBatches:
    def test_limit_has_no_default(self, contract: Document) -> None:
        """`limit` is at least 1; no document states a default."""
        limit = parameters(contract, "GET /batches")["limit"]

        assert limit["schema"] == {"type": "integer", "minimum": 1}

    def test_order_is_not_promised(self, contract: Document) -> None:
        """The contract says that no document states the order of the list."""
        description = value(contract, operation_pointer("GET /batches", "/description"))

        assert "No document states the order" in description


class TestUploadFile:
    def test_lines_may_stream(self, contract: Document) -> None:
        """The description allows `"stream": true`, and the example has it."""
        description = value(contract, operation_pointer("POST /files", "/description"))
        example = value(contract, "/components/examples/UploadFileRequest/value/file")

        assert '"stream": true' in description
        assert json.loads(example)["body"]["stream"] is True


class TestExamples:
    @pytest.mark.parametrize(("example", "schema"), EXAMPLES)
    def test_fits_its_schema(self, contract: Document, example: str, schema: str) -> None:
        """Each example is valid for the schema of its media type."""
        assert accepts(contract, schema, value(contract, example))

    def test_every_component_is_used(self, contract: Document) -> None:
        """Each example in `components` is an example of an operation."""
        shown = [locate(contract, example.removesuffix("/value"))[0] for example, _ in EXAMPLES]

        assert {place.rpartition("/")[2] for place in shown} == set(
            value(contract, "/components/examples")
        )

    def test_page_names_its_first_and_last_batch(self, contract: Document) -> None:
        """`first_id` and `last_id` of the example page are the ids of its first and last batch."""
        page = value(contract, "/components/examples/BatchPage/value")

        assert page["first_id"] == page["data"][0]["id"]
        assert page["last_id"] == page["data"][-1]["id"]


class TestCompletionWindow:
    def test_is_24_to_336_hours(self, contract: Document) -> None:
        """Windows from 24 to 336 whole hours are valid; 23 and 337 hours are not."""
        windows = [hours for hours in range(-30, 430) if accepts(contract, WINDOW, f"{hours}h")]

        assert windows == list(range(24, 337))

    @pytest.mark.parametrize(
        "window", ["", "24", "h", "024h", "24H", "24 h", " 24h", "24hh", "24.0h", "14d", 24, None]
    )
    def test_is_written_as_hours(self, contract: Document, window: object) -> None:
        """A window consists of digits and a final `h`."""
        assert not accepts(contract, WINDOW, window)


class TestMetadata:
    @pytest.mark.parametrize(
        ("metadata", "accepted"),
        [
            ({}, True),
            ({f"key {n}": "" for n in range(16)}, True),
            ({f"key {n}": "" for n in range(17)}, False),
            ({"k" * 64: ""}, True),
            ({"k" * 65: ""}, False),
            ({"key": "v" * 512}, True),
            ({"key": "v" * 513}, False),
            ({"key": 1}, False),
            ({"key": None}, False),
            ({"key": {"key": ""}}, False),
        ],
    )
    def test_has_limits(self, contract: Document, metadata: dict[str, Any], accepted: bool) -> None:
        """Metadata has at most 16 pairs of strings, 64 characters a key and 512 a value."""
        assert accepts(contract, METADATA, metadata) == accepted


class TestCreateBatchRequest:
    @pytest.mark.parametrize("field", ["input_file_id", "endpoint", "completion_window"])
    def test_has_required_fields(self, contract: Document, field: str) -> None:
        """`input_file_id`, `endpoint` and `completion_window` are required."""
        request = value(contract, "/components/examples/CreateBatchRequest/value")
        rest = {key: item for key, item in request.items() if key != field}

        assert accepts(contract, "/components/schemas/CreateBatchRequest", request)
        assert not accepts(contract, "/components/schemas/CreateBatchRequest", rest)

    @pytest.mark.parametrize("field", ["metadata", "replace"])
    def test_has_optional_fields(self, contract: Document, field: str) -> None:
        """`metadata` and `replace` are optional."""
        request = value(contract, "/components/examples/CreateBatchRequest/value")
        rest = {key: item for key, item in request.items() if key != field}

        assert accepts(contract, "/components/schemas/CreateBatchRequest", rest)


class TestBatch:
    @pytest.mark.parametrize("status", ["in_queue", "failed", "paused", "a future status"])
    def test_accepts_any_status(self, contract: Document, status: str) -> None:
        """A batch with an undocumented status is valid."""
        batch = value(contract, "/components/examples/BatchInQueue/value")

        assert accepts(contract, "/components/schemas/Batch", {**batch, "status": status})

    @pytest.mark.parametrize(
        ("errors", "accepted"),
        [
            (None, True),
            ([], True),
            (["a string"], True),
            ([{"code": 20071, "message": "bad line", "line": 3}], True),
            ({"object": "list", "data": [{"code": "invalid", "line": 3}]}, True),
            ("a string", False),
            (1, False),
        ],
        ids=str,
    )
    def test_errors_are_open(self, contract: Document, errors: object, accepted: bool) -> None:
        """`errors` may have strings, objects, or OpenAI's list object; no example shows one."""
        batch = value(contract, "/components/examples/BatchInQueue/value")
        description = value(contract, "/components/schemas/Batch/properties/errors/description")

        assert (
            accepts(contract, "/components/schemas/Batch", {**batch, "errors": errors}) == accepted
        )
        assert "nobody knows" in description

    def test_counts_have_three_members(self, contract: Document) -> None:
        """`request_counts` is null, empty, or has the three documented members."""
        counts = value(contract, "/components/schemas/RequestCounts")

        assert counts["properties"].keys() == {"total", "completed", "failed"}
        assert "required" not in counts

    @pytest.mark.parametrize("field", ["id", "status", "created_at", "errors", "output_file_id"])
    def test_has_required_fields(self, contract: Document, field: str) -> None:
        """The fields that every published example has are required."""
        batch = value(contract, "/components/examples/BatchInQueue/value")
        rest = {key: item for key, item in batch.items() if key != field}

        assert not accepts(contract, response_schema("POST /batches", 200), rest)
