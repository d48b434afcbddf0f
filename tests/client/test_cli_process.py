"""The console script as a process: signals, pipes, terminals, and what is not installed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from siliconflow_batch_simulator import Clock, Simulator
from support.account import asked, json_lines, line
from support.shell import SCRIPT, Shell, Terminal, ended, start, until


@pytest.fixture
def prompts(site: Simulator) -> str:
    Path("prompts.jsonl").write_bytes(json_lines(*map(line, "abcd")))
    return "prompts.jsonl"


@pytest.fixture
def batch(shell: Shell, prompts: str) -> str:
    """The id of a batch that has just been created."""
    return shell("submit", prompts).out.strip()


class TestInterruption:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    @pytest.mark.parametrize("command", [["wait"], ["results", "--wait"]])
    def test_waiting(
        self, batch: str, site: Simulator, number: signal.Signals, command: list[str]
    ) -> None:
        """The batch goes on, and the command that waits again is printed as it was typed."""
        site.pace.queued = 1e6
        process = start(*command, batch)
        until(lambda: f"GET /v1/batches/{batch}" in asked(site))

        process.send_signal(number)
        said = ended(process)

        assert said.status == 130
        assert said.err.splitlines()[-1] == f"  siliconflow-batch {' '.join(command)} {batch}"
        assert "Traceback" not in said.err
        assert site.service.batches[batch].status == "in_queue"

    def test_what_is_ignored_stays_ignored(self, batch: str, site: Simulator) -> None:
        """Under nohup a terminal that goes away ends nothing."""
        site.pace.queued = 1e6
        process = start("wait", batch, "--interval", "0.01", nohup=True)
        until(lambda: f"GET /v1/batches/{batch}" in asked(site))

        process.send_signal(signal.SIGHUP)
        site.pace.queued = 0
        said = ended(process)

        assert said.status == 0
        assert said.out.startswith(f"{batch}\tcompleted")

    def test_submitting(self, shell: Shell, prompts: str, site: Simulator) -> None:
        """While it is not known whether a batch exists, the command that tells is printed."""
        site.faults.add("reset-after", "POST /batches")
        process = start("submit", prompts)
        until(lambda: "POST /v1/batches" in asked(site) and bool(site.service.batches))

        process.send_signal(signal.SIGTERM)
        said = ended(process)

        assert (said.status, said.out) == (130, "")
        found = shell(*said.err.splitlines()[-1].split()[1:])
        assert [row[0] for row in found.rows] == list(site.service.batches)

    def test_json(self, batch: str, site: Simulator) -> None:
        """Programs are told the same."""
        site.pace.queued = 1e6
        process = start("wait", batch, "--json")
        until(lambda: f"GET /v1/batches/{batch}" in asked(site))

        process.terminate()
        said = ended(process)

        told = json.loads(said.err)["error"]
        assert (said.status, told["kind"]) == (130, "Interrupted")
        assert told["next"] == [f"siliconflow-batch wait {batch} --json"]


class TestPipes:
    def test_a_reader_that_has_seen_enough(self, shell: Shell, site: Simulator) -> None:
        """`results … | head -1` ends well and silently."""
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

    def test_a_reader_that_wants_nothing(self) -> None:
        """A help that nobody reads is no error either."""
        process = start("--help")
        assert process.stdout
        assert process.stderr

        process.stdout.close()

        assert (process.wait(), process.stderr.read()) == (0, "")
        process.stderr.close()

    def test_a_stream_that_is_not_unicode(self, prompts: str, shell: Shell) -> None:
        """JSON is escaped, and names are too, where stdout cannot say them."""
        Path("名.jsonl").write_bytes(Path(prompts).read_bytes())
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}

        plain = ended(start("validate", "名.jsonl", env=environment))
        told = ended(start("validate", "名.jsonl", "--json", env=environment))

        assert plain.out.startswith("\\u540d.jsonl: sound")
        assert json.loads(told.out)["file"] == "名.jsonl"

    def test_no_progress_in_a_pipe(self, batch: str) -> None:
        """stderr is for what matters."""
        assert ended(start("wait", batch, "--interval", "0.01")).err == ""


class TestTerminal:
    def test_bars_of_lines(self, prompts: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Waiting shows how many lines are done, as the service counts them."""
        clock = Clock(speed=0)
        with Simulator(clock=clock) as simulator, Terminal() as terminal:
            monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)
            monkeypatch.setenv("SILICONFLOW_API_KEY", simulator.api_key)
            id = ended(start("submit", prompts)).out.strip()
            process = start("wait", id, "--interval", "0.01", stderr=terminal.theirs)
            terminal.read_until("in_queue")
            clock.advance(seconds=0.61)
            terminal.read_until("2/4 lines, 0 failed, in_progress")
            clock.advance(seconds=10)

            said = ended(process)

        assert said.status == 0
        assert said.out.startswith(f"{id}\tcompleted\t4\t4\t0")

    @pytest.mark.parametrize("options", [[], ["--json"]])
    def test_bars_of_bytes(self, prompts: str, site: Simulator, options: list[str]) -> None:
        """Uploads and downloads show their bytes; not with --json."""
        with Terminal() as terminal:
            said = ended(start("submit", prompts, *options, stderr=terminal.theirs))
            terminal.read_rest()
            id = next(iter(site.service.batches))
            end = ended(start("wait", id, "--interval", "0.01", *options, stderr=terminal.theirs))
            results = ended(start("results", id, *options, stderr=terminal.theirs))
            terminal.read_rest()

        size = Path(prompts).stat().st_size
        assert {said.status, end.status, results.status} == {0}
        assert len(results.out.splitlines()) == 4
        assert (f"{size}/{size} bytes" in terminal.shown) is not bool(options)
        assert (f"{id} output" in terminal.shown) is not bool(options)

    def test_ids_above_bars(self, prompts: str, site: Simulator) -> None:
        """Where stdout is the terminal that shows the bars, results are not drawn over."""
        with Terminal() as terminal:
            ended(start("submit", prompts, stdout=terminal.theirs, stderr=terminal.theirs))
            terminal.read_rest()

        (id,) = site.service.batches
        assert f"{id}\r\n" in terminal.shown

    def test_a_table(self, shell: Shell, prompts: str, site: Simulator) -> None:
        """Names are shown as they are: neither markup nor control characters do anything."""
        Path(name := "[red]\x1b[31mx.jsonl").write_bytes(Path(prompts).read_bytes())
        shell("submit", name)
        environment = {**os.environ, "COLUMNS": "140"}
        with Terminal() as terminal:
            said = ended(start("list", stdout=terminal.theirs, env=environment))
            terminal.read_rest()

        assert said.status == 0
        assert "completed" in terminal.shown.splitlines()[1]  # the head
        assert "[red]\\x1b[31mx.jsonl" in terminal.shown
        assert "\x1b[31m" not in terminal.shown

    def test_the_key_is_asked_for(self, site: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a key in the environment somebody may type it; it is not shown."""
        monkeypatch.delenv("SILICONFLOW_API_KEY")
        with Terminal() as terminal:
            process = start(
                "files",
                stdin=terminal.theirs,
                stderr=terminal.theirs,
                start_new_session=True,  # so that there is no other terminal to ask
            )
            terminal.read_until("SILICONFLOW_API_KEY (not shown): ")
            terminal.type(site.api_key + "\n")
            said = ended(process)
            terminal.read_rest()

        assert (said.status, asked(site)) == (0, ["GET /v1/files"])
        assert site.api_key not in terminal.shown

    def test_nobody_to_ask(self, site: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a terminal a missing key is an error, and no option takes one."""
        monkeypatch.delenv("SILICONFLOW_API_KEY")

        said = ended(start("files"))

        assert said.status == 2
        assert "Set SILICONFLOW_API_KEY" in said.err
        assert ended(start("files", "--key", "sk")).status == 2


class TestInstallation:
    def test_without_the_extra(self) -> None:
        """The base install lists all commands, and says what the others need."""
        code = (
            "import sys; sys.modules.update(typer=None, click=None, rich=None); "
            "from siliconflow_batch.console import main; sys.exit(main(sys.argv[1:]))"
        )

        def base(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-c", code, *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

        assert "validate" in base("--help").stdout
        assert base("validate", "in.jsonl").returncode == 2
        assert "pip install 'siliconflow-batch[cli]'" in base("validate", "in.jsonl").stderr

    def test_the_script_is_installed(self) -> None:
        """It is the one that these tests start."""
        assert Path(SCRIPT).exists()
