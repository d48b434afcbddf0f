"""`siliconflow-batch validate` and `submit`, against a simulator on a real socket."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import Patience, SiliconFlowBatch
from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line
from support.shell import Shell

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
        monkeypatch.setattr("siliconflow_batch.base_client.Patience", quick)
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
