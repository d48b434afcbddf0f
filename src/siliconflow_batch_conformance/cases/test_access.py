"""Keys: without one, with a wrong one, with another account's."""

import pytest

from ..checks import history as across
from ..checks import pages
from ..checks.exchange import Exchange, the_batch
from ..requirements import NotJudged, requirement
from ..service.rig import Rig
from ..service.target import ENDPOINT, Target, id_of
from .conftest import Expect

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
    """A batch to keep from others; where a batch costs, one that is there for other cases."""
    if not rig.target.budget.loopback:
        history: list[Exchange] = request.getfixturevalue("history")
        return history[0]
    return rig.target.batch(rig.target.input_file(rig.target.line()))


@pytest.fixture(scope="session")
def ids(rig: Rig, request: pytest.FixtureRequest) -> dict[str, str]:
    """
    What stands for {batch} and {file} in a path.

    Where none may be created, names of nothing: what others made is not touched, whoever asks.
    """
    budget = rig.target.budget
    if not (budget.loopback or budget.writes):
        return {"batch": "batch_thereisnone", "file": "file-thereisnone"}
    batch: Exchange = request.getfixturevalue("batch")
    return {"batch": id_of(batch), "file": str(the_batch(batch).get("input_file_id"))}


@requirement("AUTH-1")
@every_operation
def test_no_key(target: Target, ids: dict[str, str], method: str, path: str) -> None:
    """Nothing is told to nobody."""
    target.request(method, path.format(**ids), authorization=None)


@requirement("AUTH-2")
@every_operation
def test_wrong_key(target: Target, ids: dict[str, str], method: str, path: str) -> None:
    """A key that was never given out opens nothing."""
    target.request(method, path.format(**ids), authorization="Bearer sk-thisisnokey")


@requirement("AUTH-2")
def test_longer_key(target: Target) -> None:
    """A key is not another that begins with it."""
    target.request("GET", "/batches", authorization="Bearer {key}x")


@requirement("AUTH-2")
def test_other_case(target: Target) -> None:
    """Capitals count in a key."""
    if target.key.swapcase() == target.key:
        raise NotJudged("the key has no letters")
    target.request("GET", "/batches", authorization="Bearer {KEY}")


@requirement("AUTH-5")
def test_refused_key_does_nothing(target: Target, input_file: str, expect: Expect) -> None:
    """What is asked with a wrong key is not done all the same."""
    notes, wrong = {"refused": "key"}, "Bearer sk-thisisnokey"
    body = {"input_file_id": input_file, "endpoint": ENDPOINT, "completion_window": "24h"}
    sent = {**body, "metadata": notes}
    target.request("POST", "/batches", json=sent, authorization=wrong)
    left = target.batch(input_file)
    target.request("POST", f"/batches/{id_of(left)}/cancel", authorization=wrong)

    expect(across.goes_on_uncancelled, target.retrieve(id_of(left)))
    expect(pages.holds_one, target.page_with(left, limit=5), notes, 0)


@requirement("AUTH-3")
@pytest.mark.parametrize("authorization", NOT_BEARER)
def test_not_bearer(target: Target, authorization: str) -> None:
    """The right key in the wrong words opens nothing."""
    target.request("GET", "/batches", authorization=authorization)


@requirement("OWNER-1")
def test_retrieve(batch: Exchange, stranger: Target) -> None:
    """A stranger does not learn that a batch exists."""
    stranger.retrieve(id_of(batch))


@requirement("OWNER-2")
def test_list(batch: Exchange, stranger: Target) -> None:
    """A stranger's list holds the stranger's batches."""
    stranger.page(limit=100)


@requirement("OWNER-7")
def test_place(batch: Exchange, stranger: Target, expect: Expect) -> None:
    """Another's batch is no place in a stranger's list."""
    stranger.create(stranger.input_file(stranger.line()))

    expect(pages.is_empty, stranger.page(limit=2, after=id_of(batch)))


@requirement("OWNER-3")
def test_cancel(batch: Exchange, stranger: Target) -> None:
    """A stranger stops nothing."""
    stranger.cancel(id_of(batch))


@requirement("OWNER-4")
def test_content(batch: Exchange, stranger: Target) -> None:
    """A stranger reads nothing."""
    stranger.download(str(the_batch(batch)["input_file_id"]))


@requirement("OWNER-5")
def test_create(batch: Exchange, stranger: Target) -> None:
    """A stranger makes no batch of another's file."""
    stranger.create(str(the_batch(batch)["input_file_id"]))


@requirement("OWNER-6")
def test_files(target: Target, stranger: Target) -> None:
    """A stranger's list holds the stranger's files."""
    target.upload(b"{}\n")
    stranger.files(limit=100)
