"""Helpers for the HTML report in a browser."""

from collections.abc import Callable

from playwright.sync_api import Page

Opener = Callable[..., Page]


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")


def shown(page: Page) -> set[str]:
    """The ids of the requirements that the filter shows."""
    ids: list[str] = page.evaluate(
        "[...document.querySelectorAll('.row')].filter((row) => row.checkVisibility())"
        ".map((row) => row.id)"
    )
    return set(ids)
