"""Runs of the suite: the faults that they find, their exit status and their output."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from siliconflow_batch_conformance import requirements
from siliconflow_batch_conformance.causes import fundamental_first
from siliconflow_batch_conformance.checks import shapes
from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.exit_status import exit_status
from siliconflow_batch_conformance.recordings import har
from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import BROKEN, FAILS, HOLDS
from siliconflow_batch_simulator import Simulator
from siliconflow_batch_simulator.faults import CLASSES, FAULTS
from support.conformance_command import conformance, conformance_here
from support.shell import SCRIPT

ROOT = Path(__file__).parents[2]
HAND_WRITTEN = sorted({id.partition("-")[0] for id in requirements.load()} - {"SCHEMA"})

# A fault of each class, with the requirement that fails; test_selection.py tries all of them alone.
CAUGHT_BY = {
    "errors-as-objects": "WIRE-5",
    "window-23-taken": "CREATE-8",
    "after-ignored": "LIST-3",
    "cancel-finished": "CANCEL-4",
    "milliseconds": "TIME-1",
    "metadata-lost": "CREATE-2",
    "create-twice": "CREATE-22",
    "retrieve-shared": "OWNER-1",
    "event-ahead": "TIME-5",
}


def only(*families: str) -> list[str]:
    return [argument for family in families for argument in ("--only", family)]


class TestFaults:
    @pytest.mark.parametrize(("fault", "requirement"), CAUGHT_BY.items(), ids=CAUGHT_BY)
    def test_a_fault_is_caught_and_named(
        self, fault: str, requirement: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A simulator with one fault fails that requirement, which comes first, and few others."""
        with Rig.simulated((fault,)) as rig, capsys.disabled():
            run = judge(rig, 1, selected(core=True)).run()

        failed = [id for id, verdict in run.verdicts.items() if verdict.outcome == FAILS]
        assert fundamental_first(failed, requirements.load())[0] == requirement
        assert len(failed) <= 4

    def test_the_page_has_every_fault(self) -> None:
        """docs/faults.md has a row for each fault, and no fault was missed."""
        page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
        rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}

        assert rows.keys() == FAULTS.keys()
        assert "**missed**" not in page

    def test_every_class_has_a_fault_here(self) -> None:
        """The faults that are tried here include one of each class."""
        assert all(CAUGHT_BY.keys() & rows.keys() for rows in CLASSES.values())


class TestReading:
    def test_two_lists_are_compared_item_by_item(self) -> None:
        """A line for each item; what is missing and what is unexpected is marked."""
        done = conformance_here("--fault", "after-inclusive", *only("LIST-3"))

        actual = done.stdout.partition("  actual:  ")[2].partition("(- is missing")[0]
        marks = [line.strip().partition(" batch_")[0] for line in actual.strip().splitlines()]
        assert [mark for mark in marks if not mark.startswith("batch_")] == ["+", "-"]

    def test_the_replay_line_repeats_a_run_on_its_own_simulator(self) -> None:
        """The simulator of the run is gone, so the line names the run, and not its port."""
        done = conformance_here("--fault", "after-inclusive", "--seed", "7", *only("LIST-3"))

        (replay,) = re.findall(r"replay: +siliconflow-batch conformance (.*)", done.stdout)
        again = conformance_here(*replay.split())
        assert (done.returncode, again.returncode) == (1, 1)
        assert "LIST-3" in again.stdout


class TestExitStatus:
    def test_a_sound_simulator_conforms(self) -> None:
        """Without a fault every requirement of hand-written cases holds."""
        done = conformance_here("--strict", *only(*HAND_WRITTEN))

        assert done.returncode == 0, done.stdout
        assert "fails" not in done.stdout

    def test_optimized_python_is_refused(self) -> None:
        """Without assertions the suite would judge less than it says."""
        done = conformance("--only", "LIST-13", PYTHONOPTIMIZE="1")

        assert (done.returncode, done.stdout) == (2, "")
        assert "without `python -O`" in done.stderr

    def test_a_failed_should_alone_is_not_fatal(self) -> None:
        """A failed `should` is reported, and the exit status is 0 without --strict."""
        done = conformance_here("--fault", "upload-renamed", *only("UPLOAD"))

        assert done.returncode == 0
        assert "UPLOAD-3" in done.stdout

    def test_a_must_that_a_should_blocks_is_fatal(self, tmp_path: Path) -> None:
        """The report shows the failed `should` only, and the `must` that it blocks counts."""
        waiting_with_results = {"id": "batch-a", "status": "in_queue", "output_file_id": "file-a"}
        creation = Exchange(
            *(1, "POST", "/batches", 200),
            request_body=b'{"input_file_id": "file-b"}',
            request_type="application/json",
            body=json.dumps(waiting_with_results).encode(),
        )
        har.write(tmp_path / "run.har", [creation], "https://api.siliconflow.cn/v1")

        done = conformance_here("--har", str(tmp_path / "run.har"), *only("RESULT-6", "CREATE-4"))

        assert done.returncode == 1
        assert "RESULT-6  every batch: " in done.stdout
        assert "[must]" not in done.stdout

    def test_no_response_is_no_verdict(self) -> None:
        """Where no service listens, the process exits with 2, without a traceback."""
        done = conformance("--base-url", "http://127.0.0.1:9/v1", SILICONFLOW_API_KEY="sk-x")

        assert done.returncode == 2
        assert "does not respond" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_wrong_key_is_no_verdict(self) -> None:
        """A refused key gives no verdict, and is not printed."""
        with Simulator() as simulator:
            done = conformance_here(
                "--unmetered", "--base-url", simulator.base_url, SILICONFLOW_API_KEY="sk-wrong"
            )

        assert done.returncode == 2
        assert "rejected the key" in done.stderr
        assert "sk-wrong" not in done.stdout + done.stderr

    def test_a_wrong_base_url_is_no_verdict(self) -> None:
        """The message for a base URL without /v1 suggests to add it."""
        with Simulator() as simulator:
            base_url = simulator.base_url.removesuffix("/v1")
            done = conformance_here("--base-url", base_url, SILICONFLOW_API_KEY="sk-simulator")

        assert done.returncode == 2
        assert "Does the base URL end in /v1?" in done.stderr

    def test_an_interrupted_run_is_no_verdict(self) -> None:
        """A process that is terminated during a run exits with 2 and prints no verdict."""
        command = [SCRIPT, "conformance", *only("LIFE", "AUTH")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") as running:  # noqa: S603
            assert running.stdout is not None
            running.stdout.readline()
            running.send_signal(signal.SIGTERM)
            output = running.stdout.read()

        assert running.returncode == 2
        assert "interrupted" in output
        assert "conformant" not in output

    def test_a_bug_in_a_check_is_no_verdict(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A check that raises an unexpected exception is an error, not a failure."""

        def broken(*_: object) -> str:
            raise NameError("no such name")

        monkeypatch.setattr(shapes, "status_is", broken)
        with Rig.simulated() as rig, capsys.disabled():
            run = judge(rig, 1, selected(["RETRIEVE-2", "LIST-4"])).run()

        outcomes = {id: verdict.outcome for id, verdict in run.verdicts.items()}
        assert outcomes == {"RETRIEVE-2": BROKEN, "LIST-4": HOLDS}
        assert "test_unknown: NameError: no such name" in run.errors
        assert exit_status(run, {}) == 2

    @pytest.mark.parametrize(("fault", "status"), [("any-key", 1), ("", 2)])
    @pytest.mark.parametrize("option", ["--record", "--report"])
    def test_a_failed_write_hides_no_failure(
        self, tmp_path: Path, option: str, fault: str, status: int
    ) -> None:
        """A failed write makes the exit status 2, unless the run has a failure."""
        (tmp_path / "report.html" / "in the way").mkdir(parents=True)
        path = Path("/dev/full") if option == "--record" else tmp_path
        faults = ["--fault", fault] if fault else []
        done = conformance_here(option, str(path), *only("AUTH-1"), *faults)

        assert done.returncode == status
        assert str(path) in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("--base-url", "http://127.0.0.1:9/v1"), "Set SILICONFLOW_API_KEY"),
            (("--patience", "nan"), "--patience must be"),
            (("--core", *only("SCHEMA-1")), "--core leaves out all"),
            (("--deviations", "/nowhere.yaml", *only("HTTP")), "/nowhere.yaml"),
            (("--report", "/dev/null/x", *only("HTTP")), "/dev/null/x"),
            (("--record", "/dev/null/x/run.har", *only("HTTP")), "/dev/null/x"),
            (("--record", "/", *only("HTTP")), "--record names a file, and / is a folder"),
            (("--only", "LIST-99"), "no requirement 'LIST-99'"),
            (("--fault", "nonsense"), "no fault or variant 'nonsense'"),
            (("--unmetered",), "give its --base-url"),
            (("--fault", "any-key", "--base-url", "http://127.0.0.1:9/v1"), "leave out --base-url"),
        ],
    )
    def test_invalid_options_are_refused(self, arguments: tuple[str, ...], reason: str) -> None:
        """Invalid options exit with 2, and the message names the option."""
        done = conformance_here(*arguments)

        assert done.returncode == 2
        assert reason in done.stderr


class TestAgainstAServer:
    def test_another_server_is_judged_with_two_accounts(self) -> None:
        """A base URL and two keys are enough for a run with every requirement judged."""
        with Simulator(keys=("sk-one", "sk-two")) as simulator:
            done = conformance_here(
                *(
                    "--unmetered",
                    "--base-url",
                    simulator.base_url,
                    *only("OWNER", "LIFE", "RESULT"),
                ),
                SILICONFLOW_API_KEY="sk-one",
                SILICONFLOW_API_KEY_2="sk-two",
            )

        assert done.returncode == 0, done.stdout
        assert "not judged" not in done.stdout

    def test_without_a_second_account_isolation_is_not_judged(self) -> None:
        """Without a second key, OWNER is reported as not judged."""
        with Simulator() as simulator:
            done = conformance_here(
                *("--unmetered", "--base-url", simulator.base_url, *only("OWNER", "LIST")),
                SILICONFLOW_API_KEY="sk-simulator",
            )

        assert done.returncode == 0
        assert "not judged: OWNER-1" in done.stdout

    def test_the_replay_repeats_the_wrong_request(self) -> None:
        """The replay has the method, the path, the query and the key variable of the request."""
        with Simulator(keys=("sk-a", "sk-b"), faults=("list-shared",)) as simulator:
            done = conformance_here(
                *("--unmetered", "--base-url", simulator.base_url, *only("OWNER-2")),
                SILICONFLOW_API_KEY="sk-a",
                SILICONFLOW_API_KEY_2="sk-b",
            )

        (replay,) = re.findall(r"replay: +(.*)", done.stdout)
        assert replay.startswith("curl -X GET ")
        assert "/v1/batches?limit=100" in replay
        assert replay.endswith('"Authorization: Bearer $SILICONFLOW_API_KEY_2"')

    def test_two_targets_in_one_report(self, tmp_path: Path) -> None:
        """--beside adds the runs of another report."""
        first, both = tmp_path / "first", tmp_path / "both"
        conformance_here("--report", str(first), *only("HTTP"))

        conformance_here(
            *("--fault", "put-taken", "--report", str(both), *only("HTTP")),
            *("--beside", str(first / "report.json")),
        )

        runs = json.loads((both / "report.json").read_text(encoding="utf-8"))["runs"]
        assert len({run["target"] for run in runs}) == 2
        outcomes = [run["verdicts"]["HTTP-1"]["outcome"] for run in runs]
        assert outcomes == ["fails", "holds"]

    def test_a_key_is_in_no_report(self) -> None:
        """Failures name the environment variable instead of the key."""
        with Simulator(keys=("sk-secret-of-this-test",), faults=("after-inclusive",)) as simulator:
            done = conformance_here(
                *("--unmetered", "--base-url", simulator.base_url, *only("LIST", "SCHEMA-2")),
                SILICONFLOW_API_KEY="sk-secret-of-this-test",
            )

        assert done.returncode == 1
        assert "sk-secret-of-this-test" not in done.stdout + done.stderr
        assert "$SILICONFLOW_API_KEY" in done.stdout

    def test_a_remote_service_is_only_read_without_writes(self) -> None:
        """Without --writes an upload to a remote service is not sent."""
        rig = Rig.at("https://api.siliconflow.invalid/v1", "sk-x", None, writes=False, patience=1)

        with pytest.raises(pytest.skip.Exception, match="--writes"):
            rig.target.upload(b"")
        rig.close()
