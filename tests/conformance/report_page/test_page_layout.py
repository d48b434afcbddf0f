"""The layout of the HTML report: its width, its colours, and its printed form."""

import pytest

from siliconflow_batch_conformance.reports import as_html
from support.report_browser import Opener, open_all
from support.report_runs import CATALOGUE, crowded_runs

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


class TestWidth:
    @pytest.mark.parametrize("width", [320, 360, 768, 1280])
    @pytest.mark.parametrize("expanded", [False, True])
    def test_nothing_is_wider_than_the_window(
        self, open_page: Opener, small: str, width: int, *, expanded: bool
    ) -> None:
        """The page does not scroll sideways, with cells closed or open."""
        page = open_page(small, width=width)
        if expanded:
            open_all(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDER) == []

    def test_a_crowded_page_fits_a_phone(self, open_page: Opener) -> None:
        """A page with hundreds of failures does not scroll sideways."""
        page = open_page(as_html(crowded_runs(), CATALOGUE), width=360)
        open_all(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= 360

    def test_narrow_cells_name_their_target(self, open_page: Opener, small: str) -> None:
        """On a narrow page without columns each cell shows its target."""
        where = "#LIST-3 .cell:first-of-type .where"

        assert open_page(small, width=360).locator(where).bounding_box()["width"] > 50  # type: ignore[index]
        assert open_page(small, width=1280).locator(where).bounding_box()["width"] <= 1  # type: ignore[index]


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
        self, open_page: Opener, small: str, scheme: str, width: int
    ) -> None:
        """The contrast with the background satisfies WCAG level AA."""
        page = open_page(small, scheme=scheme, width=width)
        open_all(page)
        texts = page.evaluate(COLOURS)

        assert len(texts) > 20
        for text in texts:
            assert set(text["fades"]) == {"1"}, text
            assert contrast(text["colour"], text["backs"]) >= 4.5, text

    def test_the_colour_scheme_is_followed(self, open_page: Opener, small: str) -> None:
        """The background is dark in the dark scheme and light in the light one."""
        back = "getComputedStyle(document.body).backgroundColor"

        assert luminance(parsed(open_page(small, scheme="dark").evaluate(back))[0]) < 0.05
        assert luminance(parsed(open_page(small, scheme="light").evaluate(back))[0]) > 0.9

    def test_there_are_no_animations(self, open_page: Opener, small: str) -> None:
        """With reduced motion there is no transition, animation or smooth scrolling."""
        moving = open_page(small).evaluate(
            "[document.documentElement, ...document.querySelectorAll('*')].filter((each) => {"
            "const style = getComputedStyle(each);"
            "return style.transitionDuration !== '0s' || style.animationName !== 'none'"
            " || style.scrollBehavior !== 'auto'}).length"
        )

        assert moving == 0


class TestPrinting:
    def test_failures_are_printed_expanded(self, open_page: Opener, small: str) -> None:
        """Failures are expanded and the filter is hidden while printing."""
        page = open_page(small)
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")

        assert not page.locator("#filter").is_visible()
        for id in FAILING:
            assert page.locator(f"#{id} .panel:visible").count() >= 1, id
        assert page.locator("#LIST-2 .panel:visible").count() == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".panel:visible").count() == 1  # that of the first failure
