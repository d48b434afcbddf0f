"""What is promised of creations holds in every schedule of the sweeps, and can fail."""

from random import Random
from typing import Any

import pytest
from attrs import evolve

from siliconflow_batch.creations import create_once, evidence
from siliconflow_batch.creations.evidence import Evidence, Outcome
from siliconflow_batch.creations.orders import Order
from siliconflow_batch.retries import Patience
from support.schedules import promises
from support.schedules.answer_fates import FATES, FEW
from support.schedules.list_shapes import ABSENT, OLDEST, WINDOW, Listing
from support.schedules.model_world import Events
from support.schedules.real_drivers import async_driver, sync_driver
from support.schedules.schedule_space import CALLERS, RECORDED, SUBMIT, SWEEPS, Sweep
from support.schedules.schedule_walk import Case, Tally, Walk, drawn

DRAWN, DRIVEN = 300, (20, 1000)  # schedules of a sweep in `make test`; through both clients
PARTS = 8  # of a sweep in `make soak`
SUBMIT_FATES = Case(SUBMIT, Listing(), Events((FATES, FEW)))


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_drawn_schedules(sweep: Sweep) -> None:
    """Every promise holds in schedules that are drawn."""
    random, cases, tally = Random(sweep.name), [*sweep.cases()], Tally()  # noqa: S311
    for _ in range(DRAWN):
        tally.add(drawn(random.choice(cases), random)[0])

    assert tally.told == []


@pytest.mark.soak(only=True)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_every_schedule(sweep: Sweep, part: int) -> None:
    """Every promise holds in every schedule."""
    tally = Tally()
    for case in [*sweep.cases()][part::PARTS]:
        tally.add(Walk(case).all())

    assert tally.told == []


@pytest.mark.soak
@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_both_clients(sweep: Sweep, soak: bool) -> None:
    """Both clients take the steps of the model's driver, and end alike."""
    cases = [*sweep.cases()]
    for seed in range(DRIVEN[soak]):
        case = Random(seed).choice(cases)  # noqa: S311
        plain, *clients = (
            drawn(case, Random(seed), driver)[1]  # noqa: S311
            for driver in (None, sync_driver, async_driver)
        )

        assert [plain, plain] == clients, seed


GO_ON: Any = create_once._go_on
MISTAKES: dict[str, tuple[object, str, Any, str, Case]] = {
    "a list without the batch proves its absence": (
        evidence,
        "doubt",
        lambda *_: "",
        promises.SECOND,
        Case(SUBMIT, Listing(OLDEST, WINDOW), Events((FEW,))),
    ),
    "the client does not wait": (
        Patience,
        "pauses",
        lambda _: [0.0, 0.0],
        promises.SECOND,
        evolve(SUBMIT_FATES, listing=Listing(lag=10.0)),
    ),
    "every response is that of the creation": (
        create_once,
        "_is_answer",
        lambda *_: True,
        promises.WRONG,
        SUBMIT_FATES,
    ),
    "a client error is a refusal": (
        create_once,
        "OPEN",
        frozenset(),
        promises.UNREPORTED,
        SUBMIT_FATES,
    ),
    "every error is a refusal": (
        Order,
        "is_refused",
        property(lambda order: order.error is not None),
        promises.FORGOTTEN,
        Case(RECORDED, Listing(lag=90.0), Events((FEW,))),
    ),
    "a batch without a token is another": (
        Evidence,
        "excludes",
        lambda *_: True,
        promises.FOUND_LATER,
        Case(CALLERS, Listing(metadata=ABSENT, retrieved=ABSENT), Events((FEW,))),
    ),
    "nothing is ever proven": (
        create_once,
        "_go_on",
        lambda order, _, patience: GO_ON(order, Outcome(reason="nothing is known"), patience),
        promises.LIVENESS,
        SUBMIT_FATES,
    ),
    "the list is read without end": (
        Patience,
        "pauses",
        lambda _: 200 * [1.0],
        promises.REQUESTS,
        Case(SUBMIT, Listing(), Events((FEW[1:2],))),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each promise is broken by a mistake of the client, and kept without it."""
    place, name, wrong, promise, case = MISTAKES[mistake]
    assert not Walk(case).all().told
    monkeypatch.setattr(place, name, wrong)

    assert Walk(case).all().broken[promise] > 0


def test_each_promise_can_be_broken() -> None:
    """No promise holds whatever the client does."""
    assert {mistake[3] for mistake in MISTAKES.values()} == set(promises.PROMISES)
