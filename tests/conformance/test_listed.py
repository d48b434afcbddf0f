"""Two lists that differ, as a check returns them."""

import pytest

from siliconflow_batch_conformance.checks.listed import differ, side_by_side
from siliconflow_batch_conformance.verdicts import rows_of


@pytest.mark.parametrize(
    ("expected", "actual", "rows"),
    [
        ("", "", []),
        ("ab", "ab", [("a", "a"), ("b", "b")]),
        ("abc", "ac", [("a", "a"), ("b", None), ("c", "c")]),
        ("ac", "abc", [("a", "a"), (None, "b"), ("c", "c")]),
        ("ab", "ba", [(None, "b"), ("a", "a"), ("b", None)]),
        ("a", "aa", [("a", "a"), (None, "a")]),
        ("ab", "", [("a", None), ("b", None)]),
        ("a", "b", [("a", None), (None, "b")]),
    ],
)
def test_rows(expected: str, actual: str, rows: list[tuple[str | None, str | None]]) -> None:
    """Equal items share a row; the columns are the two lists."""
    assert side_by_side(expected, actual) == rows
    assert "".join(one for one, _ in rows if one) == expected
    assert "".join(one for _, one in rows if one) == actual


def test_a_difference_is_a_text_with_both_lists() -> None:
    """Reports without room for a table print it in one line."""
    assert differ(["a"], ["a"]) is None
    assert differ(["a", "x"], ["a", "b"]) == "['a', 'x'], not ['a', 'b']"


def test_rows_have_no_key() -> None:
    """A service may put the key into an id."""
    difference = differ(["sk-secret-1"], ["a"])
    assert difference is not None

    assert rows_of(difference, ["sk-secret"]) == (("a", None), (None, "…-1"))
    assert rows_of("another text") == ()
