"""GET /batches/{batch_id}: a batch until its end, and its results."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from ..checks import bodies, history, result_lines, shapes
from ..checks.exchange import Exchange, the_batch
from ..requirements import requirement
from ..service.target import Target, id_of
from .conftest import Checker

ODD_IDS = ["é", "e\u0301", "\U0001d518", "名前", " spaced ", "a/b?c=%20", "x" * 200, "X" * 200]
NEAR_MISSES: dict[str, Callable[[str], str]] = {
    "shorter": lambda id: id[:-1],
    "longer": lambda id: id + "a",
    "other case": str.swapcase,
    "a wildcard": lambda id: id[:-1] + "_",
    "a wildcard for the rest": lambda id: id[:-2] + "%",
}
UNUSUAL_IDS = ["file-jkvytbjtow", "a%2Fb", "%00", "x" * 2000]


@requirement("RETRIEVE-4")
def test_retrieve(target: Target, input_file: str, check: Checker) -> None:
    """A created batch is found."""
    created = target.batch(input_file, metadata={"description": "retrieve"})

    check(history.is_found, created, target.retrieve(id_of(created)))


@requirement("RETRIEVE-2")
def test_unknown(target: Target, check: Checker) -> None:
    """An unknown batch is not found."""
    check(shapes.status_is, target.retrieve("batch_thereisnone"), 404)


@requirement("RETRIEVE-5")
@pytest.mark.parametrize("name", NEAR_MISSES)
def test_near_misses(target: Target, lifecycle: list[Exchange], name: str, check: Checker) -> None:
    """An id that differs a little from that of a batch finds nothing."""
    id = id_of(lifecycle[0])
    if (near := NEAR_MISSES[name](id)) == id:
        return  # an id without letters has no other case; other near misses are judged

    check(history.finds_nothing, target.retrieve(quote(near, safe="")))


@requirement("RETRIEVE-3")
@pytest.mark.parametrize("batch_id", UNUSUAL_IDS)
def test_unusual_ids(target: Target, batch_id: str, check: Checker) -> None:
    """A malformed id is refused or not found."""
    check(shapes.status_is, target.retrieve(batch_id), 400, 404)


@requirement("LIFE-7")
def test_completes(target: Target, lifecycle: list[Exchange], check: Checker) -> None:
    """A batch of a few lines completes."""
    target.settled(lifecycle[-1])

    check(history.ends_completed, lifecycle)


@requirement("LIFE-5")
def test_counts(target: Target, completed: Exchange, check: Checker) -> None:
    """`request_counts.total` counts every line of the input file."""
    check(bodies.counts_all_lines, completed, min(3, target.most_lines))


@requirement("LIFE-9")
def test_retrieve_again(target: Target, completed: Exchange, check: Checker) -> None:
    """Retrieving a finished batch does not change it."""
    check(history.is_the_same_batch, completed, target.retrieve(id_of(completed)))


@requirement("RESULT-9")
def test_results(downloads: list[Exchange], check: Checker) -> None:
    """The result files of a batch can be downloaded."""
    check(result_lines.can_be_downloaded, downloads)


@requirement("RESULT-1")
def test_odd_ids(target: Target) -> None:
    """Every `custom_id` comes back as it was, in any script; so does that of a streaming line."""
    if not target.budget.unmetered:
        return  # the results of another batch are judged
    lines = [*map(target.line, ODD_IDS), target.line("streamed", stream=True)]
    created = target.create(target.input_file(*lines))
    if the_batch(created):  # no document says that such ids are accepted
        *_, last = target.watch(id_of(created))
        if the_batch(last).get("status") == "completed":
            target.download_results(last)


@requirement("RESULT-8")
def test_results_again(target: Target, downloads: list[Exchange]) -> None:
    """A result file does not change."""
    for download in downloads:
        target.request("GET", download.path)
