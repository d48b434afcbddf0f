"""The errors of a batch, in each shape that they might have. No document shows one."""

from typing import Any

import pytest

from contract.vendor_pages import read_pages
from siliconflow_batch.objects import Batch


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (None, []),
        ([], []),
        (["line 3 is not valid"], ["line 3 is not valid"]),
        ([{"line": 3}], ['{"line": 3}']),
        ({"object": "list", "data": [{"line": 3}, "a string"]}, ['{"line": 3}', "a string"]),
        ({"object": "list", "data": []}, []),
        ({"message": "a message"}, ['{"message": "a message"}']),
        ("a string", ["a string"]),
        (1, ["1"]),
    ],
    ids=str,
)
def test_errors_are_strings(errors: Any, expected: list[str]) -> None:
    """`errors` is a list of strings; an error that is not a string is returned as JSON."""
    body = read_pages()["create-batch.cn"].example("created").body

    assert Batch({**body, "errors": errors}).errors == expected
