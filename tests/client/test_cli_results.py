"""`siliconflow-batch results`: what is written where, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line
from support.shell import Said, Shell


def submitted(shell: Shell, *lines: dict[str, Any]) -> str:
    Path("in.jsonl").write_bytes(json_lines(*lines))
    return shell("submit", "in.jsonl").out.strip()


def finished(shell: Shell, *lines: dict[str, Any]) -> str:
    id = submitted(shell, *lines)
    shell("wait", id, "--interval", "0.01")
    return id


def ids(text: str) -> list[str]:
    return [json.loads(row)["custom_id"] for row in text.splitlines()]


MIXED = (line("c", top_p=9), line("a"), line("b"))


class TestStdout:
    def test_answered_lines_come_first(self, shell: Shell) -> None:
        """Records as the service wrote them; lines that failed make 5, after all is written."""
        said = shell("results", finished(shell, *MIXED))

        assert ids(said.out) == ["a", "b", "c"]
        assert said.status == 5
        assert "2 answered, 1 failed" in said.err

    def test_all_answered(self, shell: Shell) -> None:
        """Then the status is 0; text is not escaped but where a terminal would act on it."""
        asking = line("a", messages=[{"role": "user", "content": "你好 \x9b31m"}])
        said = shell("results", finished(shell, asking))

        assert said.status == 0
        assert "你好 \\u009b31m" in said.out
        assert "1 answered, none failed" in said.err

    def test_the_order_of_the_input(self, shell: Shell) -> None:
        """--order input puts each record where its line was."""
        assert ids(shell("results", finished(shell, *MIXED), "--order", "input").out) == [
            "c",
            "a",
            "b",
        ]

    def test_the_failed_lines_alone(self, shell: Shell) -> None:
        """--errors leaves the answers where they are."""
        said = shell("results", finished(shell, *MIXED), "--errors")

        assert ids(said.out) == ["c"]
        assert said.status == 5

    def test_every_line_failed(self, shell: Shell, site: Simulator) -> None:
        """A batch without any answer is a result, not a crash."""
        site.faults.add("every-line-fails")

        said = shell("results", finished(shell, line("a"), line("b")))

        assert (said.status, ids(said.out)) == (5, ["a", "b"])
        assert "0 answered, 2 failed" in said.err

    def test_lines_in_no_file_are_missed(self, shell: Shell, site: Simulator) -> None:
        """What was counted and is not there is said."""
        site.faults.add("line-lost")

        said = shell("results", finished(shell, line("a"), line("b")), "--json")

        told = json.loads(said.err)["error"]
        assert (said.status, told["kind"], told["missing"]) == (5, "ResultsIncomplete", 1)

    def test_a_cancelled_batch_has_what_was_answered(self, shell: Shell, site: Simulator) -> None:
        """It is written all the same; 5."""
        site.pace.queued = 1e6
        id = submitted(shell, line("a"))
        shell("cancel", id)

        said = shell("results", id, "--wait", "--interval", "0.01")

        assert said.status == 5
        assert "1 in no result file, cancelled" in said.err

    def test_a_batch_that_runs(self, shell: Shell, site: Simulator) -> None:
        """Its results are still to come: 6, and the command that waits for them."""
        site.pace.running = 1e6
        id = submitted(shell, line("a"))

        said = shell("results", id)

        assert (said.status, said.out) == (6, "")
        assert f"siliconflow-batch results --wait {id}" in said.err


class TestFiles:
    def test_one_file(self, shell: Shell) -> None:
        """The file is there whole; stdout is empty."""
        said = shell("results", finished(shell, *MIXED), "--output", "out.jsonl")

        assert said.out == ""
        assert ids(Path("out.jsonl").read_text()) == ["a", "b", "c"]
        assert "written to out.jsonl" in said.err

    def test_a_folder(self, shell: Shell) -> None:
        """A file for each batch, named by its id, after waiting for all; JSON tells the counts."""
        first, second = submitted(shell, line("a")), submitted(shell, *MIXED)

        said = shell(
            *("results", "--wait", "--interval", "0.01", first, second),
            *("--output-dir", "made/here", "--json"),
        )

        told = [json.loads(row) for row in said.out.splitlines()]
        counts = {(row["id"], row["answered"], row["failed"], row["missing"]) for row in told}
        assert counts == {(first, 1, 0, 0), (second, 2, 1, 0)}
        assert {path.name for path in Path("made/here").iterdir()} == {
            f"{first}.jsonl",
            f"{second}.jsonl",
        }

    def test_a_download_that_breaks_leaves_the_old_file(
        self, shell: Shell, site: Simulator
    ) -> None:
        """Whole or not at all, and nothing beside it."""
        id = finished(shell, line("a"))
        Path("out.jsonl").write_text("old\n")
        site.faults.add("download-truncated")

        said = shell("results", id, "--output", "out.jsonl")

        assert said.status == 4
        assert Path("out.jsonl").read_text() == "old\n"
        assert {path.name for path in Path().iterdir()} == {"in.jsonl", "out.jsonl"}

    @pytest.mark.parametrize(
        "options",
        [
            ["batch_b", "--output", "out.jsonl"],
            ["--output", "nowhere/out.jsonl"],
            ["--output", "."],
            ["--output", "out.jsonl", "--output-dir", "out"],
            ["--output-dir", "in.jsonl"],
            ["--order", "none"],
        ],
    )
    def test_places_that_cannot_be(self, shell: Shell, site: Simulator, options: list[str]) -> None:
        """They are refused before anybody waits for hours."""
        Path("in.jsonl").touch()

        said: Said = shell("results", "batch_a", "--wait", *options)

        assert said.status == 2
        assert site.requests == []
