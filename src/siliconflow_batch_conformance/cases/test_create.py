"""POST /batches: accepted and refused creations, and the batch in the response."""

import json
from typing import Any

import pytest

from ..checks import bodies, pages, shapes
from ..checks.creation import ENDPOINT
from ..requirements import Blocked, requirement
from ..service.target import Target, json_lines
from .conftest import Checker

METADATA = {"Description": " nightly eval job ", "größe": "名前 \U0001f600", "empty": ""}
# A list may keep some keys only, or convert values; each value is a string.
METADATA |= {"name": "nightly", "runs": "42", "final": "true", "none": "null"}
METADATA |= {"markup": "<a href='x'>&amp; \"quoted\" \\ %41 +</a>"}
WINDOWS_OUT_OF_RANGE = ["23h", "337h", "0h"]
WINDOWS_MALFORMED = ["", "24", "1d", "24.5h", "-24h", 24, None]
METADATA_AT_LIMIT = {
    "CREATE-10": {f"key-{number}": "value" for number in range(16)},
    "CREATE-11": {"k" * 64: "value"},
    "CREATE-12": {"key": "é" * 512},
}
METADATA_OVER_LIMIT = {
    "CREATE-25": {f"key-{number}": "value" for number in range(17)},
    "CREATE-26": {"k" * 65: "value"},
    "CREATE-27": {"key": "v" * 513},
}
NOT_STRINGS: list[Any] = [1, None, {"a": "b"}]
NOT_OBJECTS = [b"", b"[]", b'{"input_file_id": NaN}', b"\xff\xfe"]


def by_requirement(rows: dict[str, Any]) -> list[Any]:
    return [pytest.param(row, marks=requirement(id), id=id) for id, row in rows.items()]


@requirement("CREATE-21")
def test_required_fields(target: Target, input_file: str, check: Checker) -> None:
    """A creation with the three required fields is accepted."""
    check(shapes.is_accepted, target.create(input_file))


@requirement("CREATE-2")
def test_metadata(target: Target, input_file: str) -> None:
    """The batch has the metadata of the request, in any script."""
    target.create(input_file, metadata=METADATA)


@requirement("CREATE-3")
def test_no_metadata(target: Target, input_file: str, check: Checker) -> None:
    """A batch created without metadata has none."""
    check(bodies.echoes_metadata, target.batch(input_file, marked=False))


@requirement("CREATE-5")
def test_expiry(target: Target, input_file: str) -> None:
    """`expires_at` equals `created_at` plus `completion_window`."""
    target.create(input_file, completion_window="25h")


@requirement("CREATE-7")
@pytest.mark.parametrize("window", ["24h", "25h", "336h"])
def test_window_accepted(target: Target, input_file: str, window: str, check: Checker) -> None:
    """The shortest and the longest window are accepted."""
    check(shapes.is_accepted, target.create(input_file, completion_window=window))


@requirement("CREATE-8")
@pytest.mark.parametrize("window", WINDOWS_OUT_OF_RANGE)
def test_window_out_of_range(target: Target, input_file: str, window: str) -> None:
    """A window outside the limits is refused."""
    target.create(input_file, completion_window=window)


@requirement("CREATE-9")
@pytest.mark.parametrize("window", WINDOWS_MALFORMED)
def test_window_malformed(target: Target, input_file: str, window: Any) -> None:
    """A window that is not a number of hours is refused."""
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": window}

    target.request("POST", "/batches", json=body)


@pytest.mark.parametrize("metadata", by_requirement(METADATA_AT_LIMIT))
def test_metadata_at_limit(
    target: Target, input_file: str, metadata: dict[str, str], check: Checker
) -> None:
    """Metadata at its limit is accepted."""
    check(shapes.is_accepted, target.create(input_file, metadata=metadata))


@pytest.mark.parametrize("metadata", by_requirement(METADATA_OVER_LIMIT))
def test_metadata_over_limit(target: Target, input_file: str, metadata: dict[str, str]) -> None:
    """Metadata over its limit is refused."""
    target.create(input_file, metadata=metadata)


@requirement("CREATE-13")
@pytest.mark.parametrize("value", NOT_STRINGS)
def test_metadata_of_other_types(target: Target, input_file: str, value: Any) -> None:
    """A metadata value that is not a string is refused, not converted."""
    target.create(input_file, metadata={"key": value})


@requirement("CREATE-14")
@pytest.mark.parametrize("endpoint", ["/v1/embeddings", "/chat/completions", ""])
def test_endpoint(target: Target, input_file: str, endpoint: str) -> None:
    """Every endpoint but the documented one is refused."""
    target.create(input_file, endpoint=endpoint)


@requirement("CREATE-15")
@pytest.mark.parametrize("missing", ["input_file_id", "endpoint", "completion_window"])
def test_missing_field(target: Target, input_file: str, missing: str) -> None:
    """A creation without a required field is refused."""
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": "24h"}
    del body[missing]

    target.request("POST", "/batches", json=body)


@requirement("CREATE-16")
def test_unknown_file(target: Target, check: Checker) -> None:
    """A creation with an unknown input file is refused."""
    upload = target.upload(json_lines(target.line()))

    check(bodies.unknown_file_is_refused, target.create("file-thereisnone"), upload)


@requirement("CREATE-17")
@pytest.mark.parametrize("body", NOT_OBJECTS)
def test_not_an_object(target: Target, body: bytes) -> None:
    """A body that is not a JSON object is refused."""
    target.request("POST", "/batches", content=body, headers={"Content-Type": "application/json"})


@requirement("CREATE-18")
def test_refusal_changes_nothing(target: Target, input_file: str, check: Checker) -> None:
    """A refused creation does not change the list."""
    metadata = {"refused": input_file}
    before = target.page_with(target.batch(input_file), limit=3)
    refused = target.create(input_file, completion_window="23h", metadata=metadata)
    if refused.succeeded:
        raise Blocked("a window of 23h was accepted")

    after = target.page(**before.query)

    check(pages.lists_batches_with_metadata, after, metadata, 0)
    if target.budget.unmetered:  # where no other program creates batches
        check(pages.is_the_same_page, before, after)


@requirement("CREATE-22")
def test_once(target: Target, input_file: str, check: Checker) -> None:
    """One creation creates one batch."""
    metadata = {"once": input_file}
    created = target.batch(input_file, metadata=metadata)

    check(pages.lists_batches_with_metadata, target.page_with(created, limit=5), metadata, 1)


@requirement("CREATE-20")
def test_twice(target: Target, input_file: str, check: Checker) -> None:
    """Two equal creations create two batches."""
    created = [target.batch(input_file) for _ in range(2)]

    check(pages.lists_both_batches, target.page_with(*created, limit=5), created)


@requirement("CREATE-23")
def test_spaces_and_field_order(target: Target, input_file: str, check: Checker) -> None:
    """Spaces and the order of fields in a creation do not matter."""
    body = {"completion_window": "24h", "endpoint": ENDPOINT, "input_file_id": input_file}
    content = json.dumps(body, indent=2).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}

    response = target.request("POST", "/batches", content=content, headers=headers)

    check(shapes.is_accepted, response)


@requirement("CREATE-24")
def test_null_metadata(target: Target, input_file: str, check: Checker) -> None:
    """A creation with `metadata: null` is refused, or accepted as one without metadata."""
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": "24h"}

    response = target.request("POST", "/batches", json={**body, "metadata": None})

    check(shapes.status_is, response, 200, 201, 400)
