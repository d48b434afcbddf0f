"""GET /batches: the order, the length and the end of pages."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from ..checks import pages, shapes
from ..checks.exchange import Exchange, listed_ids
from ..requirements import Inconclusive, requirement
from ..service.target import Target, id_of
from .conftest import Checker

OUT_OF_RANGE = ["0", "-1"]
NOT_NUMBERS = ["ten", "", "1.5"]


def pages_of(target: Target, limit: int, most: int = 100) -> Iterator[Exchange]:
    """The pages from the newest batch on, while has_more is true."""
    query: dict[str, object] = {"limit": limit}
    for _ in range(most):
        page = target.page(**query)
        yield page
        ids = listed_ids(page)
        if not ids or page.json.get("has_more") is not True:
            return
        query["after"] = ids[-1]
    raise Inconclusive(f"the list has more than {most} pages of {limit}")


def pages_until(target: Target, limit: int, id: str) -> list[Exchange]:
    """The pages from the newest batch to the one with an id."""
    read = []
    for page in pages_of(target, limit):
        read.append(page)
        if id in listed_ids(page):
            break
    return read


@requirement("LIST-13")
def test_no_parameters(target: Target, listed: list[Exchange], check: Checker) -> None:
    """The list can be read without parameters."""
    check(shapes.status_is, target.page(), 200)


@requirement("LIST-4")
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_limit(target: Target, listed: list[Exchange], limit: int, check: Checker) -> None:
    """A page is as long as its limit, as long as there are enough batches."""
    check(pages.is_filled_to_limit, target.page(limit=limit), listed)


@requirement("LIST-3")
def test_after(target: Target, listed: list[Exchange], check: Checker) -> None:
    """A page with `after` starts after that batch, anywhere in the list."""
    longer = target.page(limit=5)
    for number, id in enumerate(listed_ids(longer)[:4]):
        page = target.page(limit=4 - number, after=id)
        check(pages.continues_after, page, longer)


@requirement("LIST-5")
@pytest.mark.parametrize("limit", [2, 3])
def test_all_pages(target: Target, listed: list[Exchange], limit: int, check: Checker) -> None:
    """The pages together hold every batch once, the newest first."""
    check(pages.pages_hold_every_batch, pages_until(target, limit, id_of(listed[0])), listed)


@requirement("LIST-6")
@pytest.mark.parametrize("limit", [25])
def test_end(target: Target, listed: list[Exchange], limit: int, check: Checker) -> None:
    """`has_more` is true on every page but the last."""
    read = list(pages_of(target, limit))
    if ids := listed_ids(read[-1]):
        read.append(target.page(limit=limit, after=ids[-1]))

    for page, next_page in itertools.pairwise(read):
        check(pages.has_more_is_correct, page, next_page)


@requirement("LIST-6")
def test_exact_end(target: Target, listed: list[Exchange], check: Checker) -> None:
    """`has_more` is false on a page that ends with the last batch, and true on the one before."""
    *_, last = pages_of(target, 100)
    for place, after in enumerate(listed_ids(last)[-3:-1]):
        page = target.page(limit=1, after=after)
        if ids := listed_ids(page):
            check(pages.has_more_is_correct, page, target.page(limit=1 + place, after=ids[0]))


@requirement("LIST-6")
def test_default_end(target: Target, listed: list[Exchange], check: Checker) -> None:
    """`has_more` is correct on a page of the default length."""
    page = target.page()
    if ids := listed_ids(page):
        check(pages.has_more_is_correct, page, target.page(limit=1, after=ids[-1]))


@requirement("LIST-14")
def test_after_last(target: Target, listed: list[Exchange], check: Checker) -> None:
    """The page after the last batch is empty."""
    *_, last = pages_of(target, 100)

    check(pages.is_refused_or_empty, target.page(limit=2, after=listed_ids(last)[-1]))


@requirement("LIST-7")
@pytest.mark.parametrize("limit", OUT_OF_RANGE)
def test_limit_below_one(target: Target, limit: str, check: Checker) -> None:
    """A limit below one is refused."""
    check(shapes.status_is, target.page(limit=limit), 400)


@requirement("LIST-8")
@pytest.mark.parametrize("limit", NOT_NUMBERS)
def test_limit_not_a_number(target: Target, limit: str, check: Checker) -> None:
    """A limit that is not a whole number is refused."""
    check(shapes.status_is, target.page(limit=limit), 400)


@requirement("LIST-9")
def test_as_retrieved(target: Target, completed: Exchange) -> None:
    """The list shows a finished batch as it is retrieved."""
    pages_until(target, 20, id_of(completed))


@requirement("LIST-9")
def test_cancelled_as_retrieved(target: Target) -> None:
    """The list shows a cancelled batch as it is retrieved, at once."""
    if not target.budget.unmetered:
        return  # a completed batch is listed too
    created = target.batch(target.input_file(target.line(), name="cancelled.jsonl"))
    target.cancel(id_of(created))
    list(target.watch(id_of(created)))
    target.page(limit=5)


@requirement("LIST-10")
def test_file_name(target: Target, check: Checker) -> None:
    """The list shows the name of each batch's input file."""
    created = target.batch(target.input_file(target.line(), name="named.jsonl"))

    check(pages.shows_file_name, target.page_with(created, limit=5), created, "named.jsonl")


@requirement("LIST-11")
@pytest.mark.parametrize("change", [lambda id: "batch_thereisnone", str.swapcase])
def test_unknown_after(
    target: Target, listed: list[Exchange], change: Callable[[str], str], check: Checker
) -> None:
    """A page after an unknown batch is refused or empty; ids are case-sensitive."""
    id = id_of(listed[-1])
    if (after := change(id)) != id:  # an id without letters has no other case
        check(pages.is_refused_or_empty, target.page(after=after))


@requirement("LIST-15")
def test_same_page_again(
    target: Target, completed: Exchange, listed: list[Exchange], check: Checker
) -> None:
    """Two equal requests return the same page."""
    # Other programs may create batches meanwhile; the page after an old batch does not change.
    query = {} if target.budget.unmetered else {"after": id_of(completed)}

    check(pages.is_the_same_page, target.page(limit=5, **query), target.page(limit=5, **query))
