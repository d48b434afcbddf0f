"""POST /batches: what is taken, what is refused, and what comes back."""

import json
import time
from typing import Any

import pytest

from .requirements import expect, requirement
from .target import ENDPOINT, Target, json_of

WINDOWS_TAKEN = {"24h": 24, "336h": 336}
WINDOWS_OUT_OF_RANGE = ["23h", "337h", "0h", "1000h"]
WINDOWS_MALFORMED = ["", "24", "h", "1d", "24H", "24.5h", " 24h", "24h\n", "-24h", "٢٤h", 24, None]
METADATA_TAKEN = {
    "CREATE-10": {f"key-{number}": "value" for number in range(16)},
    "CREATE-11": {"k" * 64: "value"},
    "CREATE-12": {"key": "v" * 512},
}
METADATA_REFUSED = {
    "CREATE-10": {f"key-{number}": "value" for number in range(17)},
    "CREATE-11": {"k" * 65: "value"},
    "CREATE-12": {"key": "v" * 513},
}
NOT_STRINGS: list[Any] = [1, True, None, ["a"], {"a": "b"}]
NOT_OBJECTS = [b"", b"{", b"[]", b'"text"', b"null", b"1", b'{"input_file_id": NaN}', b"\xff\xfe"]


def refused(target: Target, input_file: str, **fields: Any) -> None:
    answer = target.create(input_file, **fields)
    expect(answer.status_code == 400, f"400 for {fields}", f"{answer.status_code} {answer.text}")


def by_requirement(rows: dict[str, Any]) -> list[Any]:
    return [pytest.param(row, marks=requirement(id), id=id) for id, row in rows.items()]


@requirement("CREATE-1")
def test_echo(target: Target, input_file: str) -> None:
    """What was asked for stands in the answer."""
    batch = target.batch(input_file, completion_window="48h")

    asked = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": "48h"}
    said = {name: batch.get(name) for name in asked}
    expect(said == asked, f"{asked}", said)


@requirement("CREATE-2")
def test_metadata(target: Target, input_file: str) -> None:
    """Metadata comes back pair for pair, whatever its letters."""
    sent = {"description": "nightly eval job", "größe": "名前 \U0001f600", "empty": ""}

    batch = target.batch(input_file, metadata=sent)

    expect(batch.get("metadata") == sent, f"metadata {sent}", batch.get("metadata"))


@requirement("CREATE-3")
def test_no_metadata(target: Target, input_file: str) -> None:
    """Nothing is noted on a batch that its creator did not note."""
    batch = target.batch(input_file)

    expect(not batch.get("metadata"), "metadata null or empty", batch.get("metadata"))


@requirement("CREATE-4")
def test_fresh(target: Target, input_file: str) -> None:
    """A new batch has neither results nor an end."""
    batch = target.batch(input_file)

    ends = [f"{status}_at" for status in ("completed", "failed", "expired", "cancelled")]
    early = {name: batch.get(name) for name in ("output_file_id", "error_file_id", *ends)}
    expect(not any(early.values()), "no results and no end", early)
    waiting = ("validating", "in_queue", "in_progress")
    expect(batch["status"] in waiting, f"a status of {waiting}", batch["status"])


@requirement("CREATE-5")
@pytest.mark.parametrize("hours", [24, 25, 336])
def test_expiry(target: Target, input_file: str, hours: int) -> None:
    """A batch expires as long after its creation as its window says."""
    batch = target.batch(input_file, completion_window=f"{hours}h")

    lifetime = batch["expires_at"] - batch["created_at"]
    expect(lifetime == hours * 3600, f"{hours * 3600} s from created_at to expires_at", lifetime)


@requirement("CREATE-6")
def test_created_at(target: Target, input_file: str) -> None:
    """The time of creation is now, give or take a day for clocks that differ."""
    created_at = target.batch(input_file)["created_at"]

    now = int(time.time())
    expect(abs(created_at - now) < 86_400, f"about {now} (Unix seconds)", created_at)


@requirement("CREATE-7")
@pytest.mark.parametrize("window", WINDOWS_TAKEN)
def test_window_taken(target: Target, input_file: str, window: str) -> None:
    """The shortest and the longest window are taken."""
    batch = target.batch(input_file, completion_window=window)

    said = batch["completion_window"]
    expect(said == window, f"completion_window {window!r}", said)


@requirement("CREATE-8")
@pytest.mark.parametrize("window", WINDOWS_OUT_OF_RANGE)
def test_window_out_of_range(target: Target, input_file: str, window: str) -> None:
    """A window beyond the limits is refused."""
    refused(target, input_file, completion_window=window)


@requirement("CREATE-9")
@pytest.mark.parametrize("window", WINDOWS_MALFORMED)
def test_window_malformed(target: Target, input_file: str, window: Any) -> None:
    """A window that is not written as hours is refused."""
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": window}

    answer = target.request("POST", "/batches", json=body)

    expect(answer.status_code == 400, f"400 for {window!r}", answer.status_code)


@pytest.mark.parametrize("metadata", by_requirement(METADATA_TAKEN))
def test_metadata_at_limit(target: Target, input_file: str, metadata: dict[str, str]) -> None:
    """Metadata at its limit is taken and kept."""
    batch = target.batch(input_file, metadata=metadata)

    expect(batch["metadata"] == metadata, f"metadata {metadata}", batch["metadata"])


@pytest.mark.parametrize("metadata", by_requirement(METADATA_REFUSED))
def test_metadata_over_limit(target: Target, input_file: str, metadata: dict[str, str]) -> None:
    """Metadata one over its limit is refused."""
    refused(target, input_file, metadata=metadata)


@requirement("CREATE-13")
@pytest.mark.parametrize("value", NOT_STRINGS)
def test_metadata_of_other_types(target: Target, input_file: str, value: Any) -> None:
    """A metadata value that is no string is refused, not turned into one."""
    refused(target, input_file, metadata={"key": value})


@requirement("CREATE-14")
@pytest.mark.parametrize("endpoint", ["/v1/embeddings", "/chat/completions", "", "nonsense"])
def test_endpoint(target: Target, input_file: str, endpoint: str) -> None:
    """There is one endpoint; every other is refused."""
    refused(target, input_file, endpoint=endpoint)


@requirement("CREATE-15")
@pytest.mark.parametrize("missing", ["input_file_id", "endpoint", "completion_window"])
def test_required(target: Target, input_file: str, missing: str) -> None:
    """A creation without a required field is refused."""
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": "24h"}
    del body[missing]

    answer = target.request("POST", "/batches", json=body)

    expect(answer.status_code == 400, f"400 without {missing}", answer.status_code)


@requirement("CREATE-16")
def test_unknown_file(target: Target) -> None:
    """A batch cannot be made of a file that was never uploaded."""
    answer = target.create("file-thereisnone")

    expect(answer.status_code in (400, 404), "400 or 404", f"{answer.status_code} {answer.text}")


@requirement("CREATE-17")
@pytest.mark.parametrize("body", NOT_OBJECTS)
def test_not_an_object(target: Target, body: bytes) -> None:
    """What is not a JSON object is refused, whatever it is."""
    headers = {"Content-Type": "application/json"}

    answer = target.request("POST", "/batches", content=body, headers=headers)

    expect(answer.status_code == 400, f"400 for {body!r}", f"{answer.status_code} {answer.text}")


@requirement("CREATE-18")
def test_refusal_changes_nothing(target: Target, input_file: str) -> None:
    """After a refusal the newest batch is the one that was the newest before."""
    newest = target.batch(input_file)["id"]

    answer = target.create(input_file, completion_window="23h")

    found = target.page(limit=1)["data"][0]["id"]
    expect(found == newest, f"the newest batch is {newest} after a {answer.status_code}", found)


@requirement("CREATE-19")
def test_refusal_explains(target: Target, input_file: str) -> None:
    """A refusal says why, under a code."""
    answer = target.create(input_file, completion_window="23h")

    try:
        body = json.loads(answer.content)
    except ValueError:
        body = answer.text
    explained = isinstance(body, dict) and {"code", "message", "data"} <= body.keys()
    expect(explained and bool(body["message"]), "an object with code, message and data", body)


@requirement("CREATE-20")
def test_twice(target: Target, input_file: str) -> None:
    """The same creation, sent twice, makes two batches."""
    first, second = json_of(target.create(input_file)), json_of(target.create(input_file))

    ids = [first["id"], second["id"]]
    expect(len(set(ids)) == 2, "two ids", ids)
