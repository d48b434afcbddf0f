"""The HTML report in a browser, the Chromium of this machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from siliconflow_batch_conformance.reports import as_html
from support.report_browser import Opener
from support.report_runs import SCRIPTS, SMALL, last_runs, three_runs
from support.required_tools import required_tool


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = required_tool("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root in a container.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a page from a file: `open_page(html, width=…, scheme=…)`; its errors fail the test."""
    contexts, errors, requests = [], [], []

    def open_in_browser(
        text: str, *, width: int = 1280, scheme: Any = "light", at: str = ""
    ) -> Page:
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

    yield open_in_browser
    for context in contexts:
        context.close()
    assert not errors
    assert set(requests) <= {(tmp_path / "report.html").as_uri()}


@pytest.fixture(scope="module")
def small() -> str:
    """A page with three targets, a dozen requirements and all outcomes."""
    return as_html(three_runs(SMALL), SMALL, last_runs(SMALL), scripts=SCRIPTS)
