"""
Whether a generated model holds what it declares, down to the leaves.

Rule: what is declared is read off the generated models, once, and stands nowhere else.
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
# The types that a value may have, exactly (true is no number), and what else must be true of it.
Shape = dict[type, Check]

YEAR_10000 = 253_402_300_800  # Unix seconds; what lies beyond is no time but another unit
NAMES = {**vars(models), **vars(types), **vars(builtins), "Any": Any}


def fits(value: Any, model: Any) -> bool:
    """Whether `value` is a sound `model`."""
    return _is(value, _shape(model))


def _is(value: Any, shape: Shape) -> bool:
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
        return {list: lambda items: all(_is(item, inner) for item in items)}
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
    values_of = attrgetter(*names, names[0])  # of two names at least, which makes a tuple

    @lru_cache(1_000)
    def deeper(kinds: tuple[type, ...]) -> list[tuple[int, Callable[[Any], bool]]] | None:
        """What is left to check of values of these types; None where one is not declared."""
        rows = list(enumerate(zip(kinds, shapes, strict=False)))
        if any(kind not in shape for _, (kind, shape) in rows):
            return None
        checks = [(place, shape[kind]) for place, (kind, shape) in rows]
        return [(place, check) for place, check in checks if check is not None]

    def check(value: Any) -> bool:
        values = values_of(value)
        left = deeper(tuple(map(type, values)))
        return left is not None and all(check(values[place]) for place, check in left)

    return check


def _time(shape: Shape) -> Shape:
    return {**shape, int: lambda seconds: 0 <= seconds < YEAR_10000}


def _are_strings(notes: models.BatchMetadata) -> bool:
    return all(isinstance(note, str) for note in notes.additional_properties.values())
