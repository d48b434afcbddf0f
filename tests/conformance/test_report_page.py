"""
The HTML report in a browser, the Chromium of this machine.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from siliconflow_batch_conformance.reports import as_html
from support.report_runs import CATALOGUE, SCRIPTS, SMALL, crowded_runs, last_runs, three_runs
from support.required_tools import required_tool

CELLS = 3 * len(SMALL)
FAILING = {"CREATE-2", "CREATE-6", "LIST-3", "RETRIEVE-2", "UPLOAD-3"}

# Each text with its colour and the background colours behind it, from front to back.
COLOURS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style") || !element.checkVisibility()) continue;
    const backs = [], fades = [];
    for (let at = element; at; at = at.parentElement) {
      backs.push(getComputedStyle(at).backgroundColor);
      fades.push(getComputedStyle(at).opacity);
    }
    const colour = getComputedStyle(element).color;
    const kind = [colour, ...backs, ...fades].join();
    found.push({ text: text.slice(0, 40), colour, backs, fades, kind });
  }
  for (const element of document.querySelectorAll(".cell > summary")) {
    const { color, backgroundColor } = getComputedStyle(element, "::after");
    const body = getComputedStyle(document.body).backgroundColor;
    found.push({ text: "▸", colour: color, backs: [backgroundColor, body], fades: ["1"],
                 kind: color });
  }
  return [...new Map(found.map((each) => [each.kind, each])).values()];
}"""
WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility() && !element.closest(".of, .where, .skip"))
  .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth
                       && getComputedStyle(element).display !== "inline"
                       || element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = required_tool("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root in a container.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


Opener = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a page from a file: `opened(html, width=…, scheme=…)`; its errors fail the test."""
    contexts, errors, requests = [], [], []

    def open_page(text: str, *, width: int = 1280, scheme: Any = "light", at: str = "") -> Page:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url.partition("#")[0]))
        page.goto(path.as_uri() + at)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert set(requests) <= {(tmp_path / "report.html").as_uri()}


@pytest.fixture(scope="module")
def small() -> str:
    """A page with three targets, a dozen requirements and all outcomes."""
    return as_html(three_runs(SMALL), SMALL, last_runs(SMALL), scripts=SCRIPTS)


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")


def shown(page: Page) -> set[str]:
    """The ids of the requirements that the filter shows."""
    ids: list[str] = page.evaluate(
        "[...document.querySelectorAll('.row')].filter((row) => row.checkVisibility())"
        ".map((row) => row.id)"
    )
    return set(ids)


class TestOffline:
    def test_the_page_requests_nothing(self, opened: Opener, small: str) -> None:
        """It sends no request, and executes no text from a service."""
        page = opened(small)
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


class TestWidth:
    @pytest.mark.parametrize("width", [320, 360, 768, 1280])
    @pytest.mark.parametrize("expanded", [False, True])
    def test_nothing_is_wider_than_the_window(
        self, opened: Opener, small: str, width: int, *, expanded: bool
    ) -> None:
        """The page does not scroll sideways, with cells closed or open."""
        page = opened(small, width=width)
        if expanded:
            open_all(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDER) == []

    def test_a_crowded_page_fits_a_phone(self, opened: Opener) -> None:
        """A page with hundreds of failures does not scroll sideways."""
        page = opened(as_html(crowded_runs(), CATALOGUE), width=360)
        open_all(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= 360

    def test_narrow_cells_name_their_target(self, opened: Opener, small: str) -> None:
        """On a narrow page without columns each cell shows its target."""
        where = "#LIST-3 .cell:first-of-type .where"

        assert opened(small, width=360).locator(where).bounding_box()["width"] > 50  # type: ignore[index]
        assert opened(small, width=1280).locator(where).bounding_box()["width"] <= 1  # type: ignore[index]


def luminance(colour: list[float]) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def parsed(colour: str) -> tuple[list[float], float]:
    """`rgb(1, 2, 3)` or `rgba(1, 2, 3, 0.5)` as its parts and its opacity."""
    assert colour.startswith("rgb"), colour
    parts = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")]
    return parts[:3], parts[3] if len(parts) > 3 else 1.0


def contrast(colour: str, backs: list[str]) -> float:
    behind = [255.0, 255.0, 255.0]
    for back in reversed(backs):
        parts, opacity = parsed(back)
        behind = [
            new * opacity + old * (1 - opacity) for new, old in zip(parts, behind, strict=True)
        ]
    text, opacity = parsed(colour)
    assert opacity == 1
    light, dark = sorted((luminance(text), luminance(behind)), reverse=True)[:2]
    return (light + 0.05) / (dark + 0.05)


class TestColours:
    def test_contrast_is_computed_as_in_wcag(self) -> None:
        """Black on white has 21; #767676 is the lightest grey with 4.5."""
        assert contrast("rgb(0, 0, 0)", ["rgba(0, 0, 0, 0)"]) == pytest.approx(21)
        assert contrast("rgb(118, 118, 118)", ["rgb(255, 255, 255)"]) == pytest.approx(4.54, 0.01)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 1280])
    def test_every_text_has_enough_contrast(
        self, opened: Opener, small: str, scheme: str, width: int
    ) -> None:
        """The contrast with the background satisfies WCAG level AA."""
        page = opened(small, scheme=scheme, width=width)
        open_all(page)
        texts = page.evaluate(COLOURS)

        assert len(texts) > 20
        for text in texts:
            assert set(text["fades"]) == {"1"}, text
            assert contrast(text["colour"], text["backs"]) >= 4.5, text

    def test_the_colour_scheme_is_followed(self, opened: Opener, small: str) -> None:
        """The background is dark in the dark scheme and light in the light one."""
        back = "getComputedStyle(document.body).backgroundColor"

        assert luminance(parsed(opened(small, scheme="dark").evaluate(back))[0]) < 0.05
        assert luminance(parsed(opened(small, scheme="light").evaluate(back))[0]) > 0.9

    def test_there_are_no_animations(self, opened: Opener, small: str) -> None:
        """With reduced motion there is no transition, animation or smooth scrolling."""
        moving = opened(small).evaluate(
            "[document.documentElement, ...document.querySelectorAll('*')].filter((each) => {"
            "const style = getComputedStyle(each);"
            "return style.transitionDuration !== '0s' || style.animationName !== 'none'"
            " || style.scrollBehavior !== 'auto'}).length"
        )

        assert moving == 0


ACTIVE = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const cells = [...document.querySelectorAll(".cell > summary")];
  return { cell: cells.indexOf(at), tag: at.tagName, name: at.textContent.trim(),
           ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
           shown: at.checkVisibility() };
}"""


class TestKeyboard:
    @pytest.mark.parametrize("width", [360, 1280])
    def test_every_cell_is_reached_and_opens(self, opened: Opener, small: str, width: int) -> None:
        """Tab moves through the cells with a visible focus ring; Enter and Space open one."""
        page = opened(small, width=width)
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

    def test_a_cell_has_an_accessible_name(self, opened: Opener, small: str) -> None:
        """A screen reader reads the requirement, the target and the outcome."""
        tree = opened(small).locator("#LIST-3").aria_snapshot()

        assert "LIST-3 on api.siliconflow.cn: fails" in tree
        assert "LIST-3 on api.siliconflow.com: holds" in tree
        assert 'heading "LIST-3 a page with after begins behind the named batch must"' in tree

    def test_the_wire_log_and_the_script_are_reached(self, opened: Opener, small: str) -> None:
        """From a cell, Tab moves to the wire log and then to the script."""
        page = opened(small)
        page.locator("#LIST-3 .cell.fails > summary").focus()
        page.keyboard.press("Enter")
        for name in ("Wire log: 30 exchanges", "Script that repeats the failure"):
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert page.evaluate(ACTIVE)["name"] == name
            assert page.evaluate("document.activeElement.parentElement.open") is True

    def test_a_link_opens_its_failure(self, opened: Opener, small: str) -> None:
        """The link focuses the failure, even if the filter hides it."""
        page = opened(small)
        page.get_by_role("checkbox", name="holds").check()
        page.get_by_label("Search").fill("nothing is like this")
        assert shown(page) == set()

        page.get_by_role("link", name="LIST-3").focus()
        page.keyboard.press("Enter")

        page.locator("#LIST-3 .cell.fails > summary:focus").wait_for()
        assert page.locator("#LIST-3 .cell.fails .panel").is_visible()
        assert shown(page) == set(SMALL)

    def test_a_url_fragment_opens_its_failure(self, opened: Opener, small: str) -> None:
        """A link from another page opens the failure that it names."""
        page = opened(small, at="#UPLOAD-3")

        assert page.locator("#UPLOAD-3 .cell.fails .panel").is_visible()


class TestFilter:
    def test_everything_is_shown_at_first(self, opened: Opener, small: str) -> None:
        """Without a filter nothing is hidden."""
        page = opened(small)

        assert shown(page) == set(SMALL)
        assert page.get_by_role("status").inner_text() == "12 of 12 requirements"

    def test_filter_by_outcome(self, opened: Opener, small: str) -> None:
        """Two outcomes are combined by or; groups without a row are hidden."""
        page = opened(small)
        page.get_by_role("checkbox", name="fails").check()
        assert shown(page) == {"LIST-3", "RETRIEVE-2", "UPLOAD-3"}
        page.get_by_label("stale").check()

        assert shown(page) == {"CREATE-6", "LIST-3", "RETRIEVE-2", "UPLOAD-3"}
        assert page.locator(".group:visible").count() == 4
        assert page.get_by_role("status").inner_text() == "4 of 12 requirements"

    def test_filter_by_tier(self, opened: Opener, small: str) -> None:
        """A tier and an outcome are combined by and."""
        page = opened(small)
        page.get_by_role("checkbox", name="fails").check()
        page.get_by_label("should", exact=True).check()

        assert shown(page) == {"UPLOAD-3"}

    def test_filter_by_change(self, opened: Opener, small: str) -> None:
        """Unchanged requirements can be hidden."""
        page = opened(small)
        page.get_by_label("changed since the last run").check()

        assert "LIST-3" not in shown(page)
        assert {"RETRIEVE-2", "CANCEL-4", "AUTH-2", "UPLOAD-3"} <= shown(page)

    def test_search(self, opened: Opener, small: str) -> None:
        """A row matches if it contains all words, regardless of case."""
        page = opened(small)
        page.get_by_label("Search").press_sequentially("BEHIND named")
        assert shown(page) == {"LIST-3"}
        page.get_by_label("Search").fill("batch_kgtjntxirl")
        assert shown(page) == {"LIST-3"}
        page.get_by_label("Search").fill("<b>")

        assert shown(page) == {"RETRIEVE-2"}

    def test_a_search_without_results(self, opened: Opener, small: str) -> None:
        """The page shows a message and a button that shows everything again."""
        page = opened(small)
        page.get_by_label("Search").fill("no such word")
        assert page.get_by_text("No requirement matches.").is_visible()
        page.get_by_role("button", name="Show all").press("Enter")

        page.locator("#none").wait_for(state="hidden")
        assert shown(page) == set(SMALL)


class TestPrinting:
    def test_failures_are_printed_expanded(self, opened: Opener, small: str) -> None:
        """Failures are expanded and the filter is hidden while printing."""
        page = opened(small)
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")

        assert not page.locator("#filter").is_visible()
        for id in FAILING:
            assert page.locator(f"#{id} .panel:visible").count() >= 1, id
        assert page.locator("#LIST-2 .panel:visible").count() == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".panel:visible").count() == 0
