"""
Checks that the fields of a generated model have their declared types, at every level.

Rule: the types are read from the annotations of the generated models, and are written nowhere else.
"""

import builtins
from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from attrs import fields, has

from siliconflow_batch_api import models, types

Check = Callable[[Any], bool] | None
# The exact types that a value may have (True is not an int), and a further check for each.
Shape = dict[type, Check]

YEAR_10000 = 253_402_300_800  # Unix seconds; a greater number has another unit
NAMES = {**vars(models), **vars(types), **vars(builtins), "Any": Any}


def fits(value: Any, model: Any) -> bool:
    """Whether `value` is a `model` whose fields have their declared types."""
    return _matches(value, _shape(model))


def _matches(value: Any, shape: Shape) -> bool:
    kind = value.__class__
    if kind not in shape:
        return False
    check = shape[kind]
    return check is None or check(value)


@cache
def _shape(hint: Any) -> Shape:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return {kind: check for option in get_args(hint) for kind, check in _shape(option).items()}
    if origin is list:
        if get_args(hint)[0] is Any:
            return {list: None}
        inner = _shape(get_args(hint)[0])
        return {list: lambda items: all(_matches(item, inner) for item in items)}
    if hint is models.BatchMetadata:
        return {hint: _are_strings}
    if hint is models.BatchErrorList:
        return {hint: None}  # no document describes it
    return {hint: _fields_of(hint) if has(hint) else None}


def _fields_of(model: Any) -> Check:
    hints = get_type_hints(model, globalns=NAMES)
    names = [entry.name for entry in fields(model) if entry.init]
    shapes = [
        _time(_shape(hints[name])) if name.endswith("_at") else _shape(hints[name])
        for name in names
    ]
    values_of = attrgetter(*names, names[0])  # at least two names, so that it returns a tuple

    @lru_cache(1_000)
    def further_checks(types: tuple[type, ...]) -> list[tuple[int, Callable[[Any], bool]]] | None:
        """The further checks for values of these types; None if one type is not declared."""
        pairs = list(enumerate(zip(types, shapes, strict=False)))
        if any(kind not in shape for _, (kind, shape) in pairs):
            return None
        checks = [(index, shape[kind]) for index, (kind, shape) in pairs]
        return [(index, check) for index, check in checks if check is not None]

    def check(value: Any) -> bool:
        values = values_of(value)
        checks = further_checks(tuple(map(type, values)))
        return checks is not None and all(check(values[index]) for index, check in checks)

    return check


def _time(shape: Shape) -> Shape:
    return {**shape, int: lambda seconds: 0 <= seconds < YEAR_10000}


def _are_strings(metadata: models.BatchMetadata) -> bool:
    return all(isinstance(value, str) for value in metadata.additional_properties.values())
