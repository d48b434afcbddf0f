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


def files_page(number: int) -> Any:
    data = [{**FILE, "id": f"file-{n}"} for n in range(number)]
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


def test_a_limit_of_the_caller_is_kept(client: Any, server: ScriptedServer) -> None:
    """A service that ignores `limit` does not make the list longer, and that is no error."""
    server.script = [files_page(12)]

    assert [file.id for file in client.files(limit=2)] == ["file-0", "file-1"]
