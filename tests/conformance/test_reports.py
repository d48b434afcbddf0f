"""Reports of runs: what they keep, what they never contain, and how others read them."""

import base64
import json
import os
import re
import stat
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, quote_plus

import attrs
import pytest

from sampled_runs import (
    BEGAN,
    CATALOGUE,
    HOSTILE,
    KEY,
    SCRIPTS,
    SMALL,
    a_download,
    a_list,
    a_long_story,
    a_run,
    crowded_runs,
    last_runs,
    simple,
    three_runs,
)
from siliconflow_batch_conformance.reports import (
    ReportUnreadable,
    as_html,
    as_json,
    as_junit,
    as_markdown,
    read,
    write,
)
from siliconflow_batch_conformance.reports.outcomes import OUTCOMES
from siliconflow_batch_conformance.reports.page import LIMIT
from siliconflow_batch_conformance.reports.records import FailureRecord, record
from siliconflow_batch_conformance.requirements import Requirement
from siliconflow_batch_conformance.verdicts import Failure, Run

LEAKED = "told-nobody"


def everything(runs: list[Run], secrets: tuple[str, ...] = (), script: str = "") -> dict[str, str]:
    """Each report as text, by name."""
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


class Markup(HTMLParser):
    """What a browser would take for elements, and what they would load."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action", "poster", "background", "href"):
                self.loads.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        self.text += data


class TestData:
    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        """A report that was read says what the report that was written says."""
        path = tmp_path / "report.json"
        path.write_text(json.dumps(as_json(three_runs(CATALOGUE), CATALOGUE)), encoding="utf-8")

        again = read(path)

        assert again == [record(run) for run in three_runs(CATALOGUE)]
        assert as_json(again, CATALOGUE) == json.loads(path.read_text(encoding="utf-8"))

    def test_the_order_is_the_catalogues(self) -> None:
        """The same run gives the same text, in whatever order its verdicts came."""
        run = three_runs(CATALOGUE)[0]
        turned = attrs.evolve(run, verdicts=dict(reversed(run.verdicts.items())))

        text = json.dumps(as_json([turned], CATALOGUE))

        assert text == json.dumps(as_json([run], CATALOGUE))
        assert list(json.loads(text)) == ["schema", "requirements", "runs"]
        assert list(json.loads(text)["runs"][0]["verdicts"]) == list(CATALOGUE)

    def test_a_body_that_is_text_stays_text(self) -> None:
        """UTF-8 is kept as it was sent."""
        (*_, last) = kept(Failure("case", "", "", story=(a_list(1),))).story

        assert last.body.encoding == "text"
        assert last.body.text == a_list(1).text
        assert not last.body.shortened

    def test_a_body_that_is_no_text_is_base64(self) -> None:
        """Bytes come back as they were."""
        (step,) = kept(Failure("case", "", "", story=(a_download(1),))).story

        assert step.body.encoding == "base64"
        assert base64.b64decode(step.body.text) == a_download(1).body

    @pytest.mark.parametrize("body", [b"a" * 4095 + b"b" * 9000, b"\xff" * 9000], ids=repr)
    def test_a_long_body_is_shortened_and_its_length_told(self, body: bytes) -> None:
        """A report is no archive."""
        (step,) = kept(Failure("case", "", "", story=(replace(a_list(1), body=body),))).story

        assert step.body.shortened
        assert step.body.length == len(body)
        assert 4096 <= len(step.body.text) < 6000

    def test_a_short_text_says_how_much_is_missing(self) -> None:
        """Both ends of a text are kept."""
        body = b"begin" + b"x" * 9986 + b"the end.."
        (step,) = kept(Failure("case", "", "", story=(replace(a_list(1), body=body),))).story

        assert step.body.text.startswith("begin")
        assert step.body.text.endswith("the end..")
        assert "… 5,904 characters left out …" in step.body.text

    def test_the_judged_exchanges_and_the_latest_keep_their_bodies(self) -> None:
        """Of a long story every request is told, and a few in full."""
        story = a_long_story(30)
        failure = Failure("case", "", "", arguments=([story[4]],), story=story)

        told = kept(failure)

        assert [step.number for step in told.story] == list(range(1, 31))
        assert [step.number for step in told.story if step.judged] == [5]
        assert [step.number for step in told.story if step.body.text] == [5, *range(26, 31)]
        assert {step.body.length > 0 for step in told.story} == {True}

    def test_a_very_long_story_says_what_it_leaves_out(self) -> None:
        """What is not told is counted."""
        story = a_long_story(500)

        told = kept(Failure("case", "", "", arguments=(story[0],), story=story))

        assert told.story[0].number == 1
        assert told.left_out + len(told.story) == 500

    def test_a_broken_file_is_named(self, tmp_path: Path) -> None:
        """A file that is no report says so, and what to do."""
        path = tmp_path / "report.json"
        for text in ("", "[]", "{}", '{"schema": 1, "runs": [{}]}', '{"schema": 1, "runs": 3}'):
            path.write_text(text, encoding="utf-8")
            with pytest.raises(ReportUnreadable, match=r"report\.json: no report.*\n\nA report is"):
                read(path)
        with pytest.raises(ReportUnreadable, match="No such file"):
            read(tmp_path / "missing.json")

    def test_a_later_schema_is_refused(self, tmp_path: Path) -> None:
        """A report of another version is not guessed at."""
        path = tmp_path / "report.json"
        path.write_text(json.dumps({**as_json([], CATALOGUE), "schema": 2}), encoding="utf-8")

        with pytest.raises(ReportUnreadable, match="its schema is 2"):
            read(path)

    def test_fields_of_the_catalogue_may_be_renamed(self) -> None:
        """A requirement's tier is its `tier` or its `level`; its place is told where it has one."""

        @attrs.define(frozen=True)
        class Later:
            id: str
            tier: str
            source: str
            place: str
            confidence: str
            operation: str
            says: str

        later = Later("LIST-3", "hygiene", "S2", "parameters, after", "high", "GET /batches", "so")
        rows: dict[str, Requirement] = {"LIST-3": later}  # type: ignore[dict-item]

        (told,) = as_json([], rows)["requirements"].values()

        assert told["tier"] == "hygiene"
        assert told["place"] == "parameters, after"
        assert as_json([], CATALOGUE)["requirements"]["LIST-2"]["tier"] == "should"


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


WRITINGS: dict[str, Callable[[str], str]] = {
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
    @pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS)
    def test_a_key_is_in_no_report(self, writing: Callable[[str], str]) -> None:
        """However a service writes a key, and wherever, it is left out."""
        written = f"{writing(KEY + LEAKED)}"
        exchange = replace(
            a_list(1),
            path=f"/batches/{written}",
            query={written: written},
            authorization=written,
            headers={written: written, "x": written},
            sent=written.encode(),
            body=written.encode(),
        )
        binary = replace(a_list(2), body=b"\xff" + written.encode())
        failure = Failure(written, written, written, None, (), (exchange, binary))
        run = failing_with(failure)
        run.target += written
        run.errors = [written]
        run.verdicts["LIST-2"].outcome = "known"
        run.verdicts["LIST-2"].reason = written

        reports = everything([run], (KEY + LEAKED,), script=written)

        for name, report in reports.items():
            tail = writing(LEAKED)
            assert "…" in report, name
            assert tail not in report, name
            assert tail not in unescape(report), name
            assert LEAKED not in unescape(unescape(report)), name
        for text in re.findall(r'"text": "([A-Za-z0-9+/=]+)", "length"', reports["json"]):
            assert LEAKED.encode() not in base64.b64decode(text + "==")

    def test_a_key_at_the_cut_is_left_out_whole(self) -> None:
        """What is shortened has no key before it is shortened."""
        key = "sk-" + "k" * 60
        for body in (b"x" * 3050 + key.encode() + b"x" * 9000, b"\xff" * 4070 + key.encode() * 50):
            step = replace(a_list(1), body=body)
            told = kept(
                Failure("case", "", "x" * 6120 + key + "x" * 9000, story=(step,)), secrets=(key,)
            )
            text = told.story[0].body.text

            assert "sk-" not in text
            assert "kkk" not in (text if told.story[0].body.encoding == "text" else "")
            assert "kkk" not in told.actual
            if told.story[0].body.encoding == "base64":
                assert b"kkk" not in base64.b64decode(text)

    def test_of_two_keys_the_longer_goes_first(self) -> None:
        """A key that begins with the other one leaves no end behind."""
        told = kept(Failure("case", "sk-one-two sk-one", ""), secrets=("sk-one", "", "sk-one-two"))

        assert told.expected == "… …"

    def test_a_report_that_was_read_is_cleaned_too(self) -> None:
        """Earlier reports go through the same gate."""
        earlier = record(failing_with(Failure("case", "sk-one", "")))

        assert "sk-one" in as_html([earlier], CATALOGUE)
        assert "sk-one" not in as_html([earlier], CATALOGUE, secrets=("sk-one",))
        assert "sk-one" not in as_html([], CATALOGUE, [earlier], secrets=("sk-one",))


class TestPage:
    def test_many_failures_stay_under_the_limit(self) -> None:
        """The page opens anywhere, and says what it leaves out."""
        scripts = dict.fromkeys(CATALOGUE, "#!/bin/sh\n" + "x" * 9000)

        page = as_html(crowded_runs(), CATALOGUE, crowded_runs(), scripts=scripts)

        assert len(page.encode()) <= LIMIT == 500_000
        assert "To keep this page small, each failure shows at most" in page
        assert page.count('<details class="cell fails">') == 3 * len(CATALOGUE)
        assert page.count("<dt>actual</dt>") >= 3 * len(CATALOGUE)

    def test_of_ninety_failures_the_judged_exchanges_are_shown(self) -> None:
        """Where there is room the wire log is told, to the same length for each failure."""
        ninety = dict(list(CATALOGUE.items())[:90])
        scripts = dict.fromkeys(ninety, "#!/bin/sh\n" + "x" * 9000)

        page = as_html(crowded_runs(90), ninety, crowded_runs(90), scripts=scripts)

        assert len(page.encode()) <= LIMIT
        assert page.count("Wire log: 2 of 30 exchanges") == 3 * 90

    def test_a_few_failures_are_told_in_full(self) -> None:
        """Nothing is shortened that fits."""
        page = as_html(three_runs(CATALOGUE), CATALOGUE)

        assert "To keep this page small" not in page
        assert Markup(page).text.count("test_after_begins_behind_the_named_batch") == 1

    def test_what_services_say_is_text(self) -> None:
        """No word of a service becomes an element, a handler or a load."""
        found = Markup(as_html(three_runs(CATALOGUE), CATALOGUE, scripts=SCRIPTS))

        assert found.tags.count("script") == 1
        assert "img" not in found.tags
        assert not found.handlers
        assert "</script><script>window.broken" in found.text
        assert "{{ 7 * 7 }}" in found.text

    def test_what_cannot_be_seen_is_shown(self) -> None:
        """No control character and no change of direction reaches the reader."""
        page = as_html(three_runs(CATALOGUE), CATALOGUE)

        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800]", page)
        for sign in ("\\x1b[31mred", "\\x00", "\\u2028", "\\u202e"):
            assert sign in page

    def test_nothing_is_loaded(self) -> None:
        """The page's links lead into itself, and its policy allows no more."""
        page = as_html(three_runs(CATALOGUE), CATALOGUE, scripts=SCRIPTS)

        assert {load[:1] for load in Markup(page).loads} == {"#"}
        assert "default-src &#39;none&#39;" in page
        assert not re.search(r"url\(|@import|fetch\(", page)

    def test_every_requirement_has_a_cell_for_each_target(self) -> None:
        """Also what a run did not look at is told."""
        runs = three_runs(CATALOGUE)
        del runs[2].verdicts["LIST-3"]

        page = as_html(runs, CATALOGUE)

        assert page.count('<details class="cell ') == 3 * len(CATALOGUE)
        assert page.count("it was not part of this run") == 1

    def test_a_requirement_of_an_older_catalogue_is_not_lost(self) -> None:
        """A failure is told whatever the catalogue knows."""
        page = as_html(three_runs(CATALOGUE), SMALL)

        assert 'id="LIST-4"' in page
        assert "a requirement that this catalogue does not have" in page

    def test_an_unknown_outcome_is_told(self) -> None:
        """A word of a later version breaks nothing."""
        run = failing_with(simple("LIST-3"))
        run.verdicts["LIST-3"].outcome = 'odd"><b>'

        for name, report in everything([run]).items():
            assert "odd" in report, name

    @pytest.mark.parametrize("id", ["LIST-3", "RETRIEVE-2"])
    def test_a_cell_says_what_is_known(self, id: str) -> None:
        """What the documents say, what was expected, what came, the wire and the script."""
        text = Markup(as_html(three_runs(CATALOGUE), CATALOGUE, scripts=SCRIPTS)).text
        (failure,) = three_runs(CATALOGUE)[0].verdicts[id].failures

        assert CATALOGUE[id].says in text
        assert failure.expected in text
        assert failure.case in text
        assert SCRIPTS[id] in text
        assert f"Wire log: {len(failure.story)} exchanges" in text

    def test_no_runs_are_a_page(self) -> None:
        """A report of nothing is no accident."""
        assert "0 failing" in as_html([], CATALOGUE)


class TestChanges:
    def flags(self, now: str, before: str) -> tuple[str, str]:
        """What the page says beside the outcome, and in the cell."""
        runs = [a_run("http://one.invalid/v1", SMALL, LIST_3=now)]
        last = [a_run("http://one.invalid/v1", SMALL, LIST_3=before)]
        page = as_html(runs, {"LIST-3": SMALL["LIST-3"]}, last)
        section = page[page.index('id="LIST-3"') :]
        flag = re.search(r'class="change">(\w+)<', section)
        told = re.search(r"<dt>last run</dt><dd>([^<]*)<", section)
        assert told
        return flag[1] if flag else "", told[1]

    @pytest.mark.parametrize(
        ("now", "before", "flag", "told"),
        [
            ("fails", "holds", "new", "new failure"),
            ("stale", "known", "new", "new failure"),
            ("holds", "fails", "fixed", "fixed"),
            ("holds", "expired", "fixed", "fixed"),
            ("fails", "fails", "", "unchanged"),
            ("holds", "holds", "", "unchanged"),
            ("blocked", "fails", "changed", "before: fails"),
            ("fails", "stale", "changed", "before: stale"),
            ("known", "fails", "changed", "before: fails"),
        ],
    )
    def test_a_change_is_told(self, now: str, before: str, flag: str, told: str) -> None:
        """A failure is new, fixed or as it was."""
        assert self.flags(now, before) == (flag, told)

    def test_targets_are_compared_with_themselves(self) -> None:
        """Each target has a past of its own; a simulator is known without its port."""
        page = as_html(three_runs(SMALL), SMALL, last_runs(SMALL))

        assert re.findall(r"since the last run: (.*?)<", page) == [
            "2 new, 1 fixed",
            "2 new, 0 fixed",
            "0 new, 1 fixed",
        ]

    def test_without_a_last_run_nothing_is_said(self) -> None:
        """No past is no change."""
        page = as_html(three_runs(SMALL), SMALL)

        assert "last run" not in page

    def test_a_new_target_has_no_past(self) -> None:
        """Another service's verdicts say nothing."""
        page = as_html([a_run("http://one.invalid/v1", SMALL)], SMALL, last_runs(SMALL))

        assert "<dt>last run" not in page


class TestJUnit:
    def suites(self, runs: list[Run]) -> list[ET.Element]:
        return list(ET.fromstring(as_junit(runs, CATALOGUE)))  # noqa: S314 - our own text

    def test_a_target_is_a_suite_and_a_requirement_a_case(self) -> None:
        """Readers count what they find, and find what is counted."""
        suites = self.suites(three_runs(CATALOGUE))

        assert [suite.get("name") for suite in suites] == [
            run.target for run in three_runs(CATALOGUE)
        ]
        for suite in suites:
            assert suite.get("tests") == str(len(suite.findall("testcase")))
            for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert suite.get(name) == str(len(suite.findall(f"testcase/{tag}")))
        case = next(case for case in suites[0].iter("testcase") if "LIST-3" in case.attrib["name"])
        assert case.get("classname") == "LIST"
        assert case.get("name") == f"LIST-3 {CATALOGUE['LIST-3'].says}"
        assert suites[0].get("timestamp") == "2026-09-21T14:13:20"

    @pytest.mark.parametrize(
        ("word", "tag"),
        [
            ("holds", None),
            ("fails", "failure"),
            ("stale", "failure"),
            ("expired", "failure"),
            ("error", "error"),
            ("known", "skipped"),
            ("flaky", "skipped"),
            ("blocked", "skipped"),
            ("inconclusive", "skipped"),
            ("not judged", "skipped"),
        ],
    )
    def test_each_outcome_is_an_element(self, word: str, tag: str | None) -> None:
        """What is accepted or open is skipped with its reason, and what the ledger lost fails."""
        run = a_run("http://one.invalid/v1", CATALOGUE, LIST_3=word)
        (suite,) = self.suites([run])
        case = next(case for case in suite.iter("testcase") if "LIST-3" in case.attrib["name"])

        assert [child.tag for child in case] == ([tag] if tag else [])
        if tag and word != "fails":
            message = case[0].attrib["message"]
            assert message == f"{word}: {run.verdicts['LIST-3'].reason}"
        assert word in OUTCOMES

    def test_what_xml_cannot_hold_is_left_out(self) -> None:
        """A service's control characters do not break the reader."""
        text = as_junit(three_runs(CATALOGUE), CATALOGUE)

        assert "\x1b" in HOSTILE
        assert "[31mred" in text
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", text)
        assert self.suites(three_runs(CATALOGUE))

    def test_errors_of_the_rig_are_errors(self) -> None:
        """A run that broke down is not green."""
        run = a_run("http://one.invalid/v1", CATALOGUE)
        run.errors = ["ConnectError: \x1bnobody answers", "another"]

        (suite,) = self.suites([run])

        assert suite.get("errors") == "1"
        assert "nobody answers" in str(suite.findtext("testcase/error"))


def cells(line: str) -> list[str]:
    """A row's cells, split as GitHub does: at pipes without a backslash of their own."""
    parts = re.findall(r"(?:\\.|[^|\\])*", line.strip().strip("|"))
    return [part.strip() for part in parts if part]


class TestMarkdown:
    def tables(self, text: str) -> list[list[list[str]]]:
        blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        return [[cells(line) for line in block.splitlines()] for block in blocks]

    def test_tables_are_well_formed(self) -> None:
        """Every row has the columns of its heading, whatever a service said."""
        for table in self.tables(as_markdown(three_runs(CATALOGUE), CATALOGUE)):
            heading, rule, *rows = table

            assert set(rule) == {"---"}
            assert rows
            for row in rows:
                assert len(row) == len(heading), row

    def test_failures_come_first_and_must_before_should(self) -> None:
        """The order is the order of reading."""
        _, failures = self.tables(as_markdown(three_runs(CATALOGUE), CATALOGUE))

        tiers = [row[1] for row in failures[2:]]
        assert tiers == ["must"] * 4 + ["should"]
        assert [row[2] for row in failures[2:]] == ["fails", "fails", "stale", "expired", "fails"]

    def test_what_services_say_stands_in_a_code_span(self) -> None:
        """No mention, link or element is read in it."""
        text = as_markdown(three_runs(CATALOGUE), CATALOGUE)

        outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        assert "@everyone" in text
        for word in ("@everyone", "<script", "<img", "api.siliconflow"):
            assert word not in outside

    def test_a_long_list_is_cut_and_says_so(self) -> None:
        """A summary stays one."""
        text = as_markdown(crowded_runs(), CATALOGUE)

        assert len(text) < 60_000
        assert f"… and {3 * len(CATALOGUE) - 50} more; report.html has them all." in text

    def test_nothing_fails(self) -> None:
        """A sound target is told in a line."""
        text = as_markdown([a_run("http://one.invalid/v1", CATALOGUE)], CATALOGUE)

        assert text.endswith("Nothing fails.\n")
        assert f"{len(CATALOGUE)} hold" in text

    def test_a_new_failure_is_marked(self) -> None:
        """The change since the last run stands beside the outcome."""
        text = as_markdown(three_runs(CATALOGUE), CATALOGUE, last_runs(CATALOGUE))

        assert "| **LIST-3** | must | fails | " in text
        assert "| **RETRIEVE-2** | must | fails (new) | " in text


class TestFolder:
    def test_every_report_is_written(self, tmp_path: Path) -> None:
        """A folder has all, and nothing half written."""
        write(tmp_path / "out", three_runs(CATALOGUE), CATALOGUE, None, SCRIPTS)

        found = {str(path.relative_to(tmp_path / "out")) for path in tmp_path.rglob("*.*")}
        names = {"report.html", "report.json", "junit.xml", "report.md"}
        assert found == names | {"repro/LIST-3.sh", "repro/RETRIEVE-2.sh"}
        assert read(tmp_path / "out/report.json")[0].began == BEGAN

    def test_scripts_run(self, tmp_path: Path) -> None:
        """A script can be started as it is."""
        write(tmp_path, three_runs(CATALOGUE), CATALOGUE, None, SCRIPTS)

        script = tmp_path / "repro/LIST-3.sh"
        assert script.read_text(encoding="utf-8") == SCRIPTS["LIST-3"]
        assert os.access(script, os.X_OK)
        assert not stat.S_IMODE((tmp_path / "report.html").stat().st_mode) & 0o111

    def test_scripts_of_an_earlier_report_are_gone(self, tmp_path: Path) -> None:
        """What is in the folder repeats a failure of this report; other files stay."""
        (tmp_path / "repro").mkdir()
        (tmp_path / "repro/mine.sh").touch()
        write(tmp_path, three_runs(CATALOGUE), CATALOGUE, None, SCRIPTS)
        write(tmp_path, three_runs(CATALOGUE), CATALOGUE, None, {"LIST-3": "#!/bin/sh\n"})

        names = {path.name for path in (tmp_path / "repro").iterdir()}
        assert names == {"LIST-3.sh", "mine.sh"}

    def test_a_script_stays_in_its_folder(self, tmp_path: Path) -> None:
        """Only ids of the catalogue become files."""
        write(tmp_path / "out", [], CATALOGUE, None, {"../../evil": "", "LIST-99": ""})

        assert not list(tmp_path.rglob("*evil*"))
        assert not list(tmp_path.rglob("*.sh"))

    def test_a_failed_write_leaves_the_last_report(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file is the old one or the new one."""
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
        """Secrets are taken out of scripts too."""
        run = failing_with(Failure("case", "sk-one", "sk-one"))
        write(tmp_path, [run], CATALOGUE, [run], {"LIST-3": "echo sk-one"}, secrets=("sk-one",))

        for path in tmp_path.rglob("*.*"):
            assert "sk-one" not in path.read_text(encoding="utf-8"), path
