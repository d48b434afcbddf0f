"""The command line's exit statuses, help, JSON and escaping."""

import json
import re
from pathlib import Path

import pytest

from siliconflow_batch import console, errors
from siliconflow_batch.cli import exits, messages, program
from siliconflow_batch.result_files.summary import Summary
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
            (errors.StateUnusable("a", "x"), 2),
            (errors.NotFound(404, "x"), 3),
            (errors.ServiceUnavailable(503, "x"), 3),
            (errors.ResultsIncomplete(batch(), Summary()), 5),
            (errors.TransportError("x"), 4),
            (errors.DownloadTruncated(1), 4),
            (errors.BatchExpired(batch(status="expired")), 5),
            (errors.WaitTimedOut("x", 1, "in_queue"), 6),
            (errors.CreateOutcomeUnknown("t", "x"), 7),
            (exits.Interrupted(), 130),
        ],
    )
    def test_each_error_has_an_exit_status(self, error: Exception, code: int) -> None:
        """Scripts can distinguish errors without parsing messages."""
        assert exits.exit_status(error) == code

    def test_the_table_is_in_the_help_and_in_the_readme(self) -> None:
        """Both show the same exit statuses."""
        rows = re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE)

        assert {int(code): text for code, text in rows} == exits.EXITS
        assert exits.table() in console.USAGE


class TestHelp:
    def test_the_script_and_the_program_have_the_same_commands(self) -> None:
        """Every listed command exists."""
        listed = [name for name, (_, extra, _) in console.COMMANDS.items() if extra == "cli"]

        assert listed == list(program.COMMANDS)

    @pytest.mark.parametrize("name", program.COMMANDS)
    def test_it_contains_examples_and_exit_statuses(
        self, shell: Shell, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Examples are not wrapped, even on a narrow terminal."""
        monkeypatch.setenv("COLUMNS", "40")

        result = shell(name, "--help")

        documented = program.COMMANDS[name][0].__doc__ or ""
        examples = re.findall(r"^ +(siliconflow-batch .+)$", documented, re.MULTILINE)
        assert result.status == 0
        assert len(examples) >= 2
        assert set(examples) <= {row.strip() for row in result.out.splitlines()}
        assert exits.table(130) in result.out

    @pytest.mark.parametrize("name", program.COMMANDS)
    def test_examples_use_existing_options(self, shell: Shell, name: str) -> None:
        """Every option in the help text exists."""
        options = set(re.findall(r"--[a-z-]+", program.COMMANDS[name][0].__doc__ or ""))
        known = "".join(
            shell(other, "--help").out.split("Options:")[1] for other in program.COMMANDS
        )

        assert options <= set(re.findall(r"--[a-z-]+", known))


class TestJson:
    def test_a_usage_error(self, shell: Shell) -> None:
        """Usage errors are printed as JSON too."""
        result = shell("list", "--json", "--nonsense")

        error = json.loads(result.err)["error"]
        assert (result.status, error["kind"], error["exit"]) == (2, "UsageWrong", 2)

    def test_an_api_error(self, shell: Shell, site: Simulator) -> None:
        """The object contains the attributes of the exception and its message."""
        result = shell("status", "batch_nope", "--json")

        error = json.loads(result.err)["error"]
        assert result.out == ""
        assert error["kind"] == "NotFound"
        assert (error["status"], error["about"]) == (404, "batch_nope")
        assert error["message"].endswith("404: 404 page not found")

    def test_an_invalid_file(self, shell: Shell, site: Simulator) -> None:
        """The errors of an input file are a list of objects."""
        Path("in.jsonl").write_text("{}\n")

        error = json.loads(shell("submit", "in.jsonl", "--json").err)["error"]

        assert error["faults"][0]["file"] == "in.jsonl"
        assert error["faults"][0]["line"] == 1


class TestEscaping:
    @pytest.mark.parametrize(
        "text", ["\x1b[31m", "\r", "\x9b", "\x7f", "\u202e", "\u2028", "\udc80", "\n", "\x00"]
    )
    def test_control_characters_are_escaped(self, text: str) -> None:
        """They are escaped in text, and in JSON without changing its value."""
        assert messages.safe(text).isprintable()
        assert messages.to_json(text).isprintable()
        assert json.loads(messages.to_json(text)) == text

    def test_other_characters_are_unchanged(self) -> None:
        """Chinese, accents, emoji and zero-width joiners are not escaped."""
        text = "你好　é \N{FAMILY} a\u200db"

        assert messages.safe(text) == text
        assert messages.to_json(text) == f'"{text}"'

    def test_an_error_of_a_hostile_file(self, shell: Shell, site: Simulator) -> None:
        """Control characters in file names and contents are escaped."""
        Path("in\x1b[2J.jsonl").write_text('{"custom_id": "a", "body": {"messages": "\\u001b["}}')

        result = shell("validate", "in\x1b[2J.jsonl")

        assert "in\\x1b[2J.jsonl, line 1" in result.out
        assert "\x1b" not in result.out

    def test_the_key_is_never_printed(
        self, shell: Shell, site: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Errors and tracebacks do not contain the key."""
        monkeypatch.setattr("siliconflow_batch.client.SiliconFlowBatch.files", lambda *_: 1 / 0)
        results = [shell("status", "batch_a"), shell("list", "--base-url", "nonsense")]

        with pytest.raises(ZeroDivisionError) as error:
            shell("files")

        assert site.api_key not in str(results) + str(error.getrepr())
