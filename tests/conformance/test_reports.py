"""Reports of runs: their data, their files, and the removal of keys."""

import base64
import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import quote, quote_plus

import attrs
import pytest

from siliconflow_batch_conformance.reports import (
    ReportUnreadable,
    as_html,
    as_json,
    as_junit,
    as_markdown,
    read,
    write,
)
from siliconflow_batch_conformance.reports.records import FailureRecord, record
from siliconflow_batch_conformance.requirements import Requirement
from siliconflow_batch_conformance.verdicts import Failure, Run
from support.report_runs import (
    BEGAN,
    CATALOGUE,
    KEY,
    SCRIPTS,
    a_download,
    a_list,
    a_long_story,
    a_run,
    simple,
    three_runs,
)

LEAKED = "secret-tail"


def everything(runs: list[Run], secrets: tuple[str, ...] = (), script: str = "") -> dict[str, str]:
    """All reports as text, by name."""
    scripts = dict.fromkeys(CATALOGUE, script)
    return {
        "json": json.dumps(as_json(runs, CATALOGUE, secrets=secrets), ensure_ascii=False),
        "html": as_html(runs, CATALOGUE, runs, scripts=scripts, secrets=secrets),
        "junit": as_junit(runs, CATALOGUE, secrets=secrets),
        "markdown": as_markdown(runs, CATALOGUE, secrets=secrets),
    }


def failing_with(failure: Failure, id: str = "LIST-3") -> Run:
    run = a_run("http://127.0.0.1:1/v1", CATALOGUE)
    run.verdicts[id].outcome, run.verdicts[id].failures = "fails", [failure]
    return run


def kept(failure: Failure, **options: tuple[str, ...]) -> FailureRecord:
    return record(failing_with(failure), **options).verdicts["LIST-3"].failures[0]


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
        (*_, last) = kept(Failure("case", "", "", story=(a_list(1),))).story

        assert last.body.encoding == "text"
        assert last.body.text == a_list(1).text
        assert not last.body.shortened

    def test_a_binary_body_is_stored_as_base64(self) -> None:
        """The bytes can be restored."""
        (step,) = kept(Failure("case", "", "", story=(a_download(1),))).story

        assert step.body.encoding == "base64"
        assert base64.b64decode(step.body.text) == a_download(1).body

    @pytest.mark.parametrize("body", [b"a" * 4095 + b"b" * 9000, b"\xff" * 9000], ids=repr)
    def test_a_long_body_is_shortened(self, body: bytes) -> None:
        """Its original length is stored."""
        (step,) = kept(Failure("case", "", "", story=(replace(a_list(1), body=body),))).story

        assert step.body.shortened
        assert step.body.length == len(body)
        assert 4096 <= len(step.body.text) < 6000

    def test_a_shortened_text_keeps_both_ends(self) -> None:
        """A note between them says how much is missing."""
        body = b"begin" + b"x" * 9986 + b"the end.."
        (step,) = kept(Failure("case", "", "", story=(replace(a_list(1), body=body),))).story

        assert step.body.text.startswith("begin")
        assert step.body.text.endswith("the end..")
        assert "… 5,904 characters omitted …" in step.body.text

    def test_the_judged_exchanges_and_the_latest_keep_their_bodies(self) -> None:
        """Of a long story every request is stored, and a few with their bodies."""
        story = a_long_story(30)
        failure = Failure("case", "", "", arguments=([story[4]],), story=story)

        stored = kept(failure)

        assert [step.number for step in stored.story] == list(range(1, 31))
        assert [step.number for step in stored.story if step.judged] == [5]
        assert [step.number for step in stored.story if step.body.text] == [5, *range(26, 31)]
        assert {step.body.length > 0 for step in stored.story} == {True}

    def test_a_very_long_story_is_shortened(self) -> None:
        """The number of omitted exchanges is stored."""
        story = a_long_story(500)

        failure = kept(Failure("case", "", "", arguments=(story[0],), story=story))

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

    def test_optional_fields_of_the_catalogue(self) -> None:
        """A requirement's place and confidence are shown if the catalogue has them."""

        @attrs.define(frozen=True)
        class LaterRequirement:
            id: str
            tier: str
            source: str
            place: str
            confidence: str
            operation: str
            says: str

        later = LaterRequirement(
            "LIST-3", "hygiene", "S2", "parameters, after", "high", "GET /batches", "so"
        )
        rows: dict[str, Requirement] = {"LIST-3": later}  # type: ignore[dict-item]

        (requirement,) = as_json([], rows)["requirements"].values()

        assert requirement["tier"] == "hygiene"
        assert requirement["place"] == "parameters, after"
        assert as_json([], CATALOGUE)["requirements"]["LIST-2"]["tier"] == "should"

    def test_an_unknown_outcome_is_shown(self) -> None:
        """An outcome of a later version is shown in every report."""
        run = failing_with(simple("LIST-3"))
        run.verdicts["LIST-3"].outcome = 'odd"><b>'

        for name, report in everything([run]).items():
            assert "odd" in report, name


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": in_json,
    "in JSON, beyond ASCII": lambda key: json.dumps(key, ensure_ascii=False)[1:-1],
    "in JSON in JSON": lambda key: in_json(in_json(key)),
    "in JSON, slashes escaped": lambda key: in_json(key).replace("/", "\\/"),
    "in JSON, all escaped": lambda key: "".join(f"\\u{ord(letter):04X}" for letter in key),
    "in a URL": lambda key: quote(key, safe=""),
    "in a URL, slashes kept": quote,
    "in a URL, lower case": lambda key: quote(key, safe="").lower(),
    "in a URL in a URL": lambda key: quote(quote(key, safe=""), safe=""),
    "in a form": quote_plus,
    "in HTML": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
}


class TestKeys:
    @pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
    def test_a_key_is_in_no_report(self, encode: Callable[[str], str]) -> None:
        """A key is removed from every field, however it is encoded."""
        encoded = f"{encode(KEY + LEAKED)}"
        exchange = replace(
            a_list(1),
            path=f"/batches/{encoded}",
            query={encoded: encoded},
            authorization=encoded,
            headers={encoded: encoded, "x": encoded},
            sent=encoded.encode(),
            body=encoded.encode(),
        )
        binary = replace(a_list(2), body=b"\xff" + encoded.encode())
        failure = Failure(encoded, encoded, encoded, None, (), (exchange, binary))
        run = failing_with(failure)
        run.target += encoded
        run.errors = [encoded]
        run.verdicts["LIST-2"].outcome = "known"
        run.verdicts["LIST-2"].reason = encoded

        reports = everything([run], (KEY + LEAKED,), script=encoded)

        for name, report in reports.items():
            tail = encode(LEAKED)
            assert "…" in report, name
            assert tail not in report, name
            assert tail not in unescape(report), name
            assert LEAKED not in unescape(unescape(report)), name
        for text in re.findall(r'"text": "([A-Za-z0-9+/=]+)", "length"', reports["json"]):
            assert LEAKED.encode() not in base64.b64decode(text + "==")

    def test_a_key_at_the_cut_is_removed(self) -> None:
        """Keys are removed before a text is shortened."""
        key = "sk-" + "k" * 60
        for body in (b"x" * 3050 + key.encode() + b"x" * 9000, b"\xff" * 4070 + key.encode() * 50):
            step = replace(a_list(1), body=body)
            failure = kept(
                Failure("case", "", "x" * 6120 + key + "x" * 9000, story=(step,)), secrets=(key,)
            )
            text = failure.story[0].body.text

            assert "sk-" not in text
            assert "kkk" not in (text if failure.story[0].body.encoding == "text" else "")
            assert "kkk" not in failure.actual
            if failure.story[0].body.encoding == "base64":
                assert b"kkk" not in base64.b64decode(text)

    def test_the_longer_of_two_keys_is_removed_first(self) -> None:
        """A key that begins with another one is removed completely."""
        failure = kept(
            Failure("case", "sk-one-two sk-one", ""), secrets=("sk-one", "", "sk-one-two")
        )

        assert failure.expected == "… …"

    def test_keys_are_removed_from_earlier_reports(self) -> None:
        """A report that was read is redacted like a run."""
        earlier = record(failing_with(Failure("case", "sk-one", "")))

        assert "sk-one" in as_html([earlier], CATALOGUE)
        assert "sk-one" not in as_html([earlier], CATALOGUE, secrets=("sk-one",))
        assert "sk-one" not in as_html([], CATALOGUE, [earlier], secrets=("sk-one",))


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
        run = failing_with(Failure("case", "sk-one", "sk-one"))
        write(tmp_path, [run], CATALOGUE, [run], {"LIST-3": "echo sk-one"}, secrets=("sk-one",))

        for path in tmp_path.rglob("*.*"):
            assert "sk-one" not in path.read_text(encoding="utf-8"), path
