"""Lists of batches and of files: read to their end, or reported as not whole."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from siliconflow_batch import Retries, errors
from support.batches import BATCH
from support.scripted_server import ScriptedServer, answer

Open = Callable[..., Any]
FILE = {"object": "file", "bytes": 9, "filename": "a.jsonl", "line_count": 1, "created_at": 1}


def page(*numbers: int, **fields: Any) -> Any:
    """A page with the batches of these numbers, without `last_id`."""
    return answer({"data": [{**BATCH, "id": f"batch_{n}"} for n in numbers], **fields})


def files_page(number: int, *others: Any) -> Any:
    data = [*({**FILE, "id": f"file-{n}"} for n in range(number)), *others]
    return answer({"code": 20000, "data": {"object": "list", "data": data}})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(opened: Open, server: ScriptedServer) -> Any:
    return opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))


@pytest.mark.parametrize(
    "pages",
    {
        "has_more is false on every page": [page(1, 2, has_more=False), page(3, has_more=False)],
        "has_more is missing": [page(1, 2), page(3), page()],
        "has_more is text": [page(1, 2, has_more="false"), page(3), page()],
        "an empty page": [page(1, 2), page(has_more=True, last_id="batch_7"), page(3), page()],
        "batches are repeated": [page(1, 2), page(2, 3), page()],
    }.items(),
    ids=lambda row: row[0],
)
def test_a_list_is_read_to_its_end(
    client: Any, server: ScriptedServer, pages: tuple[str, list[Any]]
) -> None:
    """Every batch is yielded once, by the last id of each page."""
    server.script = list(pages[1])

    assert [batch.id for batch in client.batches()] == ["batch_1", "batch_2", "batch_3"]
    assert "after=batch_2" in server.received[1][0]


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ([page(1, 2, has_more=True)], "ignores `after`"),
        ([page(1, 2), page(has_more=True)], "empty page that says `has_more`"),
        ([answer({"data": [BATCH, {"status": "completed"}]})], "has no id"),
    ],
)
def test_a_list_that_is_not_whole_says_so(
    client: Any, server: ScriptedServer, pages: list[Any], reason: str
) -> None:
    """The exception says why there may be more."""
    server.script = list(pages)

    with pytest.raises(errors.ListIncomplete, match=reason):
        list(client.batches())


def test_files_are_asked_for_with_purpose_and_limit(client: Any, server: ScriptedServer) -> None:
    """Both are sent also if the caller gives no limit."""
    server.script = [files_page(12)]

    assert len(list(client.files())) == 12
    assert "purpose=batch" in server.received[0][0]
    assert "limit=" in server.received[0][0]


def test_files_may_be_more_than_a_service_shows(opened: Open, server: ScriptedServer) -> None:
    """A service that refuses a large limit shows ten files; there may be more."""
    client = opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))
    server.script = [answer({"code": 1, "message": "limit", "data": None}, 400), files_page(10)]

    with pytest.raises(errors.ListIncomplete, match="shows 10 files"):
        list(client.files())
    assert "limit" not in server.received[1][0]


@pytest.mark.parametrize(
    ("number", "limit"), [(10, None), (10, 21), (20, 30), (100, None), (500, 501)]
)
def test_a_service_that_caps_files_says_nothing_of_it(
    client: Any, server: ScriptedServer, number: int, limit: int | None
) -> None:
    """As many files as a service usually shows, for any limit, may be a part of the list."""
    server.script = [files_page(number)]
    with pytest.raises(errors.ListIncomplete, match=f"shows {number} files"):
        list(client.files(limit))


@pytest.mark.parametrize("number", [0, 1, 9, 11, 99])
def test_files_are_whole(client: Any, server: ScriptedServer, number: int) -> None:
    """Any other number of files is the whole list, for one request."""
    server.script = [files_page(number)]

    assert len(list(client.files())) == number
    assert len(server.received) == 1


def test_ten_files_are_whole_if_the_service_keeps_to_the_limit(
    client: Any, server: ScriptedServer
) -> None:
    """A second request shows whether the service heeds `limit`."""
    server.script = [files_page(10), files_page(5)]

    assert len(list(client.files())) == 10
    assert "limit=5" in server.received[1][0]


def test_a_file_without_an_id_is_reported(client: Any, server: ScriptedServer) -> None:
    """It cannot be used, and the list says at its end that it was left out."""
    server.script = [files_page(2, {"filename": "b.jsonl"})]

    with pytest.raises(errors.ListIncomplete, match="has no id"):
        list(client.files())


@pytest.mark.parametrize("item", [None, {}, {"id": 7}, {"id": ""}, "batch_9", []])
def test_an_item_without_an_id_hides_no_other(
    client: Any, server: ScriptedServer, item: Any
) -> None:
    """The list is read to its end, which says that an item was left out."""
    data = [{**BATCH, "id": "batch_1"}, item]
    server.script = [answer({"data": data}), page(2), page(3), page()]

    with pytest.raises(errors.ListIncomplete, match="has no id"):
        list(client.batches())

    assert [path.partition("after=")[2][:7] for path, _ in server.received][1:] == [
        "batch_1",
        "batch_2",
        "batch_3",
    ]


@pytest.mark.parametrize("listed", ["batches", "files"])
def test_a_list_without_items_may_be_null(client: Any, server: ScriptedServer, listed: str) -> None:
    """Some services write an empty list as null."""
    null = {"object": "list", "data": None, "has_more": False}
    server.script = [answer(null if listed == "batches" else {"code": 20000, "data": null})]

    assert list(getattr(client, listed)()) == []


def test_null_without_has_more_is_no_empty_list(client: Any, server: ScriptedServer) -> None:
    """An empty list can prove that a batch does not exist, so it must be clear."""
    server.script = [answer({"object": "list", "data": None})]

    with pytest.raises(errors.UnreadableAnswer):
        list(client.batches())


def test_a_limit_of_the_caller_is_kept(client: Any, server: ScriptedServer) -> None:
    """A service that ignores `limit` does not make the list longer, and that is no error."""
    server.script = [files_page(12)]

    assert [file.id for file in client.files(limit=2)] == ["file-0", "file-1"]
