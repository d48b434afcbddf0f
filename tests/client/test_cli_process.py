"""The console script with signals, pipes and terminals, and without its dependencies."""

import contextlib
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from siliconflow_batch import console
from siliconflow_batch_simulator import Clock, Simulator
from support.account import asked, json_lines, line
from support.shell import SCRIPT, Shell, Terminal, call_on_terminal, start, until, wait_for_exit


@pytest.fixture
def prompts(site: Simulator) -> str:
    Path("prompts.jsonl").write_bytes(json_lines(*map(line, "abcd")))
    return "prompts.jsonl"


@pytest.fixture
def batch(shell: Shell, prompts: str) -> str:
    """The id of a new batch."""
    return shell("submit", prompts).out.strip()


class TestInterruption:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    @pytest.mark.parametrize("command", [["wait"], ["results", "--wait"]])
    def test_waiting(
        self, batch: str, site: Simulator, number: signal.Signals, command: list[str]
    ) -> None:
        """The batch continues, and the command line to wait again is printed."""
        site.pace.queued = 1e6
        process = start(*command, batch)
        until(lambda: f"GET /v1/batches/{batch}" in asked(site))

        process.send_signal(number)
        result = wait_for_exit(process)

        assert result.status == 130
        assert result.err.splitlines()[-1] == f"  siliconflow-batch {' '.join(command)} {batch}"
        assert "Traceback" not in result.err
        assert site.service.batches[batch].status == "in_queue"

    def test_an_ignored_signal(self, batch: str, site: Simulator) -> None:
        """Under nohup, SIGHUP does not interrupt the command."""
        site.pace.queued = 1e6
        process = start("wait", batch, "--interval", "0.01", nohup=True)
        until(lambda: f"GET /v1/batches/{batch}" in asked(site))

        process.send_signal(signal.SIGHUP)
        site.pace.queued = 0
        result = wait_for_exit(process)

        assert result.status == 0
        assert result.out.startswith(f"{batch}\tcompleted")

    def test_submitting(self, shell: Shell, prompts: str, site: Simulator) -> None:
        """If a batch may exist, the printed command finds it."""
        site.faults.add("reset-after", "POST /batches")
        process = start("submit", prompts)
        until(lambda: "POST /v1/batches" in asked(site) and bool(site.service.batches))

        process.send_signal(signal.SIGTERM)
        result = wait_for_exit(process)

        assert (result.status, result.out) == (130, "")
        listed = shell(*result.err.splitlines()[-1].split()[1:])
        assert [row[0] for row in listed.rows] == list(site.service.batches)

    def test_json(self, batch: str, site: Simulator) -> None:
        """With --json, the interruption is printed as an error object."""
        site.pace.queued = 1e6
        process = start("wait", batch, "--json")
        until(lambda: f"GET /v1/batches/{batch}" in asked(site))

        process.terminate()
        result = wait_for_exit(process)

        error = json.loads(result.err)["error"]
        assert (result.status, error["kind"]) == (130, "Interrupted")
        assert error["next"] == [f"siliconflow-batch wait {batch} --json"]


class TestPipes:
    def test_a_reader_that_stops_reading(self, shell: Shell, site: Simulator) -> None:
        """`results … | head -1` exits with 0 and prints no error."""
        long = [line(str(number), filler="x" * 1000) for number in range(300)]
        Path("long.jsonl").write_bytes(json_lines(*long))
        id = shell("submit", "long.jsonl").out.strip()
        shell("wait", id, "--interval", "0.01")
        process = start("results", id)
        assert process.stdout
        assert process.stderr

        first = process.stdout.readline()
        process.stdout.close()

        assert json.loads(first)["custom_id"] == "0"
        assert (process.wait(), process.stderr.read()) == (0, "")
        process.stderr.close()

    def test_a_reader_that_reads_nothing(self) -> None:
        """`--help` exits with 0 even if the pipe is closed."""
        process = start("--help")
        assert process.stdout
        assert process.stderr

        process.stdout.close()

        assert (process.wait(), process.stderr.read()) == (0, "")
        process.stderr.close()

    @pytest.mark.parametrize("options", [[], ["--json"]])
    def test_an_ascii_stream(self, prompts: str, options: list[str]) -> None:
        """Characters that stdout cannot encode are escaped."""
        Path("名.jsonl").write_bytes(Path(prompts).read_bytes())
        stream = io.TextIOWrapper(raw := io.BytesIO(), "ascii")

        with contextlib.redirect_stdout(stream):
            assert console.main(["validate", "名.jsonl", *options]) == 0
        output = raw.getvalue().decode("ascii")

        if options:
            assert json.loads(output)["file"] == "名.jsonl"
        else:
            assert output.startswith("\\u540d.jsonl: valid")

    def test_no_progress_in_a_pipe(self, batch: str) -> None:
        """Progress bars are drawn on terminals only."""
        assert wait_for_exit(start("wait", batch, "--interval", "0.01")).err == ""


class TestTerminal:
    def test_progress_in_lines(self, prompts: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """`wait` shows the number of finished lines that the service reports."""
        clock = Clock(speed=0)
        with Simulator(clock=clock) as simulator, Terminal() as terminal:
            monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)
            monkeypatch.setenv("SILICONFLOW_API_KEY", simulator.api_key)
            id = wait_for_exit(start("submit", prompts)).out.strip()
            process = start("wait", id, "--interval", "0.01", stderr=terminal.slave)
            terminal.read_until("in_queue")
            clock.advance(seconds=0.61)
            terminal.read_until("2/4 lines, 0 failed, in_progress")
            clock.advance(seconds=10)

            result = wait_for_exit(process)

        assert result.status == 0
        assert result.out.startswith(f"{id}\tcompleted\t4\t4\t0")

    @pytest.mark.parametrize("options", [[], ["--json"]])
    def test_progress_in_bytes(self, prompts: str, site: Simulator, options: list[str]) -> None:
        """Uploads and downloads show the number of bytes, but not with --json."""
        with Terminal() as terminal:
            submit = call_on_terminal(terminal, "submit", prompts, *options)
            terminal.read_rest()
            id = next(iter(site.service.batches))
            wait = call_on_terminal(terminal, "wait", id, "--interval", "0.01", *options)
            results = call_on_terminal(terminal, "results", id, *options)
            terminal.read_rest()

        size = Path(prompts).stat().st_size
        assert {submit.status, wait.status, results.status} == {0}
        assert len(results.out.splitlines()) == 4
        assert (f"{size}/{size} bytes" in terminal.shown) is not bool(options)
        assert (f"{id} output" in terminal.shown) is not bool(options)

    def test_results_above_progress_bars(self, prompts: str, site: Simulator) -> None:
        """If both streams are the same terminal, progress bars do not overwrite results."""
        with Terminal() as terminal:
            call_on_terminal(terminal, "submit", prompts, stdout=True)
            terminal.read_rest()

        (id,) = site.service.batches
        assert f"{id}\r\n" in terminal.shown

    def test_a_table(
        self, shell: Shell, prompts: str, site: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Names are shown unchanged, without markup, and control characters are escaped."""
        Path(name := "[red]\x1b[31mx.jsonl").write_bytes(Path(prompts).read_bytes())
        shell("submit", name)
        monkeypatch.setenv("COLUMNS", "140")
        with Terminal() as terminal:
            result = call_on_terminal(terminal, "list", stdout=True)
            terminal.read_rest()

        assert result.status == 0
        assert "completed" in terminal.shown.splitlines()[1]  # the header
        assert "[red]\\x1b[31mx.jsonl" in terminal.shown
        assert "\x1b[31m" not in terminal.shown

    def test_a_prompt_for_the_key(self, site: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a key in the environment the command prompts for it, and does not echo it."""
        monkeypatch.delenv("SILICONFLOW_API_KEY")
        with Terminal() as terminal:
            process = start(
                "files",
                stdin=terminal.slave,
                stderr=terminal.slave,
                start_new_session=True,  # without another controlling terminal
            )
            terminal.read_until("SILICONFLOW_API_KEY (not shown): ")
            terminal.type(site.api_key + "\n")
            result = wait_for_exit(process)
            terminal.read_rest()

        assert (result.status, asked(site)) == (0, ["GET /v1/files"])
        assert site.api_key not in terminal.shown

    def test_no_prompt_without_a_terminal(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A missing key is a usage error, and no option accepts a key."""
        monkeypatch.delenv("SILICONFLOW_API_KEY")
        monkeypatch.setattr(sys, "stdin", io.StringIO())

        result = shell("files")

        assert result.status == 2
        assert "Set SILICONFLOW_API_KEY" in result.err
        assert shell("files", "--key", "sk").status == 2


class TestInstallation:
    def test_without_the_extra(self) -> None:
        """Without typer and rich the commands are listed, and the error says what to install."""
        code = (
            "import sys; sys.modules.update(typer=None, click=None, rich=None); "
            "from siliconflow_batch.console import main; sys.exit(main(sys.argv[1:]))"
        )

        def call(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-c", code, *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

        validate = call("validate", "in.jsonl")
        assert "validate" in call("--help").stdout
        assert validate.returncode == 2
        assert "pip install 'siliconflow-batch[cli]'" in validate.stderr

    def test_the_script_is_installed(self) -> None:
        """The console script exists beside the interpreter."""
        assert Path(SCRIPT).exists()
