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

# Every text with the colour of its letters and the colours behind it, from the front to the back.
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
    """Opens a page as a file: `opened(html, width=…, scheme=…)`; what it says wrong fails."""
    contexts, wrong, asked = [], [], []

    def open_page(text: str, *, width: int = 1280, scheme: Any = "light", at: str = "") -> Page:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        page.goto(path.as_uri() + at)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong
    assert set(asked) <= {(tmp_path / "report.html").as_uri()}


@pytest.fixture(scope="module")
def small() -> str:
    """Three targets and a dozen requirements, with every outcome there is."""
    return as_html(three_runs(SMALL), SMALL, last_runs(SMALL), scripts=SCRIPTS)


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")


def shown(page: Page) -> set[str]:
    """The ids of the requirements that the filter leaves."""
    ids: list[str] = page.evaluate(
        "[...document.querySelectorAll('.row')].filter((row) => row.checkVisibility())"
        ".map((row) => row.id)"
    )
    return set(ids)


class TestOffline:
    def test_the_page_is_all_there_is(self, opened: Opener, small: str) -> None:
        """Nothing is asked of any network, opened or not, and no word of a service runs."""
        page = opened(small)
        open_all(page)

        assert page.evaluate("performance.getEntriesByType('resource').length") == 0
        assert page.evaluate("window.broken") is None
        assert page.locator(".row").count() == len(SMALL)

    def test_the_policy_stops_what_would_get_in(
        self, browser: Browser, small: str, tmp_path: Path
    ) -> None:
        """Should escaping ever fail, the page's own policy still runs no foreign script."""
        foreign = "<script>window.broken = true</script><footer>"
        path = tmp_path / "report.html"
        path.write_text(small.replace("<footer>", foreign), encoding="utf-8")
        page = browser.new_page()
        page.goto(path.as_uri())

        assert page.locator("script").count() == 2
        assert page.evaluate("window.broken") is None
        assert page.locator("#filter").is_visible(), "the page's own script has run"
        page.close()

    def test_a_page_without_scripts_still_opens(self, browser: Browser, small: str) -> None:
        """Cells are the browser's own; only the filter needs the script."""
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.set_content(small)
        page.locator("#LIST-3 .cell.fails > summary").click()

        assert page.locator("#LIST-3").get_by_text("actual", exact=True).is_visible()
        assert not page.locator("#filter").is_visible()
        context.close()


class TestWidth:
    @pytest.mark.parametrize("width", [320, 360, 768, 1280])
    @pytest.mark.parametrize("unfolded", [False, True])
    def test_nothing_is_wider_than_the_window(
        self, opened: Opener, small: str, width: int, *, unfolded: bool
    ) -> None:
        """No line, body or table makes the page scroll sideways, folded or not."""
        page = opened(small, width=width)
        if unfolded:
            open_all(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDER) == []

    def test_a_crowded_page_fits_a_phone(self, opened: Opener) -> None:
        """Hundreds of failures are no wider than one."""
        page = opened(as_html(crowded_runs(), CATALOGUE), width=360)
        open_all(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= 360

    def test_a_phone_names_the_target_in_each_cell(self, opened: Opener, small: str) -> None:
        """Where the columns are gone, the cells say whose they are."""
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
    letters, opacity = parsed(colour)
    assert opacity == 1
    light, dark = sorted((luminance(letters), luminance(behind)), reverse=True)[:2]
    return (light + 0.05) / (dark + 0.05)


class TestColours:
    def test_the_measure_is_the_standards(self) -> None:
        """Black on white is 21, and #767676 is the lightest grey of 4.5."""
        assert contrast("rgb(0, 0, 0)", ["rgba(0, 0, 0, 0)"]) == pytest.approx(21)
        assert contrast("rgb(118, 118, 118)", ["rgb(255, 255, 255)"]) == pytest.approx(4.54, 0.01)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 1280])
    def test_every_text_can_be_read(
        self, opened: Opener, small: str, scheme: str, width: int
    ) -> None:
        """Each text has the contrast of WCAG's level AA against what is behind it."""
        page = opened(small, scheme=scheme, width=width)
        open_all(page)
        texts = page.evaluate(COLOURS)

        assert len(texts) > 20
        for text in texts:
            assert set(text["fades"]) == {"1"}, text
            assert contrast(text["colour"], text["backs"]) >= 4.5, text

    def test_dark_is_dark(self, opened: Opener, small: str) -> None:
        """The page follows the reader's scheme."""
        back = "getComputedStyle(document.body).backgroundColor"

        assert luminance(parsed(opened(small, scheme="dark").evaluate(back))[0]) < 0.05
        assert luminance(parsed(opened(small, scheme="light").evaluate(back))[0]) > 0.9

    def test_nothing_moves(self, opened: Opener, small: str) -> None:
        """No transition, animation or smooth scrolling, least of all where that is asked for."""
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
        """Tab goes through the cells in order, with a ring to be seen; Enter and Space open one."""
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

    def test_a_cell_says_whose_it_is(self, opened: Opener, small: str) -> None:
        """What is read aloud names the requirement, the target and the outcome."""
        tree = opened(small).locator("#LIST-3").aria_snapshot()

        assert "LIST-3 on api.siliconflow.cn: fails" in tree
        assert "LIST-3 on api.siliconflow.com: holds" in tree
        assert 'heading "LIST-3 a page with after begins behind the named batch must"' in tree

    def test_a_failure_can_be_read_to_its_end(self, opened: Opener, small: str) -> None:
        """From the cell, Tab leads into the wire log and the script."""
        page = opened(small)
        page.locator("#LIST-3 .cell.fails > summary").focus()
        page.keyboard.press("Enter")
        for name in ("Wire log: 30 exchanges", "Script that repeats it"):
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert page.evaluate(ACTIVE)["name"] == name
            assert page.evaluate("document.activeElement.parentElement.open") is True

    def test_a_link_leads_to_the_failure(self, opened: Opener, small: str) -> None:
        """A failure's link opens it and puts the focus there, also when the filter hides it."""
        page = opened(small)
        page.get_by_role("checkbox", name="holds").check()
        page.get_by_label("Search").fill("nothing is like this")
        assert shown(page) == set()

        page.get_by_role("link", name="LIST-3").focus()
        page.keyboard.press("Enter")

        page.locator("#LIST-3 .cell.fails > summary:focus").wait_for()
        assert page.locator("#LIST-3 .cell.fails .panel").is_visible()
        assert shown(page) == set(SMALL)

    def test_an_address_leads_to_a_failure(self, opened: Opener, small: str) -> None:
        """A link from elsewhere opens what it names."""
        page = opened(small, at="#UPLOAD-3")

        assert page.locator("#UPLOAD-3 .cell.fails .panel").is_visible()


class TestFilter:
    def test_all_is_shown_at_first(self, opened: Opener, small: str) -> None:
        """Nothing is hidden that nobody asked to hide."""
        page = opened(small)

        assert shown(page) == set(SMALL)
        assert page.get_by_role("status").inner_text() == "12 of 12 requirements"

    def test_outcomes_are_chosen(self, opened: Opener, small: str) -> None:
        """Two outcomes are one or the other; groups without a row go."""
        page = opened(small)
        page.get_by_role("checkbox", name="fails").check()
        assert shown(page) == {"LIST-3", "RETRIEVE-2", "UPLOAD-3"}
        page.get_by_label("stale").check()

        assert shown(page) == {"CREATE-6", "LIST-3", "RETRIEVE-2", "UPLOAD-3"}
        assert page.locator(".group:visible").count() == 4
        assert page.get_by_role("status").inner_text() == "4 of 12 requirements"

    def test_tiers_are_chosen(self, opened: Opener, small: str) -> None:
        """A tier goes with an outcome."""
        page = opened(small)
        page.get_by_role("checkbox", name="fails").check()
        page.get_by_label("should", exact=True).check()

        assert shown(page) == {"UPLOAD-3"}

    def test_changes_are_chosen(self, opened: Opener, small: str) -> None:
        """What is as it was can be left out."""
        page = opened(small)
        page.get_by_label("changed since the last run").check()

        assert "LIST-3" not in shown(page)
        assert {"RETRIEVE-2", "CANCEL-4", "AUTH-2", "UPLOAD-3"} <= shown(page)

    def test_text_is_searched(self, opened: Opener, small: str) -> None:
        """Every word counts, wherever it stands, in capitals or not."""
        page = opened(small)
        page.get_by_label("Search").press_sequentially("BEHIND named")
        assert shown(page) == {"LIST-3"}
        page.get_by_label("Search").fill("batch_kgtjntxirl")
        assert shown(page) == {"LIST-3"}
        page.get_by_label("Search").fill("<b>")

        assert shown(page) == {"RETRIEVE-2"}

    def test_nothing_found_is_said(self, opened: Opener, small: str) -> None:
        """An empty page explains itself, and one press shows all again."""
        page = opened(small)
        page.get_by_label("Search").fill("no such word")
        assert page.get_by_text("No requirement is like that.").is_visible()
        page.get_by_role("button", name="Show all").press("Enter")

        page.locator("#none").wait_for(state="hidden")
        assert shown(page) == set(SMALL)


class TestPaper:
    def test_failures_are_printed_open(self, opened: Opener, small: str) -> None:
        """Paper has the failures with their facts, no filter, and the screen is as it was."""
        page = opened(small)
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")

        assert not page.locator("#filter").is_visible()
        for id in FAILING:
            assert page.locator(f"#{id} .panel:visible").count() >= 1, id
        assert page.locator("#LIST-2 .panel:visible").count() == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".panel:visible").count() == 0
