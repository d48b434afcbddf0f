"""Authentication: no key, a wrong key, and the key of another account."""

import pytest

from ..checks import history, pages
from ..checks.creation import ENDPOINT
from ..checks.exchange import Exchange, the_batch
from ..requirements import NotJudged, requirement
from ..service.rig import Rig
from ..service.target import Target, id_of, json_lines
from .conftest import Checker

OPERATIONS = [
    ("POST", "/batches"),
    ("GET", "/batches"),
    ("GET", "/batches/{batch}"),
    ("POST", "/batches/{batch}/cancel"),
    ("POST", "/files"),
    ("GET", "/files"),
    ("GET", "/files/{file}/content"),
]
NOT_BEARER = ["{key}", "Basic {key}", "Bearer", "Bearer{key}"]

every_operation = pytest.mark.parametrize(
    ("method", "path"), OPERATIONS, ids=[" ".join(row) for row in OPERATIONS]
)


@pytest.fixture(scope="session")
def batch(rig: Rig, request: pytest.FixtureRequest) -> Exchange:
    """A batch of the first account; where batches are paid for, one that other cases created."""
    if not rig.target.budget.unmetered:
        lifecycle: list[Exchange] = request.getfixturevalue("lifecycle")
        return lifecycle[0]
    return rig.target.batch(rig.target.input_file(rig.target.line()))


@pytest.fixture(scope="session")
def ids(rig: Rig, request: pytest.FixtureRequest) -> dict[str, str]:
    """
    The ids for {batch} and {file} in a path.

    Where nothing may be created, the ids name nothing: objects of other programs are never touched.
    """
    budget = rig.target.budget
    if not (budget.unmetered or budget.writes):
        return {"batch": "batch_thereisnone", "file": "file-thereisnone"}
    batch: Exchange = request.getfixturevalue("batch")
    return {"batch": id_of(batch), "file": str(the_batch(batch).get("input_file_id"))}


@requirement("AUTH-1")
@every_operation
def test_no_key(target: Target, ids: dict[str, str], method: str, path: str) -> None:
    """A request without a key is refused."""
    target.request(method, path.format(**ids), authorization=None)


@requirement("AUTH-2")
@every_operation
def test_wrong_key(target: Target, ids: dict[str, str], method: str, path: str) -> None:
    """An unknown key is refused."""
    target.request(method, path.format(**ids), authorization="Bearer sk-thisisnokey")


@requirement("AUTH-2")
def test_longer_key(target: Target) -> None:
    """A key with one more character is another key."""
    target.request("GET", "/batches", authorization="Bearer {key}x")


@requirement("AUTH-2")
def test_key_in_other_case(target: Target) -> None:
    """Keys are case-sensitive."""
    if target.key.swapcase() == target.key:
        raise NotJudged("the key has no letters")
    target.request("GET", "/batches", authorization="Bearer {KEY}")


@requirement("AUTH-5")
def test_refused_key_does_nothing(target: Target, input_file: str, check: Checker) -> None:
    """A refused request has no effect."""
    metadata, wrong = {"refused": "key"}, "Bearer sk-thisisnokey"
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": "24h"}
    creation = {**body, "metadata": metadata}
    target.request("POST", "/batches", json=creation, authorization=wrong)
    created = target.batch(input_file)
    target.request("POST", f"/batches/{id_of(created)}/cancel", authorization=wrong)

    check(history.is_not_cancelled, target.retrieve(id_of(created)))
    check(pages.lists_batches_with_metadata, target.page_with(created, limit=5), metadata, 0)


@requirement("AUTH-3")
@pytest.mark.parametrize("authorization", NOT_BEARER)
def test_not_bearer(target: Target, authorization: str) -> None:
    """A header with the key and another scheme is refused."""
    target.request("GET", "/batches", authorization=authorization)


@requirement("OWNER-1")
def test_retrieve(batch: Exchange, stranger: Target) -> None:
    """Another account's batch is not found."""
    stranger.retrieve(id_of(batch))


@requirement("OWNER-2")
def test_list(target: Target, batch: Exchange, stranger: Target) -> None:
    """A list leaves out the batches of other accounts, also if the owner has just read it."""
    target.page(limit=100)
    stranger.page(limit=100)


@requirement("OWNER-7")
def test_list_after(batch: Exchange, stranger: Target, check: Checker) -> None:
    """`after` does not accept another account's batch."""
    stranger.create(stranger.input_file(stranger.line()))

    check(pages.is_refused_or_empty, stranger.page(limit=2, after=id_of(batch)))


@requirement("OWNER-3")
def test_cancel(batch: Exchange, stranger: Target) -> None:
    """Another account's batch cannot be cancelled."""
    stranger.cancel(id_of(batch))


@requirement("OWNER-4")
def test_content(batch: Exchange, stranger: Target) -> None:
    """Another account's file cannot be downloaded."""
    stranger.download(str(the_batch(batch)["input_file_id"]))


@requirement("OWNER-5")
def test_create(batch: Exchange, stranger: Target) -> None:
    """A batch cannot use another account's file."""
    stranger.create(str(the_batch(batch)["input_file_id"]))


@requirement("OWNER-6")
def test_files(target: Target, stranger: Target) -> None:
    """A list leaves out the files of other accounts."""
    target.upload(json_lines(target.line()))
    stranger.files(limit=100)
