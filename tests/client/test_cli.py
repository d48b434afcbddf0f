"""The commands against a simulator on a real socket, in this process."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from account import asked, json_lines, line
from shell import Shell
from siliconflow_batch import Patience, SiliconFlowBatch
from siliconflow_batch_simulator import Simulator

GOOD = json_lines(line("a"), line("b", top_p=9), line("c"))


@pytest.fixture
def prompts(site: Simulator) -> str:
    """A sound file of three lines, of which the second will fail."""
    Path("prompts.jsonl").write_bytes(GOOD)
    return "prompts.jsonl"


@pytest.fixture
def faulty(site: Simulator) -> str:
    Path("faulty.jsonl").write_bytes(json_lines({"custom_id": "a"}, line("b"), {"body": 3}))
    return "faulty.jsonl"


@pytest.fixture
def batch(shell: Shell, prompts: str) -> str:
    """The id of a batch of `prompts`, which has ended."""
    id = shell("submit", prompts).out.strip()
    shell("wait", id, "--interval", "0.01")
    return id


@pytest.fixture
def running(shell: Shell, prompts: str, site: Simulator) -> str:
    """The id of a batch that does not end."""
    site.pace.running = 1e6
    return shell("submit", prompts).out.strip()


class TestValidate:
    def test_a_sound_file_is_summed_up(self, shell: Shell, prompts: str) -> None:
        """Lines, bytes and the model; no key is needed, and nothing is sent."""
        said = shell("validate", prompts)

        assert (said.status, said.err) == (0, "")
        assert said.out == f"prompts.jsonl: sound; 3 lines, {len(GOOD)} bytes, model m\n"

    def test_every_fault_is_named(self, shell: Shell, faulty: str, prompts: str) -> None:
        """File, line, field and reason of each; the other files are checked all the same."""
        said = shell("validate", faulty, prompts)

        assert said.status == 1
        assert "faulty.jsonl, line 1: body: must be an object; it is missing\n" in said.out
        assert "faulty.jsonl, line 3: custom_id: must be a non-empty string" in said.out
        assert "prompts.jsonl: sound" in said.out

    def test_most_bounds_the_faults(self, shell: Shell, faulty: str) -> None:
        """--most N prints N faults, and says that there are more."""
        said = shell("validate", faulty, "--most", "1")

        assert said.out.splitlines()[1:] == ["faulty.jsonl: and more; --most shows them"]

    def test_model_stands_in_for_the_lines_own(self, shell: Shell, site: Simulator) -> None:
        """With --model a file whose lines name none is sound."""
        without = line("a")
        del without["body"]["model"]
        Path("in.jsonl").write_bytes(json_lines(without))

        assert shell("validate", "in.jsonl").status == 1
        assert shell("validate", "in.jsonl", "--model", "m").status == 0

    def test_json(self, shell: Shell, faulty: str, prompts: str) -> None:
        """An object for each file: what it holds, or its faults."""
        bad, good = map(json.loads, shell("validate", faulty, prompts, "--json").out.splitlines())

        assert {fault["line"] for fault in bad["faults"]} == {1, 3}
        assert not bad["sound"]
        assert good == {
            "file": prompts,
            "sound": True,
            "lines": 3,
            "bytes": len(GOOD),
            "model": "m",
        }


class TestSubmit:
    def test_ids_on_stdout_and_how_to_go_on_on_stderr(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """What is printed can be handed to the next command; people are told which."""
        said = shell("submit", prompts, "--model", "n", "--window", "48h", "--metadata", "a=b=c")

        (made,) = site.service.batches.values()
        assert said.out == made.id + "\n"
        assert f"siliconflow-batch wait {made.id}\n" in said.err
        assert (made.model, made.window_hours, made.file_name) == ("n", 48, prompts)
        assert made.metadata
        assert made.metadata["a"] == "b=c"

    def test_one_faulty_file_keeps_all_from_being_sent(
        self, shell: Shell, prompts: str, faulty: str, site: Simulator
    ) -> None:
        """All files are checked before anything is sent."""
        said = shell("submit", prompts, faulty)

        assert (said.status, said.out) == (1, "")
        assert "faulty.jsonl, line 1" in said.err
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
    def test_what_cannot_be_is_refused_before_the_upload(
        self, shell: Shell, prompts: str, site: Simulator, options: list[str]
    ) -> None:
        """A window, a note, a model or a file that cannot be; the same file twice; stdin."""
        said = shell("submit", prompts, *options)

        assert (said.status, said.out) == (2, "")
        assert said.err.startswith("siliconflow-batch: ")
        assert asked(site) == []

    def test_one_refusal_does_not_stop_the_others(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """The worst counts, and the other files are submitted."""
        Path("second.jsonl").write_bytes(json_lines(line("z")))
        site.faults.add("forbidden", "POST /files", times=1)

        said = shell("submit", prompts, "second.jsonl")

        assert said.status == 3
        assert [made.file_name for made in site.service.batches.values()] == ["second.jsonl"]
        assert said.out.split() == list(site.service.batches)
        assert "prompts.jsonl: " in said.err

    def test_an_unknown_outcome_leaves_a_token(
        self,
        shell: Shell,
        prompts: str,
        site: Simulator,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The exit status is 7, and the command that is printed finds the batch later."""
        quick = partial(Patience, seconds=0.01, looks=2)
        monkeypatch.setattr("siliconflow_batch.client.Patience", quick)
        site.faults.add("reset-after", "POST /batches")
        site.faults.add("forbidden", "GET /batches")
        said = shell("submit", prompts, "--json")
        (made,) = site.service.batches.values()
        error = json.loads(said.err.splitlines()[-1])["error"]

        refused = shell(*error["next"][0].split()[1:])
        site.faults.clear()
        found = shell(*error["next"][0].split()[1:])

        assert (said.status, error["kind"]) == (7, "CreateOutcomeUnknown")
        assert error["token"] in error["next"][0]
        assert (refused.status, refused.out) == (3, "")
        assert "403" in refused.err
        assert found.rows[0][0] == made.id

    @pytest.mark.parametrize("when", ["upload", "create", "second"])
    def test_an_interruption_says_what_exists(
        self,
        shell: Shell,
        prompts: str,
        monkeypatch: pytest.MonkeyPatch,
        site: Simulator,
        when: str,
    ) -> None:
        """Each file with what was made of it, and the command that goes on with it."""
        Path("second.jsonl").write_bytes(json_lines(line("z")))
        sound = SiliconFlowBatch.create

        def create(*arguments: Any, **options: Any) -> Any:
            if when == "create" or site.service.batches:
                raise KeyboardInterrupt
            return sound(*arguments, **options)

        def upload(*_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr(SiliconFlowBatch, "create", create)
        if when == "upload":
            monkeypatch.setattr(SiliconFlowBatch, "upload", upload)

        said = shell("submit", prompts, "second.jsonl", "--window", "48h", "--metadata", "a=b c")

        again = "siliconflow-batch submit second.jsonl --window 48h --metadata 'a=b c'"
        told = {
            "upload": [again, again.replace("second", "prompts")],
            "create": ["prompts.jsonl: uploaded as file-", "list --limit 0 --file file-", again],
            "second": ["siliconflow-batch wait batch_", "list --limit 0 --file file-"],
        }
        assert said.status == 130
        assert all(text in said.err for text in told[when])


class TestStatus:
    def test_a_row_for_each_batch(self, shell: Shell, batch: str) -> None:
        """Tab-separated in a pipe, without a head."""
        said = shell("status", batch)

        assert said.status == 0
        assert said.rows[0][:5] == [batch, "completed", "3", "2", "1"]

    def test_an_unknown_batch_does_not_hide_the_others(self, shell: Shell, batch: str) -> None:
        """It is named on stderr, and makes the exit status."""
        said = shell("status", "batch_nope", batch)

        assert said.status == 3
        assert [row[0] for row in said.rows] == [batch]
        assert "batch_nope" in said.err

    def test_json_is_what_the_service_said(self, shell: Shell, batch: str) -> None:
        """Whole objects, one a line."""
        told = json.loads(shell("status", batch, "--json").out)

        assert told["id"] == batch
        assert told["request_counts"] == {"total": 3, "completed": 2, "failed": 1}

    def test_a_token_that_no_batch_has(self, shell: Shell, batch: str) -> None:
        """It says that lists can lag, before anybody pays twice."""
        said = shell("status", "--token", "0" * 32)

        assert said.status == 3
        assert "look again" in said.err

    def test_nothing_named(self, shell: Shell) -> None:
        """Neither an id nor a token is no call."""
        assert shell("status").status == 2


class TestList:
    def test_newest_first_up_to_the_limit(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """--limit N shows N and says that there are more; 0 shows all."""
        ids = [shell("submit", prompts).out.strip() for _ in range(3)]

        two, everything = shell("list", "--limit", "2"), shell("list", "--limit", "0")

        assert [row[0] for row in two.rows] == ids[:0:-1]
        assert "more than 2" in two.err
        assert [row[0] for row in everything.rows] == ids[::-1]
        assert everything.err == ""

    def test_by_status_and_by_input_file(self, shell: Shell, batch: str, running: str) -> None:
        """Filters go through all pages until the limit is full."""
        file = json.loads(shell("status", batch, "--json").out)["input_file_id"]

        done = shell("list", "--status", "completed", "--status", "failed", "--limit", "1")

        assert [row[0] for row in done.rows] == [batch]
        assert [row[0] for row in shell("list", "--file", file).rows] == [batch]

    def test_files(self, shell: Shell, batch: str) -> None:
        """The uploaded files, as rows and as objects."""
        said, told = shell("files"), json.loads(shell("files", "--json").out)

        assert said.rows[0][1:3] == [str(len(GOOD)), "3"]
        assert said.rows[0][4] == "prompts.jsonl"
        assert (told["filename"], told["id"]) == ("prompts.jsonl", said.rows[0][0])


class TestCancel:
    def test_a_running_batch_is_stopped(self, shell: Shell, running: str) -> None:
        """It is shown as the service left it."""
        said = shell("cancel", running)

        assert said.status == 0
        assert said.rows[0][:2] == [running, "cancelling"]

    def test_a_batch_that_has_ended_is_refused(self, shell: Shell, batch: str) -> None:
        """In the service's words, and the others are stopped all the same."""
        said = shell("cancel", batch, batch)

        assert said.status == 3
        assert said.err.count("Cannot cancel batch") == 1  # named twice, asked once


class TestWait:
    def test_several_end_side_by_side(self, shell: Shell, prompts: str) -> None:
        """Each is printed as it ends; lines that failed are no failure of the batch."""
        ids = [shell("submit", prompts).out.strip() for _ in range(3)]

        said = shell("wait", *ids, "--interval", "0.01")

        assert (said.status, said.err) == (0, "")
        assert sorted(row[0] for row in said.rows) == sorted(ids)
        assert {row[1] for row in said.rows} == {"completed"}

    def test_the_time_is_over(self, shell: Shell, batch: str, running: str) -> None:
        """Exit status 6 and the command to wait again; what has ended is printed."""
        said = shell("wait", running, batch, "--timeout", "0")

        assert said.status == 6
        assert [row[0] for row in said.rows] == [batch]
        assert f"siliconflow-batch wait {running}" in said.err

    def test_a_batch_that_was_cancelled(self, shell: Shell, running: str, site: Simulator) -> None:
        """It has ended, and not as completed: 5."""
        shell("cancel", running)

        said = shell("wait", running, "--interval", "0.01")

        assert said.status == 5
        assert said.rows[0][1] == "cancelled"
        assert f"siliconflow-batch results {running}" in said.err

    @pytest.mark.parametrize(
        "options", [["--timeout", "nan"], ["--timeout", "-1"], ["--interval", "0"]]
    )
    def test_seconds_that_are_none(self, shell: Shell, options: list[str]) -> None:
        """Nobody waits for an amount of time that is none."""
        assert shell("wait", "batch_a", *options).status == 2

    def test_nobody_answers(self, shell: Shell) -> None:
        """Exit status 4; the address is in the command that goes on."""
        said = shell("list", "--base-url", "http://127.0.0.1:1/v1")

        assert said.status == 4
        assert "Connection refused; trying again in" in said.err
        assert "Check the connection" in said.err
