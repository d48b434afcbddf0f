"""GET /batches/{batch_id}: a batch on its way."""

import pytest

from ..checks import bodies, result_lines, shapes
from ..checks import history as across
from ..checks.exchange import Exchange
from ..requirements import requirement
from ..service.target import Target, id_of
from .conftest import Expect

ODD_IDS = ["file-jkvytbjtow", "a%2Fb", "%00", "x" * 2000]


@requirement("RETRIEVE-4")
def test_retrieve(target: Target, input_file: str, expect: Expect) -> None:
    """What was created is there."""
    created = target.batch(input_file, metadata={"description": "retrieve"})

    expect(across.is_found, created, target.retrieve(id_of(created)))


@requirement("RETRIEVE-2")
def test_unknown(target: Target, expect: Expect) -> None:
    """An id that names no batch is answered with 404, not with a batch."""
    expect(shapes.status_is, target.retrieve("batch_thereisnone"), 404)


@requirement("RETRIEVE-3")
@pytest.mark.parametrize("batch_id", ODD_IDS)
def test_odd_ids(target: Target, batch_id: str, expect: Expect) -> None:
    """Ids of any shape are told that they name nothing."""
    expect(shapes.status_is, target.retrieve(batch_id), 400, 404)


@requirement("LIFE-7")
def test_completes(target: Target, history: list[Exchange], expect: Expect) -> None:
    """Nothing but time stands between three lines and their end."""
    target.settled(history[-1])

    expect(across.completes, history)


@requirement("LIFE-5")
def test_counts(target: Target, completed: Exchange, expect: Expect) -> None:
    """All lines that were sent are counted."""
    expect(bodies.counts_every_line, completed, min(3, target.most_lines))


@requirement("LIFE-9")
def test_looking_changes_nothing(target: Target, completed: Exchange, expect: Expect) -> None:
    """A finished batch that is looked at again is the same."""
    expect(across.is_the_same_batch, completed, target.retrieve(id_of(completed)))


@requirement("RESULT-9")
def test_results_can_be_read(downloads: list[Exchange], expect: Expect) -> None:
    """What a batch names as its results is there."""
    expect(result_lines.are_there, downloads)


@requirement("RESULT-8")
def test_results_stay(target: Target, downloads: list[Exchange]) -> None:
    """A result file is the same when it is read again."""
    for download in downloads:
        target.request("GET", download.path)
