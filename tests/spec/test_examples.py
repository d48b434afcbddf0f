"""
The published example responses, validated by the published schemas and by openapi.yaml.
"""

from typing import Any

import pytest

from contract.document import Document, accepts, locate, response_schema
from contract.vendor_pages import Example, Page, judge, read_pages

EXAMPLES = [(page, example) for page in read_pages().values() for example in page.examples]
JSON = [(page, example) for page, example in EXAMPLES if example.text is None]
OBJECTS = [
    (page, example)
    for page, example in JSON
    if isinstance(example.body, dict) and not example.excerpt
]


def each_example(examples: list[tuple[Page, Example]]) -> pytest.MarkDecorator:
    ids = [f"{page.name}-{example.name}".replace(" ", "-") for page, example in examples]
    return pytest.mark.parametrize(("page", "example"), examples, ids=ids)


def corrected_schema(example: Example) -> str:
    return response_schema(example.operation, example.status)


@each_example(EXAMPLES)
def test_published_verdict_is_recorded(
    pages: dict[str, Page], page: Page, example: Example
) -> None:
    """`published/` records whether the published schema accepts the example."""
    assert judge(pages, page, example) == example.verdict


@each_example(JSON)
def test_corrected_schema_accepts(contract: Document, page: Page, example: Example) -> None:
    """openapi.yaml accepts every example, and each field of an excerpt."""
    schema = corrected_schema(example)

    if example.excerpt:
        for field, value in example.body.items():
            assert accepts(contract, f"{schema}/properties/{field}", value)
    else:
        assert accepts(contract, schema, example.body)


@each_example(OBJECTS)
def test_corrected_schema_requires_fields(contract: Document, page: Page, example: Example) -> None:
    """openapi.yaml rejects an example without any one of the required fields."""
    schema = corrected_schema(example)
    _, definition = locate(contract, schema)
    assert isinstance(definition, dict)
    # The schema of an error is a union, so it has no `required` of its own.
    required = definition.get("required", ["message", "data"])

    for field in required:
        rest = {key: value for key, value in example.body.items() if key != field}
        assert not accepts(contract, schema, rest), field


def test_text_is_accepted_as_text(contract: Document, pages: dict[str, Page]) -> None:
    """The published plain text of 429 is valid as `text/plain`."""
    example = pages["rate-limits"].example("rate limited")

    schema = response_schema(example.operation, example.status, "text/plain")
    assert accepts(contract, schema, example.text)


def test_few_examples_fit_the_published_schemas(pages: dict[str, Page]) -> None:
    """No published schema accepts an example of a batch, an uploaded file or a list of files."""
    accepted = {
        (page.name, example.name)
        for page in pages.values()
        for example in page.examples
        if judge(pages, page, example) == "accepted"
    }

    assert accepted == {
        ("list-batches", "page"),
        ("list-batches", "bad request"),
        ("list-batches", "unauthorized"),
        ("list-batches", "not found"),
        ("list-batches", "timeout"),
        ("retrieve-batch", "retrieved, in part"),
    }


def test_published_schema_rejects_its_own_examples(pages: dict[str, Page]) -> None:
    """The create page's schema rejects its own examples of null, eleven in all."""
    schema = response_schema("POST /batches", 200)
    document = pages["create-batch.com"].document
    properties: Any = locate(document, f"{schema}/properties")[1]

    rejected = {
        name
        for name, field in properties.items()
        if "example" in field
        and not accepts(document, f"{schema}/properties/{name}", field["example"])
    }

    assert rejected == {
        name for name, field in properties.items() if field.get("example", 0) is None
    }
    assert len(rejected) == 11
