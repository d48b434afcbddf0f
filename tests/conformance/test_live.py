"""
`siliconflow-batch conformance` on a live service: its requests, its clean-up and its output.

The service is a simulator; as the suite has not started it, its limits hold.
"""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from siliconflow_batch_conformance.checks.exchange import without_keys
from siliconflow_batch_simulator import Pace, Rule, Simulator
from support.journaled_runs import FakeClock
from support.live_service import (
    ENDED,
    HOURS,
    KEYS,
    QUICK,
    EchoHandler,
    LiveService,
    Open,
    run_conformance,
    statuses,
)


@pytest.fixture
def live(tmp_path: Path) -> Open:
    """Opens a service: `live(pace, faults)`."""

    @contextmanager
    def open_service(
        pace: Pace = QUICK, faults: tuple[str | Rule, ...] = ()
    ) -> Iterator[LiveService]:
        with Simulator(keys=KEYS, pace=pace, faults=faults) as simulator:
            yield LiveService(simulator, simulator.base_url, tmp_path / "state")

    return open_service


class TestReading:
    def test_a_full_account_is_left_unchanged(self, live: Open) -> None:
        """Without --writes a run creates and cancels nothing, and judges others' batches."""
        with live(HOURS) as service:
            before = service.create_others(105), service.create_others(3, account=1)
            posts = service.posts()

            status, output = service.run(keys=2)

            assert (status, service.batches(), service.batches(1)) == (0, *before), output
            assert service.posts() - posts <= 60
            assert service.posts("/batches") > 108  # creations that were rejected
        not_judged = output.partition("not judged: LIST-")[2].partition("\n")[0]
        assert "LIST-5" not in not_judged
        assert "only reads" in output

    def test_a_dry_run_sends_nothing(self, live: Open) -> None:
        """It prints the cases and the highest price."""
        with live() as service:
            status, output = service.run("--dry-run", "--writes")

            assert (status, service.simulator.requests) == (0, [])
        assert "at most 0.53 yuan" in output

    def test_the_report_shows_changes_since_the_previous_run(self, live: Open) -> None:
        """One key and batches of others are enough to judge the lists."""
        with live(HOURS) as service:
            service.create_others(101)
            folder = service.state.with_name("report")
            before, output = service.run("--only", "LIST", "--report", str(folder))
            service.simulator.faults.add("first-id-last")

            after, more = service.run("--only", "LIST", "--report", str(folder))

        assert (before, after) == (0, 1), output + more
        rows = (folder / "report.md").read_text(encoding="utf-8").splitlines()
        assert [row for row in rows if "**LIST-1**" in row and "(new)" in row], rows


class TestWriting:
    def test_a_sound_service_conforms_within_the_limits(self, live: Open, tmp_path: Path) -> None:
        """A run creates at most 5 batches with 70 writes, and leaves none unfinished."""
        with live() as service:
            files = ("--record", str(tmp_path / "run.har"), "--report", str(tmp_path / "report"))

            status, output = service.run("--writes", "--patience", "30", *files)

            batches = service.batches()
            assert (status, len(batches) <= 5, service.posts() <= 70) == (0, True, True), output
            assert statuses(batches) <= ENDED
            assert {len(batch["metadata"]) for batch in batches} > {1}
        assert output.index("yuan") < output.index("not judged")
        not_judged = " ".join(row for row in output.splitlines() if row.startswith("not judged"))
        judged = (
            "CREATE-1,",
            "CREATE-2,",
            "LIFE-7",
            "RESULT-1,",
            "RESULT-9",
            "CANCEL-1,",
            "LIST-5",
        )
        assert [id for id in judged if id in not_judged] == []
        for path in (path for path in tmp_path.rglob("*") if path.is_file()):
            assert KEYS[0].encode() not in path.read_bytes(), path
        assert KEYS[0] not in output

    def test_the_models_can_be_chosen(self, live: Open, tmp_path: Path) -> None:
        """The lines name --model, and one batch replaces it with --other-model."""
        chosen = ("--model", "a/new-model", "--other-model", "b/other")
        with live() as service:
            status, output = service.run(
                "--writes", *chosen, "--only", "RESULT-3", "--record", str(tmp_path / "run.har")
            )

        assert status == 0, output
        first, *_ = output.splitlines()
        assert "8 lines of a/new-model and 2 lines of b/other; the price of" in first
        recorded = (tmp_path / "run.har").read_text(encoding="utf-8")
        assert "a/new-model" in recorded
        assert "deepseek-ai" not in recorded

    def test_the_first_finding_follows_the_plan(self, live: Open) -> None:
        """What a run cancelled is told after its findings, in one line."""
        with live(HOURS) as service:
            service.simulator.faults.add("errors-as-objects")

            status, output = service.run("--writes", "--patience", "0.2", "--core")

        lines = output.splitlines()
        assert status == 1, output
        assert "at most 5 batches" in lines[0]
        assert lines[1].startswith("  WIRE-5 "), output
        (cancelled,) = [line for line in lines if "cancelled" in line and "unfinished" in line]
        assert lines.index(cancelled) > lines.index(lines[1])

    def test_a_slow_service_is_inconclusive(self, live: Open) -> None:
        """A batch that does not end within the patience fails no requirement."""
        with live(HOURS) as service:
            others = service.create_others(101)
            cancels = service.posts("/cancel")

            status, output = service.run("--writes", "--patience", "0.2")

            batches = service.batches()[: -len(others)]
            assert status == 2, output
            assert statuses(batches) == {"cancelling"}
            assert service.batches()[len(batches) :] == others
            assert service.posts("/cancel") > cancels
        assert "inconclusive: LIFE-5" in output
        assert "still 'in_queue' when patience ended" in output
        assert "left for the next run" not in output
        last = output.splitlines()[-1]
        assert re.fullmatch(
            r"inconclusive: \d+ of \d+ requirements judged; .*patience ended.*", last
        )

    def test_a_slow_service_can_be_allowed(self, live: Open) -> None:
        """--allow-inconclusive exits with 0, and still says what was not judged."""
        with live(HOURS) as service:
            selected = ("--only", "LIFE-5", "--only", "CREATE-21")
            status, output = service.run(
                "--writes", "--patience", "0.2", "--allow-inconclusive", *selected
            )

        assert status == 0, output
        assert re.search(
            r"^conformant: 1 of 2 requirements judged; 1 not: .*patience", output, re.M
        )

    @pytest.mark.parametrize(
        ("fault", "family"),
        [("window-23-taken", "CREATE-8"), ("any-key", "AUTH")],
    )
    def test_a_wrongly_accepted_creation_is_cancelled(
        self, live: Open, fault: str, family: str
    ) -> None:
        """A batch that the service should have rejected is reported and cancelled."""
        with live(HOURS, (fault,)) as service:
            status, output = service.run("--writes", "--patience", "0.2", "--only", family)

            batches = service.batches()
            assert (status, 1 <= len(batches) <= 5) == (1, True), output
            assert statuses(batches) == {"cancelling"}, output


class TestErrors:
    def test_a_creation_repeated_after_429_is_cancelled(self, live: Open) -> None:
        """The second attempt creates one batch, which the run cancels."""
        once = Rule("rate-limited-retry-after", "POST /batches", times=1)
        with live(HOURS, (once,)) as service:
            status, output = service.run("--writes", "--only", "CREATE-21")

            assert (status, service.posts("/batches")) == (0, 2), output
            assert [batch["status"] for batch in service.batches()] == ["cancelling"], output

    def test_a_permanent_overload_is_inconclusive(self, live: Open, clock: FakeClock) -> None:
        """A service that is always overloaded gets a few requests and no verdict."""
        with live(faults=("rate-limited-retry-after",)) as service:
            status, output = service.run("--writes", clock=clock)

            assert (status, len(service.simulator.requests) <= 6) == (2, True), output
        assert "is too busy for a run" in output
        assert "Traceback" not in output

    @pytest.mark.parametrize("error", ["timeout-html", "reset-after"])
    def test_a_creation_with_an_unknown_outcome_is_not_repeated(
        self, live: Open, error: str
    ) -> None:
        """It may have created a batch; the run looks for that batch and pays for no second one."""
        with live(HOURS, (Rule(error, "POST /batches", times=1),)) as service:
            others = service.create_others(0)
            status, output = service.run("--writes", "--only", "CREATE-21")

            batches = service.batches()
            assert (others, service.posts("/batches")) == ([], 1), output
            assert status == 2, output  # nothing was judged
            assert statuses(batches) <= {"cancelling"}
            assert len(batches) == (error == "reset-after")
        assert "inconclusive: CREATE-21" in output

    def test_cancels_are_retried_after_errors(self, live: Open, clock: FakeClock) -> None:
        """Batches are cancelled even if the first cancels fail."""
        twice = Rule("server-error", "POST /batches/{batch_id}/cancel", times=2)
        with live(HOURS, (twice,)) as service:
            status, output = service.run("--writes", "--only", "CREATE-21", clock=clock)

            assert (status, service.posts("/cancel")) == (0, 3), output
            assert statuses(service.batches()) == {"cancelling"}, output


class TestProcesses:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_an_ended_run_leaves_no_unfinished_batch(self, live: Open, number: int) -> None:
        """SIGINT and SIGTERM make a run cancel its batches; after SIGKILL --clean-up does."""
        with live(HOURS) as service:
            others = service.create_others(101)
            with service.start("--writes", "--patience", "600", "--only", "LIFE") as running:
                while len(service.batches()) == len(others):
                    assert running.poll() is None
                running.send_signal(number)
                output, _ = running.communicate()
            if number == signal.SIGKILL:
                assert "in_queue" in statuses(service.batches()[: -len(others)])
                status, output = service.run("--clean-up")
                assert status == 0, output
            else:
                assert running.returncode == 2, output

            assert statuses(service.batches()[: -len(others)]) == {"cancelling"}, output
            assert service.batches()[-len(others) :] == others
            assert list(service.state.rglob("*.jsonl")) == []

    def test_two_runs_leave_each_other_alone(self, live: Open) -> None:
        """Each cancels its own batches only."""
        with live(HOURS) as service:
            with service.start("--writes", "--only", "CREATE-2", "--only", "CREATE-21") as first:
                status, output = service.run(
                    "--writes", "--only", "CREATE-2", "--only", "CREATE-21"
                )
                more, _ = first.communicate()

            batches = service.batches()
            assert (status, first.returncode, len(batches)) == (0, 0, 4), output + more
            assert statuses(batches) == {"cancelling"}
            assert service.posts("/cancel") == len(batches)


class TestKeys:
    def test_an_echoed_key_is_in_no_output(self, tmp_path: Path) -> None:
        """Neither the output nor a file of the run contains a key."""
        with ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            base_url = f"http://127.0.0.1:{server.server_port}/v1"
            files = ("--record", str(tmp_path / "run.har"), "--report", str(tmp_path / "report"))
            status, output = run_conformance(
                base_url, tmp_path / "state", "--writes", *files, keys=KEYS
            )
            server.shutdown()
            thread.join()

        assert status == 1, output
        assert (tmp_path / "run.har").exists()
        for key in (*KEYS, *map(str.swapcase, KEYS)):
            assert key not in output
            for path in (path for path in tmp_path.rglob("*") if path.is_file()):
                assert key.encode() not in path.read_bytes(), path

    def test_a_key_in_swapped_case_is_replaced(self) -> None:
        """One requirement sends the key in swapped case, which reveals it."""
        assert without_keys("a sk-Live, b SK-lIVE", ["sk-Live"]) == "a …, b …"
