"""A batch that the list never shows, and a cancel that is always refused, are failures."""

import json
from typing import Any

import pytest

from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service import target
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS, INCONCLUSIVE, Run
from siliconflow_batch_simulator import Pace, Simulator
from support.hostile.raw_http import answer
from support.repeated_scripts import KEYS
from support.spoiling_proxy import Spoil, spoiled

EMPTY: dict[str, Any] = {
    "object": "list",
    "data": [],
    "first_id": None,
    "last_id": None,
    "has_more": False,
}
EMPTY_PAGE = answer(200, json.dumps(EMPTY), "Connection: close")


def refused(status: int) -> bytes:
    return answer(
        status, json.dumps({"code": 1, "message": "not now", "data": None}), "Connection: close"
    )


def run_on_spoiled(
    requests: str, spoil: Spoil, only: list[str], pace: Pace, patience: float
) -> Run:
    with (
        Simulator(keys=KEYS, pace=pace) as simulator,
        spoiled(simulator, requests, spoil) as url,
    ):
        rig = Rig.at(url, *KEYS, writes=True, patience=patience, unmetered=True)
        try:
            return judge(rig, 1, selected(only)).run()
        finally:
            rig.close()


def test_a_batch_that_is_never_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It fails when the list may not lag any longer; the second case does not wait again."""
    monkeypatch.setattr(target, "LIST_LAG", 0.5)
    pace = Pace(queued=0.1, running=0.1, finalizing=0.1, cancelling=0.1)
    only = ["LIST-10", "CREATE-22"]
    with capsys.disabled():
        run = run_on_spoiled("^GET /batches$", lambda _: EMPTY_PAGE, only, pace, 5)

    assert [run.verdicts[id].outcome for id in only] == [FAILS, FAILS], run.verdicts


@pytest.mark.parametrize(("status", "outcome"), [(400, FAILS), (404, FAILS), (503, INCONCLUSIVE)])
def test_a_cancel_that_is_always_refused(
    status: int, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It fails while the batch is unfinished; an overload is none."""
    pace = Pace(queued=0.5, running=0.5, finalizing=0.1, cancelling=0.1)
    with capsys.disabled():
        run = run_on_spoiled("/cancel$", lambda _: refused(status), ["CANCEL-1"], pace, 5)

    assert run.verdicts["CANCEL-1"].outcome == outcome, run.verdicts["CANCEL-1"]


def test_a_batch_that_ends_before_its_cancel(capsys: pytest.CaptureFixture[str]) -> None:
    """A service that is faster than the cancel is accused of nothing."""
    pace = Pace(queued=0, running=0, finalizing=0, cancelling=0)
    with capsys.disabled():
        run = run_on_spoiled("^nothing$", lambda raw: raw, ["CANCEL-1"], pace, 5)

    assert run.verdicts["CANCEL-1"].outcome == INCONCLUSIVE, run.verdicts["CANCEL-1"]
