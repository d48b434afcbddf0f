"""The walk over a list of batches: where it goes on, and where it ends."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from siliconflow_batch.creations.evidence import COMPLETE, UNPAGED, Reading
from siliconflow_batch.creations.list_walk import read
from siliconflow_batch.errors import BadRequest, ServiceUnavailable
from siliconflow_batch.steps import Call, Reply

Pages = Callable[[str | None, int | None], dict[str, Any]]
RESPONSE = httpx.Response(200, request=httpx.Request("GET", "http://x/v1/batches"))


def walked(pages: Pages, limit: int = 200) -> tuple[Reading, int]:
    """The reading of a list that answers with `pages(after, limit)`, and the number of requests."""
    flow, requests = read(lambda _: False), 0
    step = next(flow)
    while requests < limit:
        assert isinstance(step, Call)
        assert not callable(step.arguments)
        after, size = (
            value if isinstance(value, str | int) else None for value in step.arguments.values()
        )
        requests += 1
        try:
            reply = Reply(pages(after, size), RESPONSE)  # type: ignore[arg-type]
            step = flow.send(reply)
        except StopIteration as end:
            return end.value, requests
        except (BadRequest, ServiceUnavailable) as error:
            try:
                step = flow.throw(error)
            except StopIteration as end:
                return end.value, requests
    raise AssertionError("the walk does not end")


def items(ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": id, "status": "completed"} for id in ids]


def paged(number: int, cap: int = 100, **fields: Any) -> Pages:
    """A list of `number` batches, at most `cap` on a page; `fields` replace those of the page."""
    ids = [f"batch_{n}" for n in range(number)]

    def page(after: str | None, limit: int | None) -> dict[str, Any]:
        start = ids.index(after) + 1 if after in ids else 0
        shown = ids[start : start + min(limit or cap, cap)]
        has_more = start + len(shown) < number
        last = shown[-1] if shown else None
        return {"data": items(shown), "has_more": has_more, "last_id": last, **fields}

    return page


@pytest.mark.parametrize("number", [0, 1, 7, 20, 100, 137, 250])
@pytest.mark.parametrize(
    "fields", [{}, {"has_more": False}, {"has_more": None}, {"last_id": None}, {"last_id": 5}]
)
@pytest.mark.parametrize("cap", [20, 23, 100])
def test_a_list_that_can_be_paged(number: int, fields: dict[str, Any], cap: int) -> None:
    """The walk sees every batch once, whatever `has_more` and `last_id` say."""
    reading, requests = walked(paged(number, cap, **fields))

    assert [batch.id for batch in reading.batches] == [f"batch_{n}" for n in range(number)]
    assert reading.end == COMPLETE
    assert requests <= number // cap + 2


@pytest.mark.parametrize("number", [1, 7, 20, 250])
def test_a_list_without_paging(number: int) -> None:
    """A service that ignores `limit` and `after` shows the whole list on each page."""
    whole = paged(number, cap=1000)

    reading, _ = walked(lambda _, __: whole(None, 1000))

    assert (len(reading.batches), reading.end) == (number, UNPAGED)


def test_a_list_whose_after_is_ignored() -> None:
    """Only the first page can be read, and the walk says so."""
    pages = paged(150)

    reading, _ = walked(lambda _, limit: pages(None, limit))

    assert reading.end == "the list cannot be paged: the service ignores `after`"


def test_a_cut_list_whose_has_more_is_always_false() -> None:
    """`has_more: false` is not believed if it is wrong for a page of one."""
    pages = paged(150, cap=23, has_more=False)

    reading, _ = walked(lambda _, limit: pages(None, limit))

    assert "ignores `after`" in reading.end


def test_a_list_that_grows_while_it_is_read() -> None:
    """A service whose other users create batches all the time, oldest first, has an end as well."""
    numbers = itertools.count(30)

    def growing(after: str | None, limit: int | None) -> dict[str, Any]:
        return paged(next(numbers))(after, limit)

    reading, requests = walked(growing)

    assert (len(reading.batches), reading.end, requests) == (31, COMPLETE, 2)


@pytest.mark.parametrize("fields", [{"has_more": True}, {}, {"has_more": False}])
def test_an_empty_page_in_the_middle(fields: dict[str, bool]) -> None:
    """The walk goes on after the new `last_id` of an empty page, whatever its `has_more`."""
    pages: dict[str | None, dict[str, Any]] = {
        None: {"data": items(["batch_a"]), "has_more": True, "last_id": "batch_a"},
        "batch_a": {"data": [], "last_id": "batch_b", **fields},
        "batch_b": {"data": items(["batch_c"]), "has_more": False, "last_id": "batch_c"},
        "batch_c": {"data": [], "has_more": False, "last_id": None},
    }

    reading, _ = walked(lambda after, _: pages[after])

    assert [batch.id for batch in reading.batches] == ["batch_a", "batch_c"]
    assert reading.end == COMPLETE


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"data": [{"status": "completed"}], "has_more": False}, "an item of the list has no id"),
        ({"data": [], "has_more": True}, "an empty page that says `has_more`"),
        ({"data": None}, "could not be read"),
    ],
)
def test_a_list_that_cannot_be_believed(page: dict[str, Any], reason: str) -> None:
    """The walk ends with the reason."""
    reading, _ = walked(lambda *_: page)

    assert reason in reading.end


def test_a_limit_that_is_refused() -> None:
    """A service that allows fewer batches on a page is asked without `limit`."""
    pages = paged(30, cap=20)

    def refusing(after: str | None, limit: int | None) -> dict[str, Any]:
        if limit is not None and limit > 50:
            raise BadRequest(400, "limit is too large")
        return pages(after, limit)

    reading, _ = walked(refusing)

    assert (len(reading.batches), reading.end) == (30, COMPLETE)


def test_an_error_ends_the_walk() -> None:
    """The batches that were read are kept, with the error as the reason."""
    pages = paged(150)

    def failing(after: str | None, limit: int | None) -> dict[str, Any]:
        if after is not None:
            raise ServiceUnavailable(503, "overloaded")
        return pages(after, limit)

    reading, _ = walked(failing)

    assert len(reading.batches) == 100
    assert "overloaded" in reading.end
