"""Recorded traffic gets the verdicts of the run, or those that it can support."""

import importlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.checks import pages
from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.recordings import har
from siliconflow_batch_conformance.recordings.judgments import CHECKS, Judgment
from siliconflow_batch_conformance.run import judge_recorded, selected
from siliconflow_batch_conformance.verdicts import FAILS, HOLDS, NOT_JUDGED
from siliconflow_batch_simulator import Clock, Pace, Simulator
from support.conformance_command import conformance_here
from support.recorder import Recorder, line

FAULTS = ["", "metadata-lost", "cancel-finished", "any-key", "after-skips-at-3", "key-any-case"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_and_its_recording_have_equal_verdicts(tmp_path: Path, fault: str) -> None:
    """Every requirement of the core has the same outcome in the run and in its recording."""
    recording, report = tmp_path / "run.har", tmp_path / "report"
    options = ["--core", "--record", str(recording), "--report", str(report)]
    conformance_here(*options, *(["--fault", fault] if fault else []))

    (run,) = json.loads((report / "report.json").read_text(encoding="utf-8"))["runs"]
    outcomes = {id: verdict["outcome"] for id, verdict in run["verdicts"].items()}
    capture = har.capture(recording)
    recorded = judge_recorded(
        capture.exchanges, capture.base_url, selected(core=True), capture.judgments
    )

    assert not capture.left_out
    assert {id: verdict.outcome for id, verdict in recorded.verdicts.items()} == outcomes
    assert ("fails" in outcomes.values()) is bool(fault)


BASE = "https://api.siliconflow.cn/v1"


def a_page(*ids: str, number: int = 1) -> Exchange:
    body = {"object": "list", "data": [{"id": id} for id in ids], "has_more": False}
    return Exchange(number, "GET", "/batches", 200, body=json.dumps(body).encode())


class TestJudgments:
    def test_written_judgments_are_read_unchanged(self, tmp_path: Path) -> None:
        """A judgment keeps its check, its exchanges, nested or not, and its other arguments."""
        read = [a_page("batch_b", "batch_a"), a_page(number=2)]
        judged = [
            Judgment("LIST-5", pages.pages_hold_every_batch, ([read[0], read[1]], [])),
            Judgment("CREATE-22", pages.lists_batches_with_metadata, (read[0], {"key": "v"}, 1)),
        ]

        har.write(tmp_path / "run.har", read, BASE, judged=judged)

        assert har.capture(tmp_path / "run.har").judgments == judged

    def test_checks_are_named_by_module_and_function(self) -> None:
        """Every name that a recording may contain leads to the check of that module in checks/."""
        package = "siliconflow_batch_conformance.checks"
        for name, check in CHECKS.items():
            module, _, function = name.partition(".")
            assert getattr(importlib.import_module(f"{package}.{module}"), function) is check

    @pytest.mark.parametrize(
        "unknown",
        [
            {"check": "os.system"},
            {"check": "shapes._wrong_field"},
            {"check": "shapes.json"},
            {"arguments": [{"$exchange": 99}]},
            {"arguments": None},
        ],
    )
    def test_an_unknown_judgment_is_left_out(self, tmp_path: Path, unknown: dict[str, Any]) -> None:
        """A judgment with an unknown check or exchange is counted, and nothing is called."""
        file = tmp_path / "run.har"
        har.write(
            file, [a_page()], BASE, judged=[Judgment("LIST-14", pages.is_refused_or_empty, ())]
        )
        content = json.loads(file.read_text())
        content["log"]["_judgments"][0] |= unknown
        file.write_text(json.dumps(content))

        capture = har.capture(file)

        assert capture.judgments == []
        assert capture.left_out == {"a judgment of another version": 1}

    def test_a_field_of_another_tool_is_ignored(self, tmp_path: Path) -> None:
        """A `_judgments` that is not a list has no judgments."""
        file = tmp_path / "run.har"
        har.write(file, [a_page()], BASE)
        content = json.loads(file.read_text())
        content["log"]["_judgments"] = 5
        file.write_text(json.dumps(content))

        assert har.capture(file).judgments == []

    def test_judgments_contain_no_key(self, tmp_path: Path) -> None:
        """A key among the arguments of a check is not written."""
        key = "sk-one-1234567890"
        judged = [Judgment("LIST-10", pages.shows_file_name, (a_page(), a_page(), key))]

        har.write(tmp_path / "run.har", [a_page()], BASE, (key,), judged)

        assert key not in (tmp_path / "run.har").read_text()


@pytest.mark.parametrize(
    ("page", "outcome"), [(a_page("batch_a"), NOT_JUDGED), (a_page("batch_a", "batch_a"), FAILS)]
)
def test_traffic_alone_can_only_show_that_pages_fail(page: Exchange, outcome: str) -> None:
    """One page cannot show that all pages together hold every batch."""
    run = judge_recorded([page], BASE, selected(["LIST-5"]))

    assert run.verdicts["LIST-5"].outcome == outcome


def expired(*faults: str) -> tuple[list[Exchange], str]:
    """The traffic of a batch that expired, and the base URL."""
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
    """Batches that expired; no run waits for one, because a window has at least a day."""

    def test_an_expired_batch_is_judged(self) -> None:
        """An expired batch of the simulator has the documented timestamps and results."""
        run = judge_recorded(*expired(), selected(["TIME", "RESULT", "LIFE", "CANCEL"]))

        wrong = [id for id, verdict in run.verdicts.items() if verdict.failures]
        assert wrong == []
        assert run.verdicts["TIME-4"].outcome == run.verdicts["RESULT-11"].outcome == HOLDS
        assert run.verdicts["RESULT-1"].outcome == run.verdicts["CANCEL-4"].outcome == HOLDS

    def test_an_expired_batch_cannot_be_cancelled(self) -> None:
        """A service that cancels an expired batch fails CANCEL-4."""
        run = judge_recorded(*expired("cancel-finished"), selected(["CANCEL-4"]))

        assert run.verdicts["CANCEL-4"].outcome == FAILS

    def test_expired_lines_and_time_are_judged(self) -> None:
        """Another error code fails RESULT-11, and an early expired_at fails TIME-4."""
        story, base_url = expired()
        other = [replace(one, body=one.body.replace(b"batch_expired", b"unknown")) for one in story]
        early = [replace(one, body=two_hours_early(one.body)) for one in story]

        for exchanges, id in ((other, "RESULT-11"), (early, "TIME-4")):
            run = judge_recorded(exchanges, base_url, selected([id]))
            assert run.verdicts[id].outcome == FAILS


def two_hours_early(body: bytes) -> bytes:
    """The body with an expired_at two hours before."""
    return re.sub(rb'"expired_at":(\d+)', lambda at: b'"expired_at":%d' % (int(at[1]) - 7200), body)
