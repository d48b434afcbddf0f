"""Keys: without one, with a wrong one, with another account's."""

import pytest

from .requirements import expect, requirement
from .target import Target, json_lines

OPERATIONS = [
    ("POST", "/batches"),
    ("GET", "/batches"),
    ("GET", "/batches/batch_x"),
    ("POST", "/batches/batch_x/cancel"),
    ("POST", "/files"),
    ("GET", "/files"),
    ("GET", "/files/file-x/content"),
]
NOT_BEARER = ["{key}", "Basic {key}", "Token {key}", "Bearer", "Bearer{key}", "Bearer  x {key}"]

every_operation = pytest.mark.parametrize(
    ("method", "path"), OPERATIONS, ids=[" ".join(row) for row in OPERATIONS]
)


def refused(target: Target, method: str, path: str, authorization: str | None) -> None:
    answer = target.request(method, path, authorization=authorization)
    expect(answer.status_code == 401, "401", f"{answer.status_code} {answer.text}")


@requirement("AUTH-1")
@every_operation
def test_no_key(target: Target, method: str, path: str) -> None:
    """Nothing is told to nobody."""
    refused(target, method, path, None)


@requirement("AUTH-2")
@every_operation
def test_wrong_key(target: Target, method: str, path: str) -> None:
    """A key that was never given out opens nothing."""
    refused(target, method, path, "Bearer sk-thisisnokey")


@requirement("AUTH-3")
@pytest.mark.parametrize("authorization", NOT_BEARER)
def test_not_bearer(target: Target, authorization: str) -> None:
    """The right key in the wrong words opens nothing."""
    refused(target, "GET", "/batches", authorization.format(key=target.key))


@requirement("AUTH-4")
def test_words(target: Target) -> None:
    """The refusal is a string, not an object."""
    answer = target.request("GET", "/batches", authorization=None)

    expect(not answer.text.lstrip().startswith(("{", "[")), "a string", answer.text)


@requirement("OWNER-1")
def test_retrieve(target: Target, stranger: Target, input_file: str) -> None:
    """A stranger does not learn that a batch exists."""
    batch_id = target.batch(input_file)["id"]

    answer = stranger.request("GET", f"/batches/{batch_id}")

    expect(answer.status_code == 404, "404", f"{answer.status_code} {answer.text}")


@requirement("OWNER-2")
def test_list(target: Target, stranger: Target, input_file: str) -> None:
    """A stranger's list holds the stranger's batches."""
    batch_id = target.batch(input_file)["id"]

    seen = [batch["id"] for batch in stranger.page(limit=100)["data"]]

    expect(batch_id not in seen, f"a list without {batch_id}", seen)


@requirement("OWNER-3")
def test_cancel(target: Target, stranger: Target, input_file: str) -> None:
    """A stranger stops nothing."""
    batch_id = target.batch(input_file)["id"]

    answer = stranger.cancel(batch_id)

    status = target.retrieve(batch_id)["status"]
    expect(answer.status_code == 404, "404", f"{answer.status_code} {answer.text}")
    expect(not status.startswith("cancel"), "a batch that goes on", status)


@requirement("OWNER-4")
def test_content(stranger: Target, input_file: str) -> None:
    """A stranger reads nothing."""
    answer = stranger.request("GET", f"/files/{input_file}/content")

    expect(answer.status_code == 404, "404", f"{answer.status_code} {answer.text}")


@requirement("OWNER-5")
def test_create(stranger: Target, input_file: str) -> None:
    """A stranger makes no batch of another's file."""
    answer = stranger.create(input_file)

    said = f"{answer.status_code} {answer.text}"
    expect(answer.status_code in (400, 403, 404), "400, 403 or 404", said)


@requirement("OWNER-6")
def test_files(target: Target, stranger: Target) -> None:
    """A stranger's list holds the stranger's files."""
    file_id = target.upload(json_lines(target.line())).json()["data"]["id"]

    seen = [file["id"] for file in stranger.files(limit=100)]

    expect(file_id not in seen, f"a list without {file_id}", seen)
