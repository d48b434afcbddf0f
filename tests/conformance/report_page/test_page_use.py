"""The use of the HTML report: offline, by keyboard, and with the filter."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.report_browser import Opener, open_all, shown
from support.report_runs import SMALL

CELLS = 3 * len(SMALL)


class TestOffline:
    def test_the_page_requests_nothing(self, open_page: Opener, small: str) -> None:
        """It sends no request, and executes no text from a service."""
        page = open_page(small)
        open_all(page)

        assert page.evaluate("performance.getEntriesByType('resource').length") == 0
        assert page.evaluate("window.broken") is None
        assert page.locator(".row").count() == len(SMALL)

    def test_the_policy_blocks_other_scripts(
        self, browser: Browser, small: str, tmp_path: Path
    ) -> None:
        """Even if escaping failed, the page's policy would block an injected script."""
        injected = "<script>window.broken = true</script><footer>"
        path = tmp_path / "report.html"
        path.write_text(small.replace("<footer>", injected), encoding="utf-8")
        page = browser.new_page()
        page.goto(path.as_uri())

        assert page.locator("script").count() == 2
        assert page.evaluate("window.broken") is None
        assert page.locator("#filter").is_visible(), "the page's own script did not run"
        page.close()

    def test_the_page_works_without_javascript(self, browser: Browser, small: str) -> None:
        """Cells open; only the filter needs JavaScript."""
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.set_content(small)
        page.locator("#LIST-3 .cell.fails > summary").click()

        assert page.locator("#LIST-3").get_by_text("actual", exact=True).is_visible()
        assert not page.locator("#filter").is_visible()
        context.close()


ACTIVE = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const cells = [...document.querySelectorAll(".cell > summary")];
  return { cell: cells.indexOf(at), tag: at.tagName, name: at.textContent.trim(),
           ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
           shown: at.checkVisibility() };
}"""


class TestKeyboard:
    @pytest.mark.parametrize("width", [360, 1280])
    def test_every_cell_is_reached_and_opens(
        self, open_page: Opener, small: str, width: int
    ) -> None:
        """Tab moves through the cells with a visible focus ring; Enter and Space open one."""
        page = open_page(small, width=width)
        page.locator(".cell[open]").evaluate("cell => cell.open = false")  # the first failure
        seen: list[int] = []
        while len(seen) < CELLS:
            page.keyboard.press("Tab")
            at = page.evaluate(ACTIVE)
            assert at["tag"] != "BODY", "the focus left the page before the last cell"
            assert at["ring"] >= 2, at
            if at["cell"] < 0:
                continue
            seen.append(at["cell"])
            opened_now = "document.activeElement.parentElement.open"
            page.keyboard.press("Enter" if len(seen) % 2 else "Space")
            assert page.evaluate(opened_now) is True
            assert page.locator(".cell[open] .panel").bounding_box()["width"] > 200  # type: ignore[index]
            page.keyboard.press("Space" if len(seen) % 2 else "Enter")
            assert page.evaluate(opened_now) is False

        assert seen == list(range(CELLS))

    def test_a_cell_has_an_accessible_name(self, open_page: Opener, small: str) -> None:
        """A screen reader reads the requirement, the target and the outcome."""
        tree = open_page(small).locator("#LIST-3").aria_snapshot()

        assert "LIST-3 on api.siliconflow.cn: fails" in tree
        assert "LIST-3 on api.siliconflow.com: holds" in tree
        assert 'heading "LIST-3 a page with `after` starts after that batch must"' in tree

    def test_the_wire_log_and_the_script_are_reached(self, open_page: Opener, small: str) -> None:
        """From a cell, Tab moves to the wire log and then to the script."""
        page = open_page(small)
        page.locator("#LIST-3 .cell.fails > summary").focus()
        page.keyboard.press("Enter")
        for name in ("Wire log: 30 exchanges", "Script that repeats the failure"):
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert page.evaluate(ACTIVE)["name"] == name
            assert page.evaluate("document.activeElement.parentElement.open") is True

    def test_a_link_opens_its_failure(self, open_page: Opener, small: str) -> None:
        """The link focuses the failure, even if the filter hides it."""
        page = open_page(small)
        page.get_by_role("checkbox", name="holds").check()
        page.get_by_label("Search").fill("nothing is like this")
        assert shown(page) == set()

        page.get_by_role("link", name="LIST-3").focus()
        page.keyboard.press("Enter")

        page.locator("#LIST-3 .cell.fails > summary:focus").wait_for()
        assert page.locator("#LIST-3 .cell.fails .panel").is_visible()
        assert shown(page) == set(SMALL)

    def test_a_url_fragment_opens_its_failure(self, open_page: Opener, small: str) -> None:
        """A link from another page opens the failure that it names."""
        page = open_page(small, at="#UPLOAD-3")

        assert page.locator("#UPLOAD-3 .cell.fails .panel").is_visible()


class TestFilter:
    def test_everything_is_shown_at_first(self, open_page: Opener, small: str) -> None:
        """Without a filter nothing is hidden."""
        page = open_page(small)

        assert shown(page) == set(SMALL)
        assert page.get_by_role("status").inner_text() == "12 of 12 requirements"

    def test_filter_by_outcome(self, open_page: Opener, small: str) -> None:
        """Two outcomes are combined by or; groups without a row are hidden."""
        page = open_page(small)
        page.get_by_role("checkbox", name="fails").check()
        assert shown(page) == {"LIST-3", "RETRIEVE-2", "UPLOAD-3"}
        page.get_by_label("stale").check()

        assert shown(page) == {"CREATE-6", "LIST-3", "RETRIEVE-2", "UPLOAD-3"}
        assert page.locator(".group:visible h2").all_inner_texts()[0].startswith("Failures")
        assert page.locator(".group:visible").count() == 1
        assert page.get_by_role("status").inner_text() == "4 of 12 requirements"

    def test_filter_by_tier(self, open_page: Opener, small: str) -> None:
        """A tier and an outcome are combined by and."""
        page = open_page(small)
        page.get_by_role("checkbox", name="fails").check()
        page.get_by_label("should", exact=True).check()

        assert shown(page) == {"UPLOAD-3"}

    def test_filter_by_change(self, open_page: Opener, small: str) -> None:
        """Unchanged requirements can be hidden."""
        page = open_page(small)
        page.get_by_label("changed since the last run").check()

        assert "LIST-3" not in shown(page)
        assert {"RETRIEVE-2", "CANCEL-4", "AUTH-2", "UPLOAD-3"} <= shown(page)

    def test_search(self, open_page: Opener, small: str) -> None:
        """A row matches if it contains all words, regardless of case."""
        page = open_page(small)
        page.get_by_label("Search").press_sequentially("BEHIND named")
        assert shown(page) == {"LIST-3"}
        page.get_by_label("Search").fill("batch_kgtjntxirl")
        assert shown(page) == {"LIST-3"}
        page.get_by_label("Search").fill("<b>")

        assert shown(page) == {"RETRIEVE-2"}

    def test_a_search_without_results(self, open_page: Opener, small: str) -> None:
        """The page shows a message and a button that shows everything again."""
        page = open_page(small)
        page.get_by_label("Search").fill("no such word")
        assert page.get_by_text("No requirement matches.").is_visible()
        page.get_by_role("button", name="Show all").press("Enter")

        page.locator("#none").wait_for(state="hidden")
        assert shown(page) == set(SMALL)
