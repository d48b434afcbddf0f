"""`siliconflow-batch facts`, `conformance --facts` and `simulate --facts`."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from siliconflow_batch import console
from siliconflow_batch_conformance.facts.facts_command import main
from siliconflow_batch_simulator import launcher
from support.conformance_command import conformance_here
from support.har_entries import BASE, entry, saved
from support.shell import start

NULLS = dict.fromkeys(
    [
        *("in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at"),
        *("cancelling_at", "cancelled_at", "output_file_id", "error_file_id"),
    ]
)
BATCHES = [{"id": id, **NULLS} for id in ("batch_b", "batch_a")]
WHOLE_LIST = json.dumps({"data": BATCHES, "has_more": False})
FIRST_PAGE = json.dumps({"data": BATCHES[:1], "has_more": True})
IGNORED = entry(f"{BASE}/batches?limit=1", text=WHOLE_LIST)
HONOURED = entry(f"{BASE}/batches?limit=1", text=FIRST_PAGE)


class TestTable:
    def test_a_refuted_question(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A line has the alternative and the exchange; the entry to change is named below."""
        assert main(["--har", str(saved(tmp_path, IGNORED))]) == 0

        out = capsys.readouterr().out
        row = next(line for line in out.splitlines() if line.startswith("list-paging"))
        assert row.split(maxsplit=3) == [
            "list-paging",
            "refuted",
            "ignored",
            "exchange 1: GET /batches?limit=1 (200)",
        ]
        assert "contract/assumptions.yaml, question 'list-paging': put ignored first" in out
        assert "30 questions: 1 confirmed, 1 refuted, 0 contradicted, 28 not seen" in out

    def test_a_contradiction(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Contradicting exchanges are both shown."""
        main(["--har", str(saved(tmp_path, HONOURED, IGNORED))])

        out = capsys.readouterr().out
        row = next(line for line in out.splitlines() if line.startswith("list-paging"))
        assert "contradicted" in row
        assert "exchange 1: GET" in row
        assert "exchange 2: GET" in row

    def test_an_unanswerable_question(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A question that traffic cannot answer has the reason."""
        main(["--har", str(saved(tmp_path, HONOURED))])

        out = capsys.readouterr().out
        row = next(line for line in out.splitlines() if line.startswith("late-response"))
        assert "not seen" in row
        assert "a recording has no exchange for a response that came too late" in row

    def test_the_console_script_has_the_command(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """`siliconflow-batch facts` runs the command."""
        assert console.main(["facts", "--har", str(saved(tmp_path, HONOURED))]) == 0

        assert "list-paging" in capsys.readouterr().out


class TestJson:
    def test_it_has_every_question_and_the_variants(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The JSON has an object for each question, and the variants that were seen."""
        assert main(["--har", str(saved(tmp_path, IGNORED)), "--json"]) == 0

        facts = json.loads(capsys.readouterr().out)
        fact = next(fact for fact in facts["facts"] if fact["id"] == "list-paging")
        assert facts["variants"] == ["paging-ignored"]
        assert len(facts["facts"]) == 30
        assert (fact["outcome"], fact["alternatives"]) == ("refuted", ["ignored"])
        assert fact["shown_by"]["path"] == "/batches?limit=1"

    def test_a_run_writes_the_facts_of_its_recording(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """`conformance --facts` writes what `facts --json` prints of the same run."""
        recording, file = tmp_path / "run.har", tmp_path / "facts.json"
        fault = ("--fault", "after-unknown-empty")

        done = conformance_here(
            *("--only", "LIST", *fault, "--record", str(recording), "--facts", str(file))
        )
        main(["--har", str(recording), "--json"])

        printed, written = json.loads(capsys.readouterr().out), json.loads(file.read_text())
        assert "after-unknown-empty" in written["variants"]
        assert written["facts"] == printed["facts"]
        assert f"; {file}" in done.stdout

    def test_a_recording_can_be_judged_with_facts(self, tmp_path: Path) -> None:
        """`conformance --har --facts` writes the facts of the recording."""
        file = tmp_path / "facts.json"

        conformance_here("--har", str(saved(tmp_path, IGNORED)), "--facts", str(file))

        assert json.loads(file.read_text())["variants"] == ["paging-ignored"]


BAD_FILES = {
    "missing": (None, "Name a HAR file"),
    "empty": ("", "the file is empty"),
    "not-json": ("<html></html>", "not JSON"),
    "another-shape": ('{"openapi": "3.1.0"}', "not a HAR file"),
    "no-entries": ('{"log": {"entries": []}}', "no request to /files or /batches"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_recording_is_an_error(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the file and the problem; the exit status is 2."""
    file = tmp_path / "run.har"
    if content is not None:
        file.write_text(content)

    assert main(["--har", str(file)]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert str(file) in output.err
    assert message in output.err


class TestSimulate:
    def test_it_shows_the_alternatives_of_the_facts(self, tmp_path: Path) -> None:
        """`simulate --facts` starts a simulator with the variants in the file."""
        file = tmp_path / "facts.json"
        file.write_text(json.dumps({"variants": ["purpose-required"], "facts": []}))
        arguments = ["simulate", "--port", "0", "--api-key", "sk-a", "--facts", str(file)]

        with start(*arguments, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as server:
            try:
                assert server.stdout is not None
                url = server.stdout.readline().strip() + "/files"
                response = httpx.get(url, headers={"Authorization": "Bearer sk-a"})
            finally:
                server.send_signal(signal.SIGINT)
            server.communicate(timeout=30)

        assert response.status_code == 400

    @pytest.mark.parametrize("content", ["", "[]", '{"facts": []}', '{"variants": [1]}'])
    def test_a_file_of_another_shape_is_an_error(
        self, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The error names the file and the command that writes such a file."""
        file = tmp_path / "facts.json"
        file.write_text(content)

        assert launcher.main(["--port", "0", "--facts", str(file)]) == 2

        error = capsys.readouterr().err
        assert str(file) in error
        assert "facts --json" in error

    def test_an_unknown_variant_is_an_error(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A variant that this simulator does not have is named."""
        facts: dict[str, Any] = {"variants": ["nonsense"]}
        file = tmp_path / "facts.json"
        file.write_text(json.dumps(facts))

        assert launcher.main(["--port", "0", "--facts", str(file)]) == 2
        assert "nonsense" in capsys.readouterr().err
