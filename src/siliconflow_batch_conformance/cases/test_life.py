"""GET /batches/{batch_id}: a batch until its end, and its results."""

import pytest

from ..checks import bodies, history, result_lines, shapes
from ..checks.exchange import Exchange
from ..requirements import requirement
from ..service.target import Target, id_of
from .conftest import Checker

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


@requirement("RESULT-8")
def test_results_again(target: Target, downloads: list[Exchange]) -> None:
    """A result file does not change."""
    for download in downloads:
        target.request("GET", download.path)
