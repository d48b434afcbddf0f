"""What the command line promises in words: exit codes, help, JSON, and nothing that harms."""

import json
import re
from pathlib import Path

import pytest

from siliconflow_batch import console, errors
from siliconflow_batch.cli import exits, messages, program
from siliconflow_batch_simulator import Simulator
from support.batches import batch
from support.shell import Shell

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


class TestExits:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (errors.InputFileInvalid([]), 1),
            (errors.KeyMissing(), 2),
            (errors.ArgumentInvalid("x"), 2),
            (FileNotFoundError(2, "No such file"), 2),
            (errors.NotFound(404, "x"), 3),
            (errors.ServiceUnavailable(503, "x"), 3),
            (errors.ResultLineInvalid(1, "x", b"x"), 3),
            (errors.TransportError("x"), 4),
            (errors.DownloadTruncated(1), 4),
            (errors.BatchExpired(batch(status="expired")), 5),
            (errors.WaitTimedOut("x", 1, "in_queue"), 6),
            (errors.CreateOutcomeUnknown("t", "x"), 7),
            (exits.Interrupted(), 130),
        ],
    )
    def test_each_situation_has_its_code(self, error: Exception, code: int) -> None:
        """Scripts need not read words."""
        assert exits.code(error) == code

    def test_the_table_is_in_the_help_and_in_the_readme(self) -> None:
        """One table, shown twice."""
        rows = re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE)

        assert {int(code): text for code, text in rows} == exits.EXITS
        assert exits.table() in console.USAGE


class TestHelp:
    def test_the_script_and_the_program_have_the_same_commands(self) -> None:
        """What is listed is there."""
        listed = [name for name, (_, extra, _) in console.COMMANDS.items() if extra == "cli"]

        assert listed == list(program.COMMANDS)

    @pytest.mark.parametrize("name", program.COMMANDS)
    def test_it_teaches(self, shell: Shell, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Examples stand in it as they are typed, however narrow the terminal; then the codes."""
        monkeypatch.setenv("COLUMNS", "40")

        said = shell(name, "--help")

        documented = program.COMMANDS[name][0].__doc__ or ""
        examples = re.findall(r"^ +(siliconflow-batch .+)$", documented, re.MULTILINE)
        assert said.status == 0
        assert len(examples) >= 2
        assert set(examples) <= {row.strip() for row in said.out.splitlines()}
        assert exits.table(130) in said.out

    @pytest.mark.parametrize("name", program.COMMANDS)
    def test_every_example_has_options_that_exist(self, shell: Shell, name: str) -> None:
        """Whoever copies an example is not told off for it."""
        options = set(re.findall(r"--[a-z-]+", program.COMMANDS[name][0].__doc__ or ""))
        known = "".join(
            shell(other, "--help").out.split("Options:")[1] for other in program.COMMANDS
        )

        assert options <= set(re.findall(r"--[a-z-]+", known))


class TestJson:
    def test_wrong_usage(self, shell: Shell) -> None:
        """Even arguments that cannot be read are told as JSON."""
        said = shell("list", "--json", "--nonsense")

        told = json.loads(said.err)["error"]
        assert (said.status, told["kind"], told["exit"]) == (2, "UsageWrong", 2)

    def test_facts(self, shell: Shell, site: Simulator) -> None:
        """What an exception knows is there, beside its words."""
        said = shell("status", "batch_nope", "--json")

        told = json.loads(said.err)["error"]
        assert said.out == ""
        assert told["kind"] == "NotFound"
        assert (told["status"], told["about"]) == (404, "batch_nope")
        assert told["message"].endswith("404: 404 page not found")

    def test_faults(self, shell: Shell, site: Simulator) -> None:
        """The faults of an input file are rows."""
        Path("in.jsonl").write_text("{}\n")

        told = json.loads(shell("submit", "in.jsonl", "--json").err)["error"]

        assert told["faults"][0]["file"] == "in.jsonl"
        assert told["faults"][0]["line"] == 1


class TestSafety:
    @pytest.mark.parametrize(
        "text", ["\x1b[31m", "\r", "\x9b", "\x7f", "\u202e", "\u2028", "\udc80", "\n", "\x00"]
    )
    def test_nothing_acts_on_a_terminal(self, text: str) -> None:
        """Control characters are escaped for people, and in JSON without a change of its value."""
        assert messages.safe(text).isprintable()
        assert messages.to_json(text).isprintable()
        assert json.loads(messages.to_json(text)) == text

    def test_other_scripts_are_left_alone(self) -> None:
        """Chinese, accents, emoji and their joiners are text."""
        text = "你好　é \N{FAMILY} a\u200db"

        assert messages.safe(text) == text
        assert messages.to_json(text) == f'"{text}"'

    def test_a_fault_of_a_hostile_file(self, shell: Shell, site: Simulator) -> None:
        """What a file says is quoted, not obeyed."""
        Path("in\x1b[2J.jsonl").write_text('{"custom_id": "a", "body": {"messages": "\\u001b["}}')

        said = shell("validate", "in\x1b[2J.jsonl")

        assert "in\\x1b[2J.jsonl, line 1" in said.out
        assert "\x1b" not in said.out

    def test_the_key_is_told_nowhere(
        self, shell: Shell, site: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even where the program itself is at fault: a traceback shows no values."""
        monkeypatch.setattr("siliconflow_batch.client.SiliconFlowBatch.files", lambda *_: 1 / 0)
        refused = [shell("status", "batch_a"), shell("list", "--base-url", "nonsense")]

        with pytest.raises(ZeroDivisionError) as wrong:
            shell("files")

        assert site.api_key not in str(refused) + str(wrong.getrepr())
