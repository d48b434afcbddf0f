"""GET /batches: pages, their order and their ends."""

import itertools
from collections.abc import Iterator

import pytest

from ..checks import pages as paging
from ..checks import shapes
from ..checks.exchange import Exchange
from ..requirements import Inconclusive, requirement
from ..service.target import Target, id_of
from .conftest import Expect

OUT_OF_RANGE = ["0", "-1"]
NOT_NUMBERS = ["ten", "", "1.5"]


def pages_of(target: Target, limit: int, most: int = 100) -> Iterator[Exchange]:
    """The pages from the newest batch on, for as long as there is more."""
    query: dict[str, object] = {"limit": limit}
    for _ in range(most):
        page = target.page(**query)
        yield page
        found = paging.ids(page)
        if not found or page.json.get("has_more") is not True:
            return
        query["after"] = found[-1]
    raise Inconclusive(f"the list goes on behind {most} pages of {limit}")


def walk(target: Target, limit: int, until: str) -> list[Exchange]:
    """The pages from the newest batch to the one named."""
    pages = []
    for page in pages_of(target, limit):
        pages.append(page)
        if until in paging.ids(page):
            break
    return pages


@requirement("LIST-13")
def test_page(target: Target, listed: list[Exchange], expect: Expect) -> None:
    """The list can be read without a word about its size or place."""
    expect(shapes.status_is, target.page(), 200)


@requirement("LIST-4")
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_limit(target: Target, listed: list[Exchange], limit: int, expect: Expect) -> None:
    """No page is longer than asked for; with more to come, none is shorter."""
    expect(paging.is_as_long_as, target.page(limit=limit), listed)


@requirement("LIST-3")
def test_after(target: Target, listed: list[Exchange], expect: Expect) -> None:
    """A page with `after` begins right behind the batch that it names, wherever that is."""
    whole = target.page(limit=5)
    for number, id in enumerate(paging.ids(whole)[:4]):
        page = target.page(limit=4 - number, after=id)
        expect(paging.is_the_rest, page, whole)


@requirement("LIST-5")
@pytest.mark.parametrize("limit", [2, 3])
def test_walk(target: Target, listed: list[Exchange], limit: int, expect: Expect) -> None:
    """Going from page to page meets every batch once, the newest first."""
    expect(paging.holds_every_batch, walk(target, limit, id_of(listed[0])), listed)


@requirement("LIST-6")
@pytest.mark.parametrize("limit", [25])
def test_end(target: Target, listed: list[Exchange], limit: int, expect: Expect) -> None:
    """There is more as long as there is, and at the very end there is not."""
    pages = list(pages_of(target, limit))
    if found := paging.ids(pages[-1]):
        pages.append(target.page(limit=limit, after=found[-1]))

    for page, following in itertools.pairwise(pages):
        expect(paging.tells_of_more, page, following)


@requirement("LIST-6")
def test_exact_end(target: Target, listed: list[Exchange], expect: Expect) -> None:
    """A page that ends with the last batch of all says so; one that ends before it does not."""
    *_, last = pages_of(target, 100)
    for place, after in enumerate(paging.ids(last)[-3:-1]):
        page = target.page(limit=1, after=after)
        if found := paging.ids(page):
            expect(paging.tells_of_more, page, target.page(limit=1 + place, after=found[0]))


@requirement("LIST-6")
def test_default_end(target: Target, listed: list[Exchange], expect: Expect) -> None:
    """A page of the length that the service chooses tells of more just the same."""
    page = target.page()
    if found := paging.ids(page):
        expect(paging.tells_of_more, page, target.page(limit=1, after=found[-1]))


@requirement("LIST-14")
def test_behind_the_last(target: Target, listed: list[Exchange], expect: Expect) -> None:
    """Behind the last batch of all stands nothing."""
    *_, last = pages_of(target, 100)

    expect(paging.is_empty, target.page(limit=2, after=paging.ids(last)[-1]))


@requirement("LIST-7")
@pytest.mark.parametrize("limit", OUT_OF_RANGE)
def test_limit_below_one(target: Target, limit: str, expect: Expect) -> None:
    """Less than one batch cannot be asked for."""
    expect(shapes.status_is, target.page(limit=limit), 400)


@requirement("LIST-8")
@pytest.mark.parametrize("limit", NOT_NUMBERS)
def test_limit_no_number(target: Target, limit: str, expect: Expect) -> None:
    """A limit is a whole number."""
    expect(shapes.status_is, target.page(limit=limit), 400)


@requirement("LIST-9")
def test_like_retrieved(target: Target, completed: Exchange) -> None:
    """List and retrieve tell the same of a finished batch."""
    walk(target, 20, id_of(completed))


@requirement("LIST-10")
def test_file_name(target: Target, expect: Expect) -> None:
    """The list tells which file a batch was made of."""
    created = target.batch(target.input_file(target.line(), name="named.jsonl"))

    expect(paging.names_its_file, target.page_with(created, limit=5), created, "named.jsonl")


@requirement("LIST-11")
def test_unknown_after(target: Target, listed: list[Exchange], expect: Expect) -> None:
    """An unknown place in the list does not lead back to its beginning."""
    expect(paging.is_empty, target.page(after="batch_thereisnone"))


@requirement("LIST-15")
def test_again(target: Target, completed: Exchange, expect: Expect) -> None:
    """A list that is read twice is the same list."""
    # Where others create batches meanwhile, what is behind one stays as it is.
    query = {} if target.budget.loopback else {"after": id_of(completed)}

    expect(paging.is_the_same, target.page(limit=5, **query), target.page(limit=5, **query))
