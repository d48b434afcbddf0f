"""
openapi.yaml by itself: valid, complete, and right about the limits that the documents give.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from contract.document import Document, accepts, escape, locate, operations
from contract.ledger import read_contract
from contract.vendor_pages import response_schema

CONTRACT = read_contract()
OPERATIONS = [f"{method.upper()} {path}" for method, path in operations(CONTRACT)]
STATUSES = {"200", "400", "401", "403", "404", "429", "500", "503", "504"}
WINDOW = "/components/schemas/CompletionWindow"
METADATA = "/components/schemas/BatchMetadata"


def pointer(operation: str, rest: str = "") -> str:
    method, path = operation.split()
    return f"/paths/{escape(path)}/{method.lower()}{rest}"


def value(document: Document, place: str) -> Any:
    return locate(document, place)[1]


def media(document: Document) -> Iterator[str]:
    """
    The place of every media type of every request and response.
    """
    for operation in OPERATIONS:
        places = [
            pointer(operation, f"/responses/{status}")
            for status in value(document, pointer(operation, "/responses"))
        ]
        if "requestBody" in value(document, pointer(operation)):
            places.append(pointer(operation, "/requestBody"))
        for place in places:
            for name in value(document, f"{place}/content"):
                yield f"{place}/content/{escape(name)}"


EXAMPLES = [
    (f"{place}/examples/{name}/value", f"{place}/schema")
    for place in media(CONTRACT)
    for name in value(CONTRACT, place).get("examples", ())
]


class TestDocument:
    def test_is_valid_openapi(self, contract: Document) -> None:
        """
        openapi-spec-validator has nothing to say.
        """
        assert [str(error) for error in OpenAPIV31SpecValidator(contract).iter_errors()] == []

    def test_names_each_operation_once(self, contract: Document) -> None:
        """
        Every operation has an operationId, and no two share one.
        """
        names = [value(contract, pointer(operation, "/operationId")) for operation in OPERATIONS]

        assert len(names) == len(set(names)) == 7

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_documents_every_status(self, contract: Document, operation: str) -> None:
        """
        Every operation answers with each status that any document of the vendor shows.
        """
        assert set(value(contract, pointer(operation, "/responses"))) == STATUSES

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_asks_for_a_key(self, contract: Document, operation: str) -> None:
        """
        Every operation takes the bearer token, and says so itself.
        """
        assert value(contract, pointer(operation, "/security")) == [{"bearerAuth": []}]

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_requires_every_body(self, contract: Document, operation: str) -> None:
        """
        An operation that takes a body requires it.
        """
        body = value(contract, pointer(operation)).get("requestBody")

        assert body is None or body["required"] is True

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_marks_what_no_page_documents(self, contract: Document, operation: str) -> None:
        """
        The operation that no page of the vendor documents is marked, and no other is.
        """
        marked = "x-undocumented-by-vendor" in value(contract, pointer(operation))

        assert marked == (operation == "GET /files/{file_id}/content")

    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize("status", ["401", "403", "404", "429", "500", "503", "504"])
    def test_has_errors_read_as_text(self, contract: Document, operation: str, status: str) -> None:
        """
        text/plain comes first where a body was seen that is no JSON, so that it is read as text.
        """
        content = value(contract, pointer(operation, f"/responses/{status}/content"))

        assert next(iter(content)) == "text/plain"


class TestExamples:
    @pytest.mark.parametrize(("example", "schema"), EXAMPLES)
    def test_fits_its_schema(self, contract: Document, example: str, schema: str) -> None:
        """
        Every example is accepted by the schema beside it.
        """
        assert accepts(contract, schema, value(contract, example))

    def test_is_used(self, contract: Document) -> None:
        """
        Every example among the components is shown by an operation.
        """
        shown = [locate(contract, example.removesuffix("/value"))[0] for example, _ in EXAMPLES]

        assert {place.rpartition("/")[2] for place in shown} == set(
            value(contract, "/components/examples")
        )

    def test_page_is_bounded_by_its_own_batches(self, contract: Document) -> None:
        """
        The example page's `first_id` and `last_id` are the ids of its first and its last batch.
        """
        page = value(contract, "/components/examples/BatchPage/value")

        assert page["first_id"] == page["data"][0]["id"]
        assert page["last_id"] == page["data"][-1]["id"]


class TestCompletionWindow:
    def test_is_24_to_336_hours(self, contract: Document) -> None:
        """
        Every whole number of hours from 24 to 336 is a window; 23 are too few, 337 too many.
        """
        windows = [hours for hours in range(-30, 430) if accepts(contract, WINDOW, f"{hours}h")]

        assert windows == list(range(24, 337))

    @pytest.mark.parametrize(
        "window", ["", "24", "h", "024h", "24H", "24 h", " 24h", "24hh", "24.0h", "14d", 24, None]
    )
    def test_is_written_as_hours(self, contract: Document, window: object) -> None:
        """
        A window is digits and `h`, and nothing around them.
        """
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
    def test_keeps_its_limits(
        self, contract: Document, metadata: dict[str, Any], accepted: bool
    ) -> None:
        """
        Sixteen pairs, keys of 64 characters and values of 512 are the most; values are strings.
        """
        assert accepts(contract, METADATA, metadata) == accepted


class TestCreateBatchRequest:
    @pytest.mark.parametrize("field", ["input_file_id", "endpoint", "completion_window"])
    def test_needs_its_three_fields(self, contract: Document, field: str) -> None:
        """
        A request without a file, an endpoint or a window is refused.
        """
        request = value(contract, "/components/examples/CreateBatchRequest/value")
        rest = {key: item for key, item in request.items() if key != field}

        assert accepts(contract, "/components/schemas/CreateBatchRequest", request)
        assert not accepts(contract, "/components/schemas/CreateBatchRequest", rest)

    @pytest.mark.parametrize("field", ["metadata", "replace"])
    def test_does_without_the_others(self, contract: Document, field: str) -> None:
        """
        Metadata and a replacement are optional.
        """
        request = value(contract, "/components/examples/CreateBatchRequest/value")
        rest = {key: item for key, item in request.items() if key != field}

        assert accepts(contract, "/components/schemas/CreateBatchRequest", rest)


class TestBatch:
    @pytest.mark.parametrize("status", ["in_queue", "failed", "paused", "a status of tomorrow"])
    def test_has_any_status(self, contract: Document, status: str) -> None:
        """
        A status that no document names does not make a batch invalid.
        """
        batch = value(contract, "/components/examples/BatchInQueue/value")

        assert accepts(contract, "/components/schemas/Batch", {**batch, "status": status})

    @pytest.mark.parametrize("field", ["id", "status", "created_at", "errors", "output_file_id"])
    def test_has_every_required_field(self, contract: Document, field: str) -> None:
        """
        A batch without one of the fields that every example has is no batch.
        """
        batch = value(contract, "/components/examples/BatchInQueue/value")
        rest = {key: item for key, item in batch.items() if key != field}

        assert not accepts(contract, response_schema("POST /batches", 200), rest)
