"""The errors of a batch, in each shape that they might have. No document shows one."""

from typing import Any

import pytest

from contract.vendor_pages import read_pages
from siliconflow_batch.objects import Batch
from siliconflow_batch.transport.typecheck import fits
from siliconflow_batch_api import models


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (None, []),
        ([], []),
        (["line 3 is not valid"], ["line 3 is not valid"]),
        ([{"line": 3}], ['{"line": 3}']),
        ({"object": "list", "data": [{"line": 3}, "a string"]}, ['{"line": 3}', "a string"]),
        ({"message": "a message"}, ['{"message": "a message"}']),
    ],
    ids=str,
)
def test_errors_are_strings(errors: Any, expected: list[str]) -> None:
    """`errors` is a list of strings; an error that is not a string is returned as JSON."""
    body = read_pages()["create-batch.cn"].example("created").body
    model = models.Batch.from_dict({**body, "errors": errors})

    assert fits(model, models.Batch)
    assert Batch(model).errors == expected


@pytest.mark.parametrize("errors", ["a string", 1, False])
def test_other_types_do_not_fit(errors: Any) -> None:
    """A batch whose `errors` are neither null, a list nor an object does not have its type."""
    body = read_pages()["create-batch.cn"].example("created").body

    assert not fits(models.Batch.from_dict({**body, "errors": errors}), models.Batch)
