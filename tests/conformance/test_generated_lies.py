"""The lies that are generated from the contract, and a sample of what the suite sees of them."""

from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.service import target
from support.generated_lies import Lie, lies, outcome, told

PAGE = Path(__file__).parents[2] / "docs" / "lies.md"
# A lie in each operation, with a requirement that fails.
SAMPLE = {
    Lie("POST /batches", ("input_file_id",), "another"): "CREATE-1",
    Lie("GET /batches", ("data", "*", "created_at"), "one more"): "LIST-9",
    Lie("GET /batches/{batch_id}", ("request_counts", "total"), "one more"): "COUNT-1",
    Lie("POST /batches/{batch_id}/cancel", ("status",), "another"): "CANCEL-1",
    Lie("POST /files", ("data", "bytes"), "zero"): "UPLOAD-2",
    Lie("GET /files", ("data", "data", "*", "line_count"), "one less"): "FILES-1",
}


@pytest.mark.parametrize(
    ("value", "place", "change", "wrong"),
    [
        ({"a": 1}, ("a",), "one more", {"a": 2}),
        ({"a": {"b": "x"}}, ("a", "b"), "null", {"a": {"b": None}}),
        ({"a": [{"b": "x"}, {"b": "y"}]}, ("a", "*", "b"), "empty", {"a": [{"b": ""}, {"b": ""}]}),
        ({"a": [1, 2]}, ("a",), "reversed", {"a": [2, 1]}),
        ({"a": True}, ("a",), "the opposite", {"a": False}),
    ],
)
def test_a_lie_changes_one_value(
    value: Any, place: tuple[str, ...], change: str, wrong: Any
) -> None:
    """The value at the place, in each item of a list, and nothing else."""
    assert told(value, place, change) == (wrong, True)


@pytest.mark.parametrize(
    ("value", "place"), [({"a": None}, ("a",)), ({}, ("a",)), ({"a": []}, ("a", "*", "b"))]
)
def test_what_is_not_there_is_no_lie(value: Any, place: tuple[str, ...]) -> None:
    """A value that is null or missing stays so."""
    assert told(value, place, "another") == (value, False)


def test_every_lie_has_another_name_and_an_operation() -> None:
    """The sample is among them, and each operation with a JSON response has some."""
    names = [*lies()]

    assert {*SAMPLE} <= {*names}
    assert {lie.operation for lie in names} == {lie.operation for lie in SAMPLE}


@pytest.mark.parametrize(("lie", "requirement"), SAMPLE.items(), ids=map(str, SAMPLE))
def test_a_lie_is_caught(
    lie: Lie,
    requirement: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The requirement on the value fails."""
    monkeypatch.setattr(target, "LIST_LAG", target.LIST_LAG)  # it changes, and is restored
    with capsys.disabled():
        result = outcome(lie)

    assert result.told
    assert requirement in result.failed


def test_the_page_lists_lies_that_exist() -> None:
    """Each row of docs/lies.md is a lie of the contract as it is now."""
    page = PAGE.read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith(("- ", "| ")) and "`: " in row]
    known = {str(lie) for lie in lies()}

    assert len(rows) > 100
    named = {row[2:].partition(" |")[0] for row in rows}
    assert {one.partition(" (")[0] for one in named} <= known
