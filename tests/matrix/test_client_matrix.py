"""
The client against every alternative of contract/assumptions.yaml, and against combinations.

contract/matrix.yaml records how each row ends. A row that ends otherwise fails: one that is
recorded as failing and passes, too.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import stamina

from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch
from siliconflow_batch_simulator import Clock, Simulator
from support.alternatives import MATRIX, QUESTIONS, SEEDS, variants
from support.blocking import Blocking
from support.client_flow import DAY, Flow, add_others

ALTERNATIVES = {
    (entry["id"], row["name"]): row.get("variant")
    for entry in QUESTIONS
    for row in entry["alternatives"]
}
Names = tuple[str, ...]
NEEDS = {"batch-errors": "input-fails-late"}  # otherwise no batch fails
SAMPLE = [*ALTERNATIVES][::4]  # rows for the asynchronous client


def variants_of(question: str, name: str) -> Names:
    """The variants that show an alternative to the client."""
    variants = (NEEDS.get(question), ALTERNATIVES[question, name])
    return tuple(variant for variant in variants if variant is not None)


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    """Removes the pauses between attempts, not the attempts."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def clock() -> Clock:
    """A stopped clock, which shows the present when `add_others` has moved it by a day."""
    return Clock(speed=0, start=time.time() - DAY)


@pytest.fixture(autouse=True)
def _pauses_move_the_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of both clients last simulated seconds."""

    async def sleep(seconds: float) -> None:
        clock.advance(seconds=seconds)

    simulated = SimpleNamespace(sleep=lambda seconds: clock.advance(seconds=seconds))
    monkeypatch.setattr("siliconflow_batch.client.time", simulated)
    loops = {name: getattr(asyncio, name) for name in ("get_running_loop",)}
    monkeypatch.setattr(
        "siliconflow_batch.async_client.asyncio", SimpleNamespace(sleep=sleep, **loops)
    )


def outcome(
    variants: Names, clock: Clock, *, asynchronous: bool = False, faults: Names = ()
) -> str:
    """How the flow ends with these variants, as a cell of contract/matrix.yaml."""
    random.seed(1)  # for the random part of pauses
    timeout = httpx.Timeout(1 if "slow-after" in variants else 30)
    with (
        Simulator(variants=variants, faults=faults, clock=clock, seed=3) as simulator,
        contextlib.ExitStack() as opened,
    ):
        add_others(simulator)

        def client(key: str) -> Any:
            options: Any = {"key": key, "base_url": simulator.base_url, "timeout": timeout}
            if not asynchronous:
                return opened.enter_context(SiliconFlowBatch(**options))
            blocking = Blocking(AsyncSiliconFlowBatch(**options))
            opened.callback(blocking.stop)
            return blocking

        return Flow(client(simulator.api_key), client("sk-wrong"), simulator).run()


def assert_recorded(recorded: str, seen: str) -> None:
    """Compares a cell with what was seen; the reason of a failing one may differ."""
    is_failing = recorded.startswith("failing: ")
    assert is_failing == seen.startswith("failing: "), f"contract/matrix.yaml needs: {seen!r}"
    assert is_failing or recorded == seen, f"contract/matrix.yaml needs: {seen!r}"


@pytest.mark.parametrize(("question", "name"), ALTERNATIVES, ids=map("/".join, ALTERNATIVES))
def test_an_alternative(question: str, name: str, clock: Clock) -> None:
    """The flow ends as recorded for the alternative."""
    seen = outcome(variants_of(question, name), clock)

    assert_recorded(MATRIX["alternatives"][question][name]["client"], seen)


@pytest.mark.parametrize(("question", "name"), SAMPLE, ids=map("/".join, SAMPLE))
def test_an_alternative_with_the_asynchronous_client(
    question: str, name: str, clock: Clock
) -> None:
    """The asynchronous client ends as the synchronous one does."""
    seen = outcome(variants_of(question, name), clock, asynchronous=True)

    assert_recorded(MATRIX["alternatives"][question][name]["client"], seen)


@pytest.mark.parametrize(
    "seed", [n if n % 4 == 0 else pytest.param(n, marks=pytest.mark.soak(only=True)) for n in SEEDS]
)
def test_a_combination(seed: int, clock: Clock) -> None:
    """The flow ends as recorded with one alternative of each question at random."""
    seen = outcome(variants(seed), clock)

    assert_recorded(MATRIX["combinations"][seed]["client"], seen)


def test_every_row_is_recorded() -> None:
    """contract/matrix.yaml has a row for each alternative and each seed, and no other row."""
    rows = {
        (question, name) for question, names in MATRIX["alternatives"].items() for name in names
    }

    assert rows == ALTERNATIVES.keys()
    assert MATRIX["combinations"].keys() == set(SEEDS)


def test_every_question_is_combined() -> None:
    """Each variant is in one of the combinations, and none has two answers to a question."""
    combined = {variant for seed in SEEDS for variant in variants(seed)}

    assert combined == {variant for variant in ALTERNATIVES.values() if variant}


class TestTheMatrix:
    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            ("line-lost", "ResultsIncomplete"),
            ("after-ignored", "ListIncomplete"),
            ("create-twice", "a second batch is created and paid for"),
            ("cancel-ignored", "cancel returns a batch that is in_queue"),
        ],
    )
    def test_a_fault_of_the_service_is_noticed(self, fault: str, reason: str, clock: Clock) -> None:
        """The flow is able to fail: with a fault it does not end right."""
        assert reason in outcome((), clock, faults=(fault,))

    @pytest.mark.parametrize(
        ("recorded", "seen"),
        [
            ("failing: a reason", "right"),
            ("failing: a reason", "exception NotFound"),
            ("right", "failing: a reason"),
            ("right", "exception NotFound"),
            ("exception NotFound", "exception NotFound, RateLimited"),
        ],
    )
    def test_a_row_that_ends_otherwise_fails(self, recorded: str, seen: str) -> None:
        """A cell that does not hold any more is reported with the new one."""
        with pytest.raises(AssertionError, match=seen):
            assert_recorded(recorded, seen)
