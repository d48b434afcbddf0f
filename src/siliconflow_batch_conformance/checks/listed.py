"""
Two lists that should be equal, as what a check returns.

Rule: this module imports the standard library only, because scripts carry it.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

Row = tuple[str | None, str | None]


class Differ(str):
    """The two lists in one line; `expected` and `actual` are their items."""

    __slots__ = ("actual", "expected")
    expected: list[str]
    actual: list[str]


def differ(actual: Sequence[str], expected: Sequence[str]) -> Differ | None:
    """None for equal lists."""
    if list(actual) == list(expected):
        return None
    text = Differ(f"{list(actual)}, not {list(expected)}")
    text.expected, text.actual = list(expected), list(actual)
    return text


def side_by_side(expected: Sequence[str], actual: Sequence[str]) -> list[Row]:
    """Rows of an expected and an actual item; None where one of them is missing."""
    rows: list[Row] = []
    matcher = SequenceMatcher(None, expected, actual, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            rows += zip(expected[i:j], actual[k:m], strict=True)
        else:
            rows += [(item, None) for item in expected[i:j]]
            rows += [(None, item) for item in actual[k:m]]
    return rows
