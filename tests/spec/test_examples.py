"""
Every example response of the sources, before the published schema and before the corrected one.
"""

from typing import Any

import pytest

from contract.document import Document, accepts, locate
from contract.vendor_pages import Example, Page, judge, read_pages, response_schema

EXAMPLES = [(page, example) for page in read_pages().values() for example in page.examples]
JSON = [(page, example) for page, example in EXAMPLES if example.text is None]
OBJECTS = [
    (page, example)
    for page, example in JSON
    if isinstance(example.body, dict) and not example.excerpt
]


def named(examples: list[tuple[Page, Example]]) -> pytest.MarkDecorator:
    ids = [f"{page.name}-{example.name}".replace(" ", "-") for page, example in examples]
    return pytest.mark.parametrize(("page", "example"), examples, ids=ids)


def corrected_schema(example: Example) -> str:
    return response_schema(example.operation, example.status)


@named(EXAMPLES)
def test_published_schema_judges_as_recorded(
    pages: dict[str, Page], page: Page, example: Example
) -> None:
    """
    The published schema accepts, rejects, or does not know the example, as `published/` records.
    """
    assert judge(pages, page, example) == example.verdict


@named(JSON)
def test_corrected_schema_accepts(contract: Document, page: Page, example: Example) -> None:
    """
    openapi.yaml accepts every example; of an excerpt, each field by itself.
    """
    schema = corrected_schema(example)

    if example.excerpt:
        for field, value in example.body.items():
            assert accepts(contract, f"{schema}/properties/{field}", value)
    else:
        assert accepts(contract, schema, example.body)


@named(OBJECTS)
def test_corrected_schema_still_refuses(contract: Document, page: Page, example: Example) -> None:
    """
    openapi.yaml refuses the same example as soon as any required field is missing.
    """
    schema = corrected_schema(example)
    _, found = locate(contract, schema)
    assert isinstance(found, dict)
    # The body of 503 is one of two shapes, so its schema has no `required` of its own.
    required = found.get("required", ["code", "message", "data"])

    for field in required:
        rest = {key: value for key, value in example.body.items() if key != field}
        assert not accepts(contract, schema, rest), field


def test_text_is_accepted_as_text(contract: Document, pages: dict[str, Page]) -> None:
    """
    The bare words of 429 are documented as text, whatever their content type says.
    """
    example = pages["rate-limits"].example("rate limited")

    schema = response_schema(example.operation, example.status, "text/plain")
    assert accepts(contract, schema, example.text)


def test_most_examples_do_not_fit_what_is_published(pages: dict[str, Page]) -> None:
    """
    No published schema accepts an example of a whole batch, an uploaded file or a list of files.
    """
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


def test_published_schema_refuses_its_own_examples(pages: dict[str, Page]) -> None:
    """
    The create page's schema refuses eleven of the examples that stand in it, all of them null.
    """
    schema = response_schema("POST /batches", 200)
    document = pages["create-batch.com"].document
    properties: Any = locate(document, f"{schema}/properties")[1]

    refused = {
        name
        for name, field in properties.items()
        if "example" in field
        and not accepts(document, f"{schema}/properties/{name}", field["example"])
    }

    assert refused == {
        name for name, field in properties.items() if field.get("example", 0) is None
    }
    assert len(refused) == 11
