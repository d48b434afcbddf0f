"""`siliconflow-batch validate` and `submit`, against a simulator on a real socket."""

import json
import os
import shlex
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import SiliconFlowBatch
from siliconflow_batch.creations.orders import BatchSettings
from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line
from support.shell import Shell

GOOD = json_lines(line("a"), line("b", top_p=9), line("c"))


@pytest.fixture
def prompts(site: Simulator) -> str:
    """A valid file with three lines; the second line will fail."""
    Path("prompts.jsonl").write_bytes(GOOD)
    return "prompts.jsonl"


@pytest.fixture
def invalid(site: Simulator) -> str:
    Path("invalid.jsonl").write_bytes(json_lines({"custom_id": "a"}, line("b"), {"body": 3}))
    return "invalid.jsonl"


class TestValidate:
    def test_a_valid_file(self, shell: Shell, prompts: str) -> None:
        """A summary is printed; no key is needed."""
        result = shell("validate", prompts)

        assert (result.status, result.err) == (0, "")
        assert result.out == f"prompts.jsonl: valid; 3 lines, {len(GOOD)} bytes, model m\n"

    def test_every_error_is_printed(self, shell: Shell, invalid: str, prompts: str) -> None:
        """Each error has a file, a line, a field and a reason; other files are validated too."""
        result = shell("validate", invalid, prompts)

        assert result.status == 1
        assert "invalid.jsonl, line 1: body: must be an object; it is missing\n" in result.out
        assert "invalid.jsonl, line 3: custom_id: must be a non-empty string" in result.out
        assert "prompts.jsonl: valid" in result.out

    def test_most_limits_the_errors(self, shell: Shell, invalid: str) -> None:
        """--most N prints N errors, and reports whether there are more."""
        result = shell("validate", invalid, "--most", "1")

        assert result.out.splitlines()[1:] == [
            "invalid.jsonl: there are more errors; use --most to show them"
        ]

    def test_model_replaces_the_models_of_the_lines(self, shell: Shell, site: Simulator) -> None:
        """With --model, lines without a model are valid."""
        without = line("a")
        del without["body"]["model"]
        Path("in.jsonl").write_bytes(json_lines(without))

        assert shell("validate", "in.jsonl").status == 1
        assert shell("validate", "in.jsonl", "--model", "m").status == 0

    def test_json(self, shell: Shell, invalid: str, prompts: str) -> None:
        """Each file is printed as an object, with its summary or its errors."""
        bad, good = map(json.loads, shell("validate", invalid, prompts, "--json").out.splitlines())

        assert {fault["line"] for fault in bad["faults"]} == {1, 3}
        assert not bad["sound"]
        assert good == {
            "file": prompts,
            "sound": True,
            "lines": 3,
            "bytes": len(GOOD),
            "model": "m",
        }


QUICK = ("--patience", "0.01")


class TestSubmit:
    def test_ids_and_next_commands(self, shell: Shell, prompts: str, site: Simulator) -> None:
        """Ids are printed on stdout, and the next commands on stderr."""
        result = shell("submit", prompts, "--model", "n", "--window", "48h", "--metadata", "a=b=c")

        (batch,) = site.service.batches.values()
        assert result.out == batch.id + "\n"
        assert f"siliconflow-batch wait {batch.id}\n" in result.err
        assert (batch.model, batch.window_hours, batch.file_name) == ("n", 48, prompts)
        assert batch.metadata
        assert batch.metadata["a"] == "b=c"

    def test_one_invalid_file_prevents_all_requests(
        self, shell: Shell, prompts: str, invalid: str, site: Simulator
    ) -> None:
        """All files are validated before anything is sent."""
        result = shell("submit", prompts, invalid)

        assert (result.status, result.out) == (1, "")
        assert "invalid.jsonl, line 1" in result.err
        assert asked(site) == []

    @pytest.mark.parametrize(
        "options",
        [
            ["--window", "1h"],
            ["--metadata", "a"],
            ["--metadata", "a=1", "--metadata", "a=2"],
            ["--metadata", f"{'k' * 65}=1"],
            ["--model", " "],
            ["./prompts.jsonl"],
            ["-"],
            ["missing.jsonl"],
        ],
    )
    def test_invalid_arguments_are_refused_before_the_upload(
        self, shell: Shell, prompts: str, site: Simulator, options: list[str]
    ) -> None:
        """Nothing is sent for invalid options, missing or repeated files, or standard input."""
        result = shell("submit", prompts, *options)

        assert (result.status, result.out) == (2, "")
        assert result.err.startswith("siliconflow-batch: ")
        assert asked(site) == []

    def test_an_error_does_not_stop_other_files(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """The other files are submitted, and the highest exit status is returned."""
        Path("second.jsonl").write_bytes(json_lines(line("z")))
        site.faults.add("forbidden", "POST /files", times=1)

        result = shell("submit", prompts, "second.jsonl")

        assert result.status == 3
        assert [batch.file_name for batch in site.service.batches.values()] == ["second.jsonl"]
        assert result.out.split() == list(site.service.batches)
        assert "prompts.jsonl: " in result.err

    def test_an_unknown_outcome_prints_a_token(
        self,
        shell: Shell,
        prompts: str,
        site: Simulator,
    ) -> None:
        """The exit status is 7, and the printed command finds the batch later."""
        site.faults.add("reset-after", "POST /batches")
        site.faults.add("forbidden", "GET /batches")
        result = shell("submit", prompts, "--json", *QUICK)
        (batch,) = site.service.batches.values()
        error = json.loads(result.err.splitlines()[-1])["error"]

        forbidden = shell(*error["next"][0].split()[1:])
        site.faults.clear()
        found = shell(*error["next"][0].split()[1:])

        assert (result.status, error["kind"]) == (7, "CreateOutcomeUnknown")
        assert error["token"] in error["next"][0]
        assert (forbidden.status, forbidden.out) == (7, "")
        assert "403" in forbidden.err
        assert found.rows[0][0] == batch.id

    @pytest.mark.parametrize("operation", ["upload_file", "create_batch"])
    @pytest.mark.parametrize("number", [1, 2])
    @pytest.mark.parametrize("is_sent", [False, True])
    def test_the_same_command_continues_after_an_interruption(
        self,
        shell: Shell,
        prompts: str,
        monkeypatch: pytest.MonkeyPatch,
        site: Simulator,
        operation: str,
        number: int,
        is_sent: bool,
    ) -> None:
        """Ctrl-C before or after a request: the printed command ends with one batch a file."""
        with SiliconFlowBatch() as client:
            client.submit(json_lines(line("y")))  # so that the list is not empty
        Path("second.jsonl").write_bytes(json_lines(line("z")))
        original = SiliconFlowBatch._send
        calls: list[str] = []

        def send(client: SiliconFlowBatch, call: Any) -> Any:
            calls.append(call.name.replace(" ", "_"))
            if calls.count(operation) == number and calls[-1] == operation:
                if is_sent:
                    original(client, call)
                raise KeyboardInterrupt
            return original(client, call)

        monkeypatch.setattr(SiliconFlowBatch, "_send", send)
        interrupted = shell("submit", prompts, "second.jsonl", "--metadata", "a=b c", *QUICK)
        command = interrupted.err.splitlines()[-1]

        continued = shell(*shlex.split(command)[1:])

        assert (interrupted.status, continued.status) == (130, 0)
        made = [batch for batch in site.service.batches.values() if "a" in (batch.metadata or {})]
        assert sorted(batch.file_name for batch in made) == ["prompts.jsonl", "second.jsonl"]
        assert {*continued.out.split()} == {batch.id for batch in made}

    def test_the_same_command_continues_after_a_kill(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """A batch whose response did not arrive before the kill is found, and not created again."""
        site.faults.add("slow-after", "POST /batches", times=1)
        program = Path(sys.executable).with_name("siliconflow-batch")
        with subprocess.Popen([program, "submit", prompts], stdout=subprocess.PIPE) as killed:  # noqa: S603
            while killed.poll() is None and not site.service.batches:
                os.sched_yield()
            killed.kill()

        continued = shell("submit", prompts, *QUICK)
        another = shell("submit", prompts)

        first, second = site.service.batches
        assert (continued.out, another.out) == (f"{first}\n", f"{second}\n")
        assert "an earlier command was interrupted" in continued.err

    def test_a_second_process_is_refused(self, shell: Shell, prompts: str, site: Simulator) -> None:
        """While one process submits a file, another one is refused, and sends nothing."""
        with SiliconFlowBatch() as client:
            path = Path(prompts)
            content, name = sha256(path.read_bytes()).hexdigest(), str(path.resolve())
            record = client._open_record(None, BatchSettings(), content, name=name)
            with record:
                refused = shell("submit", prompts)
                sent = len(site.requests)
            accepted = shell("submit", prompts)

        assert (refused.status, sent, accepted.status) == (2, 0, 0)
        assert f"Process {os.getpid()} " in refused.err

    def test_an_idempotency_key_names_one_batch(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """The same key returns the same batch; a key for another file is refused."""
        Path("second.jsonl").write_bytes(json_lines(line("z")))

        first = shell("submit", prompts, "--idempotency-key", "nightly")
        again = shell("submit", prompts, "--idempotency-key", "nightly")
        other = shell("submit", "second.jsonl", "--idempotency-key", "nightly")
        two = shell("submit", prompts, "second.jsonl", "--idempotency-key", "nightly")

        assert first.out == again.out == "".join(f"{id}\n" for id in site.service.batches)
        assert "an earlier command has created this batch" in again.err
        assert (first.status, again.status, other.status, two.status) == (0, 0, 2, 2)
