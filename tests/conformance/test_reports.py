"""Reports of runs: their data, their files, and the removal of keys."""

import base64
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import attrs
import pytest

from siliconflow_batch_conformance.reports import (
    ReportUnreadable,
    as_json,
    read,
    write,
)
from siliconflow_batch_conformance.reports.records import record
from siliconflow_batch_conformance.verdicts import Failure
from support.report_runs import (
    BEGAN,
    CATALOGUE,
    SCRIPTS,
    a_download,
    a_list,
    a_long_story,
    all_reports,
    run_with_failure,
    simple,
    stored,
    three_runs,
)


class TestData:
    def test_a_written_report_is_read(self, tmp_path: Path) -> None:
        """A report is the same after it was written and read."""
        path = tmp_path / "report.json"
        path.write_text(json.dumps(as_json(three_runs(CATALOGUE), CATALOGUE)), encoding="utf-8")

        again = read(path)

        assert again == [record(run) for run in three_runs(CATALOGUE)]
        assert as_json(again, CATALOGUE) == json.loads(path.read_text(encoding="utf-8"))

    def test_verdicts_are_in_the_order_of_the_catalogue(self) -> None:
        """The same run always gives the same text."""
        run = three_runs(CATALOGUE)[0]
        reversed_run = attrs.evolve(run, verdicts=dict(reversed(run.verdicts.items())))

        text = json.dumps(as_json([reversed_run], CATALOGUE))

        assert text == json.dumps(as_json([run], CATALOGUE))
        assert list(json.loads(text)) == ["schema", "requirements", "runs"]
        assert list(json.loads(text)["runs"][0]["verdicts"]) == list(CATALOGUE)

    def test_a_text_body_is_stored_as_text(self) -> None:
        """UTF-8 is stored unchanged."""
        (*_, last) = stored(Failure("case", "", "", story=(a_list(1),))).story

        assert last.body.encoding == "text"
        assert last.body.text == a_list(1).text
        assert not last.body.shortened

    def test_a_binary_body_is_stored_as_base64(self) -> None:
        """The bytes can be restored."""
        (step,) = stored(Failure("case", "", "", story=(a_download(1),))).story

        assert step.body.encoding == "base64"
        assert base64.b64decode(step.body.text) == a_download(1).body

    @pytest.mark.parametrize("body", [b"a" * 4095 + b"b" * 9000, b"\xff" * 9000], ids=repr)
    def test_a_long_body_is_shortened(self, body: bytes) -> None:
        """Its original length is stored."""
        (step,) = stored(Failure("case", "", "", story=(replace(a_list(1), body=body),))).story

        assert step.body.shortened
        assert step.body.length == len(body)
        assert 4096 <= len(step.body.text) < 6000

    def test_a_shortened_text_keeps_both_ends(self) -> None:
        """A note between them says how much is missing."""
        body = b"begin" + b"x" * 9986 + b"the end.."
        (step,) = stored(Failure("case", "", "", story=(replace(a_list(1), body=body),))).story

        assert step.body.text.startswith("begin")
        assert step.body.text.endswith("the end..")
        assert "… 5,904 characters omitted …" in step.body.text

    def test_the_judged_exchanges_and_the_latest_keep_their_bodies(self) -> None:
        """Of a long story every request is stored, and a few with their bodies."""
        story = a_long_story(30)
        failure = Failure("case", "", "", arguments=([story[4]],), story=story)

        record = stored(failure)

        assert [step.number for step in record.story] == list(range(1, 31))
        assert [step.number for step in record.story if step.judged] == [5]
        assert [step.number for step in record.story if step.body.text] == [5, *range(26, 31)]
        assert {step.body.length > 0 for step in record.story} == {True}

    def test_a_very_long_story_is_shortened(self) -> None:
        """The number of omitted exchanges is stored."""
        story = a_long_story(500)

        failure = stored(Failure("case", "", "", arguments=(story[0],), story=story))

        assert failure.story[0].number == 1
        assert failure.left_out + len(failure.story) == 500

    def test_an_invalid_file_is_refused(self, tmp_path: Path) -> None:
        """The error names the file and says what to do."""
        path = tmp_path / "report.json"
        for text in ("", "[]", "{}", '{"schema": 1, "runs": [{}]}', '{"schema": 1, "runs": 3}'):
            path.write_text(text, encoding="utf-8")
            with pytest.raises(
                ReportUnreadable, match=r"report\.json: not a report.*\n\nThe file must"
            ):
                read(path)
        with pytest.raises(ReportUnreadable, match="No such file"):
            read(tmp_path / "missing.json")

    def test_an_unknown_schema_is_refused(self, tmp_path: Path) -> None:
        """The error names the schema of the file."""
        path = tmp_path / "report.json"
        path.write_text(json.dumps({**as_json([], CATALOGUE), "schema": 2}), encoding="utf-8")

        with pytest.raises(ReportUnreadable, match="its schema is 2"):
            read(path)

    def test_an_unknown_outcome_is_shown(self) -> None:
        """An outcome of a later version is shown in every report."""
        run = run_with_failure(simple("LIST-3"))
        run.verdicts["LIST-3"].outcome = 'odd"><b>'

        for name, report in all_reports([run]).items():
            assert "odd" in report, name


class TestFolder:
    def test_every_report_is_written(self, tmp_path: Path) -> None:
        """The folder contains all reports and no temporary files."""
        write(tmp_path / "out", three_runs(CATALOGUE), CATALOGUE, None, SCRIPTS)

        found = {str(path.relative_to(tmp_path / "out")) for path in tmp_path.rglob("*.*")}
        names = {"report.html", "report.json", "junit.xml", "report.md"}
        assert found == names | {"repro/LIST-3.sh", "repro/RETRIEVE-2.sh"}
        assert read(tmp_path / "out/report.json")[0].began == BEGAN

    def test_scripts_are_executable(self, tmp_path: Path) -> None:
        """Scripts have the executable bit, and reports do not."""
        write(tmp_path, three_runs(CATALOGUE), CATALOGUE, None, SCRIPTS)

        script = tmp_path / "repro/LIST-3.sh"
        assert script.read_text(encoding="utf-8") == SCRIPTS["LIST-3"]
        assert os.access(script, os.X_OK)
        assert not stat.S_IMODE((tmp_path / "report.html").stat().st_mode) & 0o111

    def test_scripts_of_an_earlier_report_are_removed(self, tmp_path: Path) -> None:
        """Other files in the folder are kept."""
        (tmp_path / "repro").mkdir()
        (tmp_path / "repro/mine.sh").touch()
        write(tmp_path, three_runs(CATALOGUE), CATALOGUE, None, SCRIPTS)
        write(tmp_path, three_runs(CATALOGUE), CATALOGUE, None, {"LIST-3": "#!/bin/sh\n"})

        names = {path.name for path in (tmp_path / "repro").iterdir()}
        assert names == {"LIST-3.sh", "mine.sh"}

    def test_no_script_is_written_outside_the_folder(self, tmp_path: Path) -> None:
        """A script is written only for an id of the catalogue."""
        write(tmp_path / "out", [], CATALOGUE, None, {"../../evil": "", "LIST-99": ""})

        assert not list(tmp_path.rglob("*evil*"))
        assert not list(tmp_path.rglob("*.sh"))

    def test_a_failed_write_keeps_the_previous_report(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each file is replaced completely or not at all."""
        write(tmp_path, three_runs(CATALOGUE), CATALOGUE)
        before = (tmp_path / "report.html").read_bytes()

        def refuse(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", refuse)
            with pytest.raises(OSError, match="No space left"):
                write(tmp_path, [], CATALOGUE)

        assert (tmp_path / "report.html").read_bytes() == before
        assert not list(tmp_path.glob(".*"))

    def test_no_key_is_in_the_folder(self, tmp_path: Path) -> None:
        """Keys are removed from scripts too."""
        run = run_with_failure(Failure("case", "sk-one", "sk-one"))
        write(tmp_path, [run], CATALOGUE, [run], {"LIST-3": "echo sk-one"}, secrets=("sk-one",))

        for path in tmp_path.rglob("*.*"):
            assert "sk-one" not in path.read_text(encoding="utf-8"), path
