"""
Whether a generated model holds what it declares, down to the leaves.

Rule: what is declared is read off the generated models, once, and stands nowhere else.
"""

import builtins
from collections.abc import Callable
from functools import cache
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
        inner = _shape(get_args(hint)[0])
        return {list: lambda items: all(_is(item, inner) for item in items)}
    if hint is models.BatchMetadata:
        return {hint: _are_strings}
    return {hint: _fields_of(hint) if has(hint) else None}


def _fields_of(model: Any) -> Check:
    hints = get_type_hints(model, globalns=NAMES)
    rows = [
        (entry.name, _time(shape) if entry.name.endswith("_at") else shape)
        for entry in fields(model)
        if entry.init
        for shape in [_shape(hints[entry.name])]
    ]

    def check(value: Any) -> bool:
        return all(_is(getattr(value, name), shape) for name, shape in rows)

    return check


def _time(shape: Shape) -> Shape:
    return {**shape, int: lambda seconds: 0 <= seconds < YEAR_10000}


def _are_strings(notes: models.BatchMetadata) -> bool:
    return all(isinstance(note, str) for note in notes.additional_properties.values())
