"""The report as JUnit XML and as Markdown."""

import re
import xml.etree.ElementTree as ET

import pytest

from siliconflow_batch_conformance.exit_status import exit_status
from siliconflow_batch_conformance.reports import as_junit, as_markdown
from siliconflow_batch_conformance.reports.outcomes import OUTCOMES
from siliconflow_batch_conformance.verdicts import Run
from support.report_runs import (
    CATALOGUE,
    HOSTILE,
    a_run,
    crowded_runs,
    last_runs,
    simple,
    three_runs,
)

# The attributes that an element of junit-10.xsd must and may have.
RESULT = (set[str](), {"type", "message"})
JENKINS = {
    "testsuites": (set[str](), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "url", "version"},
    ),
    "properties": (set[str](), set[str]()),
    "property": ({"name", "value"}, set[str]()),
    "testcase": ({"name"}, {"time", "classname", "group"}),
    **dict.fromkeys(("failure", "error", "skipped"), RESULT),
}


class TestJUnit:
    def suites(self, runs: list[Run]) -> list[ET.Element]:
        return list(ET.fromstring(as_junit(runs, CATALOGUE)))  # noqa: S314 - our own text

    def test_a_target_is_a_suite_and_a_requirement_a_case(self) -> None:
        """The numbers of a suite agree with its test cases."""
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
        ("outcome", "tag"),
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
    def test_each_outcome_is_an_element(self, outcome: str, tag: str | None) -> None:
        """Known deviations and open outcomes are skipped, stale and expired ones fail."""
        run = a_run("http://one.invalid/v1", CATALOGUE, LIST_3=outcome)
        (suite,) = self.suites([run])
        case = next(case for case in suite.iter("testcase") if "LIST-3" in case.attrib["name"])

        assert [child.tag for child in case] == ([tag] if tag else [])
        if tag and outcome != "fails":
            message = case[0].attrib["message"]
            assert message == f"{outcome}: {run.verdicts['LIST-3'].reason}"
        assert outcome in OUTCOMES

    @pytest.mark.parametrize("tier", ["must", "should", "hygiene"])
    @pytest.mark.parametrize("outcome", ["fails", "blocked", "stale", "expired"])
    @pytest.mark.parametrize("strict", [False, True])
    def test_a_case_fails_exactly_if_the_run_does(
        self, tier: str, outcome: str, *, strict: bool
    ) -> None:
        """An element `failure` and the exit status 1 belong together, also if it is blocked."""
        id = next(id for id, row in CATALOGUE.items() if row.tier == tier)
        run = a_run("http://one.invalid/v1", CATALOGUE, **{id.replace("-", "_"): outcome})
        if outcome == "blocked":
            run.verdicts[id].failures, run.verdicts[id].causes = [simple(id)], ("WIRE-1",)

        root = ET.fromstring(as_junit([run], CATALOGUE, strict=strict))  # noqa: S314 - our own text

        tiers = {name: row.tier for name, row in CATALOGUE.items()}
        is_fatal = exit_status(run, tiers, strict=strict, allow_inconclusive=True) == 1
        assert [root.get("failures"), root.get("errors")] == [str(int(is_fatal)), "0"]

    def test_it_follows_the_schema_of_jenkins(self) -> None:
        """Each element has the attributes that junit-10.xsd requires and allows."""
        run = a_run("http://one.invalid/v1", CATALOGUE, LIST_3="blocked")
        run.errors = ["ConnectError"]
        root = ET.fromstring(as_junit([*three_runs(CATALOGUE), run], CATALOGUE))  # noqa: S314

        for element in root.iter():
            required, allowed = JENKINS[element.tag]
            assert required <= {*element.keys()} <= required | allowed, element.tag
            if element.tag in ("testsuites", "testsuite"):
                assert re.fullmatch(r"\d{1,3}(\.\d{1,3})?", element.attrib["time"])

    def test_characters_that_xml_forbids_are_removed(self) -> None:
        """The report is well-formed whatever a service sent."""
        text = as_junit(three_runs(CATALOGUE), CATALOGUE)

        assert "\x1b" in HOSTILE
        assert "[31mred" in text
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", text)
        assert self.suites(three_runs(CATALOGUE))

    def test_errors_of_the_suite_are_errors(self) -> None:
        """They are an error of a test case of their own."""
        run = a_run("http://one.invalid/v1", CATALOGUE)
        run.errors = ["ConnectError: \x1bconnection refused", "another"]

        (suite,) = self.suites([run])

        assert suite.get("errors") == "1"
        assert "connection refused" in str(suite.findtext("testcase/error"))


def cells(line: str) -> list[str]:
    """The cells of a row, split at unescaped pipes, as GitHub does."""
    parts = re.findall(r"(?:\\.|[^|\\])*", line.strip().strip("|"))
    return [part.strip() for part in parts if part]


class TestMarkdown:
    def tables(self, text: str) -> list[list[list[str]]]:
        blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        return [[cells(line) for line in block.splitlines()] for block in blocks]

    def test_tables_are_well_formed(self) -> None:
        """Every row has as many cells as the heading, whatever a service sent."""
        for table in self.tables(as_markdown(three_runs(CATALOGUE), CATALOGUE)):
            heading, rule, *rows = table

            assert set(rule) == {"---"}
            assert rows
            for row in rows:
                assert len(row) == len(heading), row

    def test_failures_come_first_and_must_before_should(self) -> None:
        """The table is sorted by tier, then by outcome."""
        _, failures = self.tables(as_markdown(three_runs(CATALOGUE), CATALOGUE))

        tiers = [row[1] for row in failures[2:]]
        assert tiers == ["must"] * 4 + ["should"]
        assert [row[2] for row in failures[2:]] == ["fails", "fails", "stale", "expired", "fails"]

    def test_text_from_services_is_in_code_spans(self) -> None:
        """It creates no mention, link or element."""
        text = as_markdown(three_runs(CATALOGUE), CATALOGUE)

        outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        assert "@everyone" in text
        for text_part in ("@everyone", "<script", "<img", "api.siliconflow"):
            assert text_part not in outside

    def test_a_long_table_is_cut(self) -> None:
        """It shows 50 failures and the number of the others."""
        text = as_markdown(crowded_runs(), CATALOGUE)

        assert len(text) < 60_000
        assert f"… and {3 * len(CATALOGUE) - 50} more; report.html shows all." in text

    def test_a_conformant_target(self) -> None:
        """Without failures there is one line instead of a table."""
        text = as_markdown([a_run("http://one.invalid/v1", CATALOGUE)], CATALOGUE)

        assert text.endswith("No failures.\n")
        assert f"{len(CATALOGUE)} hold" in text

    def test_a_new_failure_is_marked(self) -> None:
        """The outcome of a new failure is followed by (new)."""
        text = as_markdown(three_runs(CATALOGUE), CATALOGUE, last_runs(CATALOGUE))

        assert "| **LIST-3** | must | fails | " in text
        assert "| **RETRIEVE-2** | must | fails (new) | " in text
