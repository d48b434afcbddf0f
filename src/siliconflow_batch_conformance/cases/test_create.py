"""POST /batches: what is taken, what is refused, and what comes back."""

import json
from typing import Any

import pytest

from ..checks import bodies, pages, shapes
from ..checks.exchange import Exchange
from ..requirements import Blocked, requirement
from ..service.target import ENDPOINT, Target, json_lines
from .conftest import Expect

NOTES = {"Description": " nightly eval job ", "größe": "名前 \U0001f600", "empty": ""}
WINDOWS_OUT_OF_RANGE = ["23h", "337h", "0h"]
WINDOWS_MALFORMED = ["", "24", "1d", "24.5h", "-24h", 24, None]
METADATA_TAKEN = {
    "CREATE-10": {f"key-{number}": "value" for number in range(16)},
    "CREATE-11": {"k" * 64: "value"},
    "CREATE-12": {"key": "é" * 512},
}
METADATA_REFUSED = {
    "CREATE-10": {f"key-{number}": "value" for number in range(17)},
    "CREATE-11": {"k" * 65: "value"},
    "CREATE-12": {"key": "v" * 513},
}
NOT_STRINGS: list[Any] = [1, None, {"a": "b"}]
NOT_OBJECTS = [b"", b"[]", b'{"input_file_id": NaN}', b"\xff\xfe"]


def by_requirement(rows: dict[str, Any]) -> list[Any]:
    return [pytest.param(row, marks=requirement(id), id=id) for id, row in rows.items()]


@requirement("CREATE-21")
def test_taken(target: Target, input_file: str, expect: Expect) -> None:
    """A creation with the three required fields is taken."""
    expect(shapes.status_is, target.create(input_file), 200)


@requirement("CREATE-2")
def test_metadata(target: Target, input_file: str) -> None:
    """Metadata comes back pair for pair, whatever its letters."""
    target.create(input_file, metadata=NOTES)


@requirement("CREATE-3")
def test_no_metadata(target: Target, input_file: str, expect: Expect) -> None:
    """Nothing is noted on a batch that its creator did not note."""
    expect(bodies.echoes_metadata, target.batch(input_file, marked=False))


@requirement("CREATE-5")
def test_expiry(target: Target, input_file: str) -> None:
    """A batch expires as long after its creation as its window says."""
    target.create(input_file, completion_window="25h")


@requirement("CREATE-7")
@pytest.mark.parametrize("window", ["24h", "25h", "336h"])
def test_window_taken(target: Target, input_file: str, window: str, expect: Expect) -> None:
    """The shortest and the longest window are taken."""
    expect(shapes.status_is, target.create(input_file, completion_window=window), 200)


@requirement("CREATE-8")
@pytest.mark.parametrize("window", WINDOWS_OUT_OF_RANGE)
def test_window_out_of_range(target: Target, input_file: str, window: str) -> None:
    """A window beyond the limits is refused."""
    target.create(input_file, completion_window=window)


@requirement("CREATE-9")
@pytest.mark.parametrize("window", WINDOWS_MALFORMED)
def test_window_malformed(target: Target, input_file: str, window: Any) -> None:
    """A window that is not written as hours is refused."""
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": window}

    target.request("POST", "/batches", json=body)


@pytest.mark.parametrize("metadata", by_requirement(METADATA_TAKEN))
def test_metadata_at_limit(
    target: Target, input_file: str, metadata: dict[str, str], expect: Expect
) -> None:
    """Metadata at its limit is taken."""
    expect(shapes.status_is, target.create(input_file, metadata=metadata), 200)


@pytest.mark.parametrize("metadata", by_requirement(METADATA_REFUSED))
def test_metadata_over_limit(target: Target, input_file: str, metadata: dict[str, str]) -> None:
    """Metadata one over its limit is refused."""
    target.create(input_file, metadata=metadata)


@requirement("CREATE-13")
@pytest.mark.parametrize("value", NOT_STRINGS)
def test_metadata_of_other_types(target: Target, input_file: str, value: Any) -> None:
    """A metadata value that is no string is refused, not turned into one."""
    target.create(input_file, metadata={"key": value})


@requirement("CREATE-14")
@pytest.mark.parametrize("endpoint", ["/v1/embeddings", "/chat/completions", ""])
def test_endpoint(target: Target, input_file: str, endpoint: str) -> None:
    """There is one endpoint; every other is refused."""
    target.create(input_file, endpoint=endpoint)


@requirement("CREATE-15")
@pytest.mark.parametrize("missing", ["input_file_id", "endpoint", "completion_window"])
def test_required(target: Target, input_file: str, missing: str) -> None:
    """A creation without a required field is refused."""
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": "24h"}
    del body[missing]

    target.request("POST", "/batches", json=body)


@requirement("CREATE-16")
def test_unknown_file(target: Target, expect: Expect) -> None:
    """A batch cannot be made of a file that was never uploaded."""
    upload = target.upload(json_lines(target.line()))

    expect(bodies.is_of_no_other_file, target.create("file-thereisnone"), upload)


@requirement("CREATE-17")
@pytest.mark.parametrize("body", NOT_OBJECTS)
def test_not_an_object(target: Target, body: bytes) -> None:
    """What is not a JSON object is refused, whatever it is."""
    target.request("POST", "/batches", content=body, headers={"Content-Type": "application/json"})


@requirement("CREATE-18")
def test_refusal_changes_nothing(target: Target, input_file: str, expect: Expect) -> None:
    """After a refusal the list is as it was before."""
    notes = {"refused": input_file}
    before = target.page_with(target.batch(input_file), limit=3)
    refused = target.create(input_file, completion_window="23h", metadata=notes)
    if refused.status == 200:
        raise Blocked("a window of 23h was taken")

    after = target.page(limit=3)

    expect(pages.holds_one, after, notes, 0)
    if target.budget.loopback:  # where nobody else creates batches meanwhile
        expect(pages.is_the_same, before, after)


@requirement("CREATE-22")
def test_once(target: Target, input_file: str, expect: Expect) -> None:
    """One creation makes one batch."""
    notes = {"once": input_file}
    created = target.batch(input_file, metadata=notes)

    expect(pages.holds_one, target.page_with(created, limit=5), notes, 1)


@requirement("CREATE-20")
def test_twice(target: Target, input_file: str, expect: Expect) -> None:
    """The same creation, sent twice, makes two batches."""
    made = [target.batch(input_file) for _ in range(2)]

    expect(pages.holds_both, target.page_with(made[1], limit=5), made)


@requirement("CREATE-23")
def test_names_of_fields(target: Target, input_file: str, expect: Expect) -> None:
    """Spaces and the order of fields in a creation mean nothing."""
    body = {"completion_window": "24h", "endpoint": ENDPOINT, "input_file_id": input_file}
    content = json.dumps(body, indent=2).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}

    answer: Exchange = target.request("POST", "/batches", content=content, headers=headers)

    expect(shapes.status_is, answer, 200)
