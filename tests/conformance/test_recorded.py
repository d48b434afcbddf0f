"""A run and its own recording tell alike; what others recorded tells what it can."""

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.checks import pages as paging
from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.recordings import har
from siliconflow_batch_conformance.recordings.judgments import Judgment
from siliconflow_batch_conformance.run import judge_recorded, selected
from siliconflow_batch_conformance.verdicts import FAILS, HOLDS, NOT_JUDGED
from siliconflow_batch_simulator import Clock, Pace, Simulator
from support.recorder import Recorder, line
from support.shell import SCRIPT

FAULTS = ["", "metadata-lost", "cancel-finished", "any-key", "after-skips-at-3", "key-any-case"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_and_its_recording_agree(tmp_path: Path, fault: str) -> None:
    """Each requirement of the core has the verdict of the run, whichever way it was judged."""
    recording, report = tmp_path / "run.har", tmp_path / "report"
    files = ["--record", str(recording), "--report", str(report)]
    broken = ["--fault", fault] if fault else []
    kept = {name: text for name, text in os.environ.items() if "SILICONFLOW" not in name}
    subprocess.run(  # noqa: S603 - our own module
        [SCRIPT, "conformance", "--core", *files, *broken],
        check=False,
        capture_output=True,
        cwd="/",
        env=kept,
    )

    (run,) = json.loads((report / "report.json").read_text(encoding="utf-8"))["runs"]
    live = {id: verdict["outcome"] for id, verdict in run["verdicts"].items()}
    made = har.capture(recording)
    told = judge_recorded(made.exchanges, made.base_url, selected(core=True), made.judgments)
    assert not made.left_out
    assert {id: verdict.outcome for id, verdict in told.verdicts.items()} == live
    assert ("fails" in live.values()) is bool(fault)


BASE = "https://api.siliconflow.cn/v1"


def a_page(*ids: str, number: int = 1) -> Exchange:
    body = {"object": "list", "data": [{"id": id} for id in ids], "has_more": False}
    return Exchange(number, "GET", "/batches", 200, body=json.dumps(body).encode())


class TestJudgments:
    def test_what_a_case_judged_is_read_back(self, tmp_path: Path) -> None:
        """A check, the exchanges that it was given, however deep, and whatever else."""
        pages = [a_page("batch_b", "batch_a"), a_page(number=2)]
        made = [
            Judgment("LIST-5", paging.holds_every_batch, ([pages[0], pages[1]], [])),
            Judgment("CREATE-22", paging.holds_one, (pages[0], {"notes": "n"}, 1)),
        ]

        har.write(tmp_path / "run.har", pages, BASE, judged=made)

        assert har.capture(tmp_path / "run.har").judgments == made

    @pytest.mark.parametrize(
        "unknown",
        [
            {"check": "os.system"},
            {"check": "wire._misfits"},
            {"check": "wire.json"},
            {"arguments": [{"$exchange": 99}]},
            {"arguments": None},
        ],
    )
    def test_what_is_not_known_is_counted_and_not_called(
        self, tmp_path: Path, unknown: dict[str, Any]
    ) -> None:
        """A recording names checks of the suite and exchanges of its own."""
        file = tmp_path / "run.har"
        har.write(file, [a_page()], BASE, judged=[Judgment("LIST-14", paging.is_empty, ())])
        content = json.loads(file.read_text())
        content["log"]["_judgments"][0] |= unknown
        file.write_text(json.dumps(content))

        found = har.capture(file)

        assert (found.judgments, sum(found.left_out.values())) == ([], 1)

    def test_what_is_no_list_of_judgments_says_nothing(self, tmp_path: Path) -> None:
        """A field of another tool's may have the same name."""
        file = tmp_path / "run.har"
        har.write(file, [a_page()], BASE)
        content = json.loads(file.read_text())
        content["log"]["_judgments"] = 5
        file.write_text(json.dumps(content))

        assert har.capture(file).judgments == []

    def test_a_key_in_what_was_judged_stays_at_home(self, tmp_path: Path) -> None:
        """Not even what a case looked for tells a key."""
        key = "sk-one-1234567890"
        judged = [Judgment("LIST-10", paging.names_its_file, (a_page(), a_page(), key))]

        har.write(tmp_path / "run.har", [a_page()], BASE, (key,), judged)

        assert key not in (tmp_path / "run.har").read_text()


@pytest.mark.parametrize(
    ("page", "outcome"), [(a_page("batch_a"), NOT_JUDGED), (a_page("batch_a", "batch_a"), FAILS)]
)
def test_traffic_of_others_shows_a_walk_to_fail_only(page: Exchange, outcome: str) -> None:
    """That all pages together hold every batch is not seen in one of them."""
    run = judge_recorded([page], BASE, selected(["LIST-5"]))

    assert run.verdicts["LIST-5"].outcome == outcome


def expired(*faults: str) -> tuple[list[Exchange], str]:
    """The traffic of a batch that waited until its window had passed."""
    pace = Pace(queued=100 * 3600)
    with Simulator(faults=faults, pace=pace, clock=Clock(speed=0)) as simulator:
        recorder = Recorder(simulator)
        created = recorder.create(recorder.upload(line("a"), line("b")))
        simulator.clock.advance(hours=25)
        *_, end = recorder.watch(created)
        recorder.request("GET", end.json["error_file_id"], authorization=None)
        recorder.request("POST", f"/batches/{end.json['id']}/cancel")
        return recorder.story, simulator.base_url


class TestExpiry:
    """What no run waits for: a window is a day at least."""

    def test_a_batch_that_expired_is_judged(self) -> None:
        """Its time, its results and what they say of the lines are as the guide has it."""
        run = judge_recorded(*expired(), selected(["TIME", "RESULT", "LIFE", "CANCEL"]))

        wrong = [id for id, verdict in run.verdicts.items() if verdict.failures]
        assert wrong == []
        assert run.verdicts["TIME-4"].outcome == run.verdicts["RESULT-11"].outcome == HOLDS
        assert run.verdicts["RESULT-1"].outcome == run.verdicts["CANCEL-4"].outcome == HOLDS

    def test_a_cancel_of_a_batch_that_expired_is_refused(self) -> None:
        """It is finished like any other."""
        run = judge_recorded(*expired("cancel-finished"), selected(["CANCEL-4"]))

        assert run.verdicts["CANCEL-4"].outcome == FAILS

    def test_an_undone_line_says_why(self) -> None:
        """An expired batch whose lines name another reason, or whose time comes too early."""
        story, base_url = expired()
        other = [replace(one, body=one.body.replace(b"batch_expired", b"unknown")) for one in story]
        early = [replace(one, body=sooner(one.body)) for one in story]

        for told, id in ((other, "RESULT-11"), (early, "TIME-4")):
            assert judge_recorded(told, base_url, selected([id])).verdicts[id].outcome == FAILS


def sooner(body: bytes) -> bytes:
    """A batch that expired an hour before its window had passed."""
    return re.sub(rb'"expired_at":(\d+)', lambda at: b'"expired_at":%d' % (int(at[1]) - 7200), body)
