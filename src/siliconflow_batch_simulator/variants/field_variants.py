"""
Variants of the fields of a batch that have no value, and of `errors`.

Rule: a variant that removes fields is the last in the table, because the others read them.
"""

import re
from collections.abc import Callable

from ..batches.lifecycle import Batch
from ..hooks import Replacement, replaces
from ..service.input_check import input_reason
from ..service.service import Service
from ..switches.altering import Body, Link, View, altering_batch
from ..switches.switchboard import Behaviour

OPTIONAL = ("finalizing_at", "cancelling_at", "cancelled_at")  # absent from the guide's example


def _altering_errors(change: Callable[[list[Body]], object]) -> Replacement:
    """`change` gets the errors of a failed batch as objects, and returns `errors`."""

    @replaces(Service.view)
    def view(original: View, service: Service, batch: Batch, link: Link) -> Body:
        body = original(batch, link)
        if body["errors"]:
            code = input_reason(service.storage.files[batch.input_file_id]).value
            body["errors"] = change([_error(text, code) for text in body["errors"]])
        return body

    return view


def _error(text: str, code: int) -> Body:
    """An error with the number of its line, or null for the file as a whole."""
    number, message = re.fullmatch(r"(?:line ([0-9]+): )?(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    return {"code": code, "message": message, "line": int(number) if number else None}


def _list_object(errors: list[Body]) -> Body:
    data = [{**error, "code": str(error["code"]), "param": None} for error in errors]
    return {"object": "list", "data": data}


def _zero_counts(body: Body, _: Batch) -> None:
    if body["request_counts"] is None:
        body["request_counts"] = {"total": 0, "completed": 0, "failed": 0}


def _without(body: Body, names: tuple[str, ...]) -> None:
    for name in names:
        if body[name] is None:
            del body[name]


VARIANTS = {
    "errors-as-objects-in-batch": Behaviour(
        "`errors` of a failed batch are objects with `code`, `message` and `line`",
        _altering_errors(lambda errors: errors),
        question="batch-errors",
    ),
    "errors-as-list-object": Behaviour(
        "`errors` of a failed batch is OpenAI's list object",
        _altering_errors(_list_object),
        question="batch-errors",
    ),
    "errors-empty-list": Behaviour(
        "`errors` is an empty list instead of null",
        altering_batch(lambda body, _: body.update(errors=body["errors"] or [])),
        question="no-errors",
    ),
    "counts-empty": Behaviour(
        "`request_counts` is an empty object instead of null",
        altering_batch(lambda body, _: body.update(request_counts=body["request_counts"] or {})),
        question="no-counts",
    ),
    "counts-zero": Behaviour(
        "`request_counts` has zeros instead of being null",
        altering_batch(_zero_counts),
        question="no-counts",
    ),
    "fields-missing": Behaviour(
        "optional times are missing instead of null",
        altering_batch(lambda body, _: _without(body, OPTIONAL)),
        question="optional-fields",
    ),
    "nulls-missing": Behaviour(
        "every field without a value is missing instead of null",
        altering_batch(lambda body, _: _without(body, tuple(body))),
        question="optional-fields",
    ),
}
