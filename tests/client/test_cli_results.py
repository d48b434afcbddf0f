"""`siliconflow-batch results`: the output, the files and the exit status."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import SiliconFlowBatch
from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line
from support.batches import BATCH
from support.scripted_server import Answer, ScriptedServer, answer
from support.shell import Result, Shell

GOOD = (
    b'{"id": "r", "custom_id": "a", "error": null, "response": {"status_code": 200, '
    b'"body": {"choices": [{"message": {"content": "x"}}]}}}\n'
)


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
    def test_failed_lines_come_last(self, shell: Shell) -> None:
        """Records are written as the service sent them; with failed lines the exit status is 5."""
        result = shell("results", finished(shell, *MIXED))

        assert ids(result.out) == ["a", "b", "c"]
        assert result.status == 5
        assert "2 answered, 1 failed" in result.err

    def test_all_lines_answered(self, shell: Shell) -> None:
        """The exit status is 0; only control characters are escaped."""
        prompt = line("a", messages=[{"role": "user", "content": "你好 \x9b31m"}])
        result = shell("results", finished(shell, prompt))

        assert result.status == 0
        assert "你好 \\u009b31m" in result.out
        assert "1 answered, none failed" in result.err

    def test_order_input(self, shell: Shell) -> None:
        """--order input writes the records in the order of the input."""
        assert ids(shell("results", finished(shell, *MIXED), "--order", "input").out) == [
            "c",
            "a",
            "b",
        ]

    def test_errors(self, shell: Shell) -> None:
        """--errors writes only the failed lines."""
        result = shell("results", finished(shell, *MIXED), "--errors")

        assert ids(result.out) == ["c"]
        assert result.status == 5

    def test_every_line_failed(self, shell: Shell, site: Simulator) -> None:
        """All lines are written although there is no output file."""
        site.faults.add("every-line-fails")

        result = shell("results", finished(shell, line("a"), line("b")))

        assert (result.status, ids(result.out)) == (5, ["a", "b"])
        assert "0 answered, 2 failed" in result.err

    def test_missing_lines(self, shell: Shell, site: Simulator) -> None:
        """Lines that are in no result file are reported as missing."""
        site.faults.add("line-lost")

        result = shell("results", finished(shell, line("a"), line("b")), "--json")

        error = json.loads(result.err)["error"]
        assert (result.status, error["kind"], error["missing"]) == (5, "ResultsIncomplete", 1)

    def test_a_cancelled_batch(self, shell: Shell, site: Simulator) -> None:
        """Its results are written, and the exit status is 5."""
        site.pace.queued = 1e6
        id = submitted(shell, line("a"))
        shell("cancel", id)

        result = shell("results", id, "--wait", "--interval", "0.01")

        assert result.status == 5
        assert "1 missing; cancelled" in result.err

    def test_an_unfinished_batch(self, shell: Shell, site: Simulator) -> None:
        """The exit status is 6, and the command that waits is printed."""
        site.pace.running = 1e6
        id = submitted(shell, line("a"))

        result = shell("results", id)

        assert (result.status, result.out) == (6, "")
        assert f"siliconflow-batch results --wait {id}" in result.err


class TestFiles:
    def test_one_file(self, shell: Shell) -> None:
        """--output writes a file and nothing to stdout."""
        result = shell("results", finished(shell, *MIXED), "--output", "out.jsonl")

        assert result.out == ""
        assert ids(Path("out.jsonl").read_text()) == ["a", "b", "c"]
        assert "written to out.jsonl" in result.err

    def test_a_folder(self, shell: Shell) -> None:
        """--output-dir writes a file for each batch; --json prints the number of lines."""
        first, second = submitted(shell, line("a")), submitted(shell, *MIXED)

        result = shell(
            *("results", "--wait", "--interval", "0.01", first, second),
            *("--output-dir", "made/here", "--json"),
        )

        summaries = [json.loads(row) for row in result.out.splitlines()]
        counts = {(row["id"], row["answered"], row["failed"], row["missing"]) for row in summaries}
        assert counts == {(first, 1, 0, 0), (second, 2, 1, 0)}
        assert {path.name for path in Path("made/here").iterdir()} == {
            f"{first}.jsonl",
            f"{second}.jsonl",
        }

    def test_a_failed_download_keeps_the_old_file(self, shell: Shell, site: Simulator) -> None:
        """The file is unchanged, and no temporary file is left."""
        id = finished(shell, line("a"))
        Path("out.jsonl").write_text("old\n")
        site.faults.add("download-truncated")

        result = shell("results", id, "--output", "out.jsonl")

        assert result.status == 4
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
    def test_invalid_options(self, shell: Shell, site: Simulator, options: list[str]) -> None:
        """They are refused before the command waits."""
        Path("in.jsonl").touch()

        result = shell("results", "batch_a", "--wait", *options)

        assert result.status == 2
        assert site.requests == []


class TestBadRecords:
    @pytest.fixture
    def damaged(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Callable[..., Result]]:
        """Runs `results` on a completed batch of two lines with this output file."""
        counts = {"total": 2, "completed": 2, "failed": 0}
        batch = {**BATCH, "status": "completed", "output_file_id": "f", "request_counts": counts}
        with ScriptedServer() as server:
            monkeypatch.setenv("SILICONFLOW_BASE_URL", server.url)
            monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-x")

            def run(output: bytes, *options: str) -> Result:
                server.script = [answer(batch), Answer(200, output)]
                return shell("results", BATCH["id"], *options)

            yield run

    def test_a_bad_record_hides_no_other(self, damaged: Callable[..., Result]) -> None:
        """The rest is written, the bad line is reported with its number, the exit status is 5."""
        result = damaged(
            GOOD + b'{"custom_id": "b", "resp\x1b[31m\n' + GOOD.replace(b'"a"', b'"c"')
        )

        assert (ids(result.out), result.status) == (["a", "c"], 5)
        assert "line 2 of the output file" in result.err
        assert "1 cannot be read" in result.err
        assert "\x1b" not in result.err

    def test_output_is_json(self, damaged: Callable[..., Result]) -> None:
        """A number that is not finite becomes null."""
        result = damaged(GOOD.replace(b'"id": "r"', b'"id": NaN, "x": [1e999, -Infinity]') + GOOD)

        first = json.loads(result.out.splitlines()[0], parse_constant=pytest.fail)
        assert (first["id"], first["x"]) == (None, [None, None])

    def test_bad_records_are_in_the_json(
        self, damaged: Callable[..., Result], shell: Shell
    ) -> None:
        """With --json, the error has the lines that cannot be read, and the numbers."""
        result = damaged(GOOD + b"[1]\n", "--json")

        error = json.loads(result.err)["error"]
        assert (error["kind"], error["answered"], error["invalid"]) == ("ResultsIncomplete", 1, 1)
        assert error["invalid_lines"][0].startswith("line 2 of the output file: a record must be")

    @pytest.mark.parametrize(
        "odd",
        [
            pytest.param(b"7" * 10_000, id="long integer"),
            pytest.param(b"[" * 900 + b"NaN" + b"]" * 900, id="deep NaN"),
            b'"\\ud83d"',
            b'"\xff"',
        ],
    )
    def test_odd_fields_lose_no_answer(self, damaged: Callable[..., Result], odd: bytes) -> None:
        """A field that nobody asked for may be odd; the output is JSON."""
        result = damaged(GOOD.replace(b'"r"', b'"r", "odd": ' + odd) + GOOD.replace(b'"a"', b'"b"'))

        assert (ids(result.out), result.status) == (["a", "b"], 0)
        for row in result.out.splitlines():
            json.loads(row, parse_constant=pytest.fail)

    def test_a_service_may_call_a_line_an_invalid_record(
        self, damaged: Callable[..., Result]
    ) -> None:
        """A failed line with this code is written like any other."""
        failed = b'{"custom_id": "b", "error": {"code": "invalid_record", "message": "bad"}}\n'

        result = damaged(GOOD + failed)

        assert ids(result.out) == ["a", "b"]
        assert "1 failed: invalid_record: bad" in result.err


class TestInput:
    @pytest.fixture
    def without_input(self, site: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A completed batch with the lines b and a, whose input is not found."""
        counts = {"total": 2, "completed": 2, "failed": 0}
        fields = {"status": "completed", "output_file_id": "f", "request_counts": counts}
        gone = answer("404 page not found", 404)
        output = GOOD.replace(b'"a"', b'"b"') + GOOD
        with ScriptedServer(answer(BATCH | fields), Answer(200, output), gone) as server:
            monkeypatch.setenv("SILICONFLOW_BASE_URL", server.url)
            monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-x")
            yield

    @pytest.mark.usefixtures("without_input")
    def test_without_the_input_the_order_is_that_of_the_files(self, shell: Shell) -> None:
        """The results are written, with a warning, and the exit status is 0."""
        result = shell("results", BATCH["id"], "--order", "input")

        assert (ids(result.out), result.status) == (["b", "a"], 0)
        assert "the input cannot be downloaded" in result.err
        assert "404 page not found" in result.err

    @pytest.mark.usefixtures("without_input")
    def test_the_order_of_a_local_file(self, shell: Shell) -> None:
        """--input needs no download."""
        Path("in.jsonl").write_bytes(json_lines(line("a"), line("b")))

        result = shell("results", BATCH["id"], "--order", "input", "--input", "in.jsonl")

        assert (ids(result.out), result.status) == (["a", "b"], 0)

    @pytest.mark.usefixtures("without_input")
    def test_failed_lines_need_the_input(self, shell: Shell) -> None:
        """The results are written and summed up before the option is refused."""
        result = shell("results", BATCH["id"], "--failed-input", "again.jsonl")

        assert (ids(result.out), result.status) == (["b", "a"], 2)
        assert "pass it with --input FILE" in result.err
        assert "2 answered, none failed" in result.err
        assert not Path("again.jsonl").exists()

    @pytest.mark.parametrize("option", ["--input", "--failed-input"])
    def test_one_file_belongs_to_one_batch(self, shell: Shell, option: str) -> None:
        """With two batches the option is refused before anything is sent."""
        Path("in.jsonl").touch()

        result = shell("results", "batch_a", "batch_b", option, "in.jsonl")

        assert result.status == 2
        assert "supports one batch only" in result.err


class TestTokens:
    def test_results_and_status_sum_up(self, shell: Shell) -> None:
        """Tokens and the reasons of failed lines are printed on stderr."""
        id = finished(shell, *MIXED)

        for command in (["results", id], ["status", id, "--results"]):
            result = shell(*command)

            assert re.search(r" [\d,]+ tokens \([\d,]+ prompt, [\d,]+ completion\)", result.err)
            assert re.search(r"1 failed: .*top_p", result.err)
        assert result.status == 0
        assert result.rows[0][:5] == [id, "completed", "3", "2", "1"]

    def test_status_as_json(self, shell: Shell) -> None:
        """The numbers are in `results` of the batch."""
        id = finished(shell, *MIXED)

        batch = json.loads(shell("status", id, "--results", "--json").out)

        assert (batch["id"], batch["results"]["answered"], batch["results"]["failed"]) == (id, 2, 1)
        assert list(batch["results"]["failures"].values()) == [1]
        assert batch["results"]["tokens"]["total"] > 0
        assert "results" not in json.loads(shell("status", id, "--json").out)

    def test_status_of_a_running_batch(self, shell: Shell, site: Simulator) -> None:
        """It has no results to sum up."""
        site.pace.running = 1e6

        result = shell("status", submitted(shell, line("a")), "--results")

        assert (result.status, result.err) == (0, "")


class TestFailedInput:
    def test_lines_without_an_answer_are_ready_to_submit(self, shell: Shell) -> None:
        """The input is downloaded; its failed line is written unchanged."""
        id = finished(shell, *MIXED)

        result = shell("results", id, "--output", "out.jsonl", "--failed-input", "again.jsonl")

        assert Path("again.jsonl").read_bytes() == json_lines(line("c", top_p=9)).rstrip() + b"\n"
        assert "again.jsonl has the lines to submit again: 1" in result.err
        assert f"results {id} --failed-input again.jsonl" in result.err

    def test_no_file_without_failed_lines(self, shell: Shell) -> None:
        """Nothing is left to submit, and the exit status is 0."""
        id = finished(shell, line("a"))

        result = shell("results", id, "--failed-input", "again.jsonl", "--input", "in.jsonl")

        assert result.status == 0
        assert not Path("again.jsonl").exists()

    def test_an_input_on_disk_is_the_order(self, shell: Shell) -> None:
        """--input replaces the download, and lines are compared with it."""
        id = finished(shell, *MIXED)
        Path("other.jsonl").write_bytes(json_lines(line("b"), line("c"), line("z")))

        result = shell("results", id, "--order", "input", "--input", "other.jsonl")

        assert ids(result.out) == ["b", "c", "a"]
        assert "1 missing ('z')" in result.err
        assert "1 not in the input ('a')" in result.err


class TestDownload:
    def test_result_files_are_written_as_they_are(self, shell: Shell, site: Simulator) -> None:
        """The paths are printed; the files have the records of the service."""
        id = finished(shell, *MIXED)

        result = shell("download", id, "--output-dir", "raw")

        paths = [Path("raw") / f"{id}.{kind}.jsonl" for kind in ("output", "error")]
        assert result.out.splitlines() == [str(path) for path in paths]
        assert [ids(path.read_text()) for path in paths] == [["a", "b"], ["c"]]
        assert result.status == 0

    def test_an_unfinished_batch(self, shell: Shell, site: Simulator) -> None:
        """Nothing is written, and the exit status is 6."""
        site.pace.running = 1e6

        result = shell("download", submitted(shell, line("a")), "--output-dir", "raw")

        assert (result.status, list(Path("raw").iterdir())) == (6, [])

    def test_a_failed_batch(self, shell: Shell, site: Simulator) -> None:
        """It has no files, and the exit status is 5."""
        site.faults.add("input-fails-late")
        Path("bad.jsonl").write_bytes(b"[]\n")
        with SiliconFlowBatch() as client:
            batch = client.create(client.upload("bad.jsonl").id)
            client.wait(batch.id, interval=0.01, check=False)

        result = shell("download", batch.id)

        assert (result.status, result.out) == (5, "")
        assert "line 1" in result.err
