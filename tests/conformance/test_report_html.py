"""The HTML report: its contents, its size, and changes since the previous run."""

import re
from html.parser import HTMLParser

import pytest
from attrs import evolve

from siliconflow_batch_conformance.reports import as_html
from siliconflow_batch_conformance.reports.page import LIMIT
from support.report_runs import (
    CATALOGUE,
    SCRIPTS,
    SMALL,
    a_run,
    crowded_runs,
    last_runs,
    run_with_failure,
    simple,
    three_runs,
)


class Markup(HTMLParser):
    """The elements of a page, the URLs in their attributes, and its text."""

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


class TestPage:
    def test_a_page_with_many_failures_is_small(self) -> None:
        """A page of at most 500,000 bytes shows every failure, and says what it omits."""
        scripts = dict.fromkeys(CATALOGUE, "#!/bin/sh\n" + "x" * 9000)

        page = as_html(crowded_runs(), CATALOGUE, crowded_runs(), scripts=scripts)

        assert len(page.encode()) <= LIMIT == 500_000
        assert "To keep this page small, each failure shows at most" in page
        assert page.count('<details class="cell fails"') == 3 * len(CATALOGUE)
        assert page.count("<dt>actual</dt>") >= 3 * len(CATALOGUE)

    def test_ninety_failures_show_the_judged_exchanges(self) -> None:
        """If there is room, each failure shows the same number of exchanges."""
        ninety = dict(list(CATALOGUE.items())[:90])
        scripts = dict.fromkeys(ninety, "#!/bin/sh\n" + "x" * 9000)

        page = as_html(crowded_runs(90), ninety, crowded_runs(90), scripts=scripts)

        assert len(page.encode()) <= LIMIT
        assert page.count("Wire log: 2 of 30 exchanges") == 3 * 90

    def test_a_few_failures_are_shown_in_full(self) -> None:
        """Nothing is shortened unless the page is too large."""
        page = as_html(three_runs(CATALOGUE), CATALOGUE)

        assert "To keep this page small" not in page
        assert Markup(page).text.count("test_after_begins_behind_the_named_batch") == 1

    def test_text_from_services_is_escaped(self) -> None:
        """It creates no element, event handler or request."""
        found = Markup(as_html(three_runs(CATALOGUE), CATALOGUE, scripts=SCRIPTS))

        assert found.tags.count("script") == 1
        assert "img" not in found.tags
        assert not found.handlers
        assert "</script><script>window.broken" in found.text
        assert "{{ 7 * 7 }}" in found.text

    def test_invisible_characters_are_escaped(self) -> None:
        """The page contains no control characters and no marks of the writing direction."""
        page = as_html(three_runs(CATALOGUE), CATALOGUE)

        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800]", page)
        for escape in ("\\x1b[31mred", "\\x00", "\\u2028", "\\u202e"):
            assert escape in page

    def test_the_page_loads_nothing(self) -> None:
        """All links lead to the page itself, and its policy permits nothing else."""
        page = as_html(three_runs(CATALOGUE), CATALOGUE, scripts=SCRIPTS)

        assert {load[:1] for load in Markup(page).loads} == {"#"}
        assert "default-src &#39;none&#39;" in page
        assert not re.search(r"url\(|@import|fetch\(", page)

    def test_every_requirement_has_a_cell_for_each_target(self) -> None:
        """A requirement that was not part of a run has a cell too."""
        runs = three_runs(CATALOGUE)
        del runs[2].verdicts["LIST-3"]

        page = as_html(runs, CATALOGUE)

        assert page.count('<details class="cell ') == 3 * len(CATALOGUE)
        assert page.count("not part of this run") == 2  # beside the outcome, and in the cell

    def test_failures_come_first_and_the_first_is_open(self) -> None:
        """The most fundamental one is at the top; nothing else is open."""
        page = as_html(
            [a_run("http://one.invalid/v1", CATALOGUE, LIST_3="fails", WIRE_1="fails")], CATALOGUE
        )

        places = [
            page.index(f'<article class="row" id="{id}"') for id in ("WIRE-1", "LIST-3", "CREATE-1")
        ]
        assert places == sorted(places)
        assert page.count('<details class="cell fails" open>') == page.count(" open>") == 1
        assert places[0] < page.index(" open>") < places[1]

    def test_two_lists_stand_side_by_side(self) -> None:
        """A row for each item, and those that differ are marked."""
        failure = evolve(simple("LIST-3"), rows=(("a", "a"), ("<b>", None), (None, "c")))
        page = as_html([run_with_failure(failure)], CATALOGUE)

        assert "<tr><td>a</td><td>a</td></tr>" in page
        assert '<tr class="differs"><td>&lt;b&gt;</td><td></td></tr>' in page
        assert '<tr class="differs"><td></td><td>c</td></tr>' in page

    def test_a_blocked_row_says_what_it_waits_for(self) -> None:
        """Without opening it."""
        run = a_run("http://one.invalid/v1", CATALOGUE, LIST_4="blocked")
        run.verdicts["LIST-4"].reason = "the same responses violate LIST-3"

        (summary,) = re.findall(
            r'<details class="cell blocked"><summary>(.*?)</summary>', as_html([run], CATALOGUE)
        )

        assert "the same responses violate LIST-3" in summary

    def test_an_unknown_requirement_is_shown(self) -> None:
        """Requirements that the catalogue does not contain are shown as well."""
        page = as_html(three_runs(CATALOGUE), SMALL)

        assert 'id="LIST-4"' in page
        assert "unknown requirement of another version" in page

    @pytest.mark.parametrize("id", ["LIST-3", "RETRIEVE-2"])
    def test_a_cell_shows_the_failure(self, id: str) -> None:
        """It shows the requirement, the expectation, the case, the wire log and the script."""
        text = Markup(as_html(three_runs(CATALOGUE), CATALOGUE, scripts=SCRIPTS)).text
        (failure,) = three_runs(CATALOGUE)[0].verdicts[id].failures

        assert CATALOGUE[id].says in text
        assert failure.expected in text
        assert failure.case in text
        assert SCRIPTS[id] in text
        assert f"Wire log: {len(failure.story)} exchanges" in text

    def test_a_report_without_runs(self) -> None:
        """A report without runs is a page as well."""
        assert "0 failing" in as_html([], CATALOGUE)


class TestChanges:
    def flags(self, now: str, before: str) -> tuple[str, str]:
        """The change that the page shows beside the outcome, and in the cell."""
        runs = [a_run("http://one.invalid/v1", SMALL, LIST_3=now)]
        last = [a_run("http://one.invalid/v1", SMALL, LIST_3=before)]
        page = as_html(runs, {"LIST-3": SMALL["LIST-3"]}, last)
        section = page[page.index('id="LIST-3"') :]
        flag = re.search(r'class="change">(\w+)<', section)
        change = re.search(r"<dt>last run</dt><dd>([^<]*)<", section)
        assert change
        return flag[1] if flag else "", change[1]

    @pytest.mark.parametrize(
        ("now", "before", "flag", "change"),
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
    def test_a_change_is_shown(self, now: str, before: str, flag: str, change: str) -> None:
        """A failure is new, fixed or unchanged."""
        assert self.flags(now, before) == (flag, change)

    def test_each_target_is_compared_with_its_own_previous_run(self) -> None:
        """A simulator is recognised although its port has changed."""
        page = as_html(three_runs(SMALL), SMALL, last_runs(SMALL))

        assert re.findall(r"since the last run: (.*?)<", page) == [
            "2 new, 1 fixed",
            "2 new, 0 fixed",
            "0 new, 1 fixed",
        ]

    def test_without_a_previous_run_no_change_is_shown(self) -> None:
        """The page does not mention a last run."""
        page = as_html(three_runs(SMALL), SMALL)

        assert "last run" not in page

    def test_a_new_target_has_no_changes(self) -> None:
        """It is not compared with another target."""
        page = as_html([a_run("http://one.invalid/v1", SMALL)], SMALL, last_runs(SMALL))

        assert "<dt>last run" not in page
