"""No batch is paid twice, whatever becomes of an answer and whatever the list does."""

from collections.abc import Iterator
from random import Random

import pytest
import stamina

from support.hostile.list_table import LISTS
from support.hostile.report import Pair, measured_together, pairs
from support.hostile.trials import (
    CLIENTS,
    LIVENESS,
    PROMISES,
    REFUSED,
    REQUESTS,
    SECOND,
    UNREPORTED,
    WRONG,
    Trial,
    carry_out,
)

# `make test` has these pairs; `make soak` all of them.
SAMPLE = Random(2).sample(pairs(), 60)  # noqa: S311
# The first two creations are spoiled, so that the client has to create three times.
TWICE = ("504:none", "reset-before-reading:none", "202-empty:none", "429:none")
# A file that another program made a batch of before.
SHARED = ("fin-without-a-byte:done", "fin-without-a-byte:none", "504:late")
SHARED_LISTS = ("newest-first-20", "metadata-absent", "metadata-nowhere", "oldest-first-137")


@pytest.fixture(autouse=True)
def _three_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def assert_every_promise(trial: Trial) -> None:
    broken = trial.broken()
    assert SECOND not in broken, broken[SECOND]
    assert WRONG not in broken, broken[WRONG]
    assert UNREPORTED not in broken, broken[UNREPORTED]
    assert LIVENESS not in broken, broken[LIVENESS]
    assert REFUSED not in broken, broken[REFUSED]
    assert REQUESTS not in broken, broken[REQUESTS]


@pytest.mark.parametrize(
    "pair", SAMPLE, ids=lambda pair: f"{pair.way}-{pair.listing}-{pair.client}"
)
def test_a_spoiled_creation(pair: Pair) -> None:
    """A creation ends in one batch that is returned, or is reported as unknown."""
    trial = carry_out(pair.way, pair.listing, pair.client)

    assert_every_promise(trial)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("way", TWICE)
def test_two_spoiled_creations(way: str, client: str) -> None:
    """Two creations that made nothing are followed by one that makes the batch."""
    trial = carry_out(way, "newest-first-137", client, times=2)

    assert_every_promise(trial)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("listing", SHARED_LISTS)
@pytest.mark.parametrize("way", SHARED)
def test_a_file_that_others_used(way: str, listing: str, client: str) -> None:
    """The batch that another program made of the file is not taken for ours."""
    trial = carry_out(way, listing, client, foreign=True)

    assert_every_promise(trial)


@pytest.mark.soak(only=True)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("listing", LISTS)
def test_every_way(listing: str, client: str) -> None:
    """Every way to spoil a creation ends as `test_a_spoiled_creation` says."""
    every = [pair for pair in pairs(lists=listing, clients=[client]) if pair.listing == listing]

    cells = measured_together(every)

    for promise in PROMISES:
        broken = [cell.broken[promise] for cell in cells if promise in cell.broken]
        assert broken == [], f"{len(broken)} of {len(cells)}:\n" + "\n".join(broken)
