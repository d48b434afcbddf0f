"""The report as a page: what it shows, and what changed since the last one."""

import re
from html.parser import HTMLParser

import pytest

from siliconflow_batch_conformance.reports import as_html
from siliconflow_batch_conformance.reports.page import LIMIT
from support.report_runs import (
    CATALOGUE,
    SCRIPTS,
    SMALL,
    a_run,
    crowded_runs,
    last_runs,
    three_runs,
)


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
