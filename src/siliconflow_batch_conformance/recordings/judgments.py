"""
The checks that cases applied, as a recording keeps them: checks by name, exchanges by number.

Rule: a recording can name the checks of the suite, and no other function is called.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define

from ..checks import Check, bad_inputs, bodies, history, pages, result_lines, shapes
from ..checks.exchange import Exchange

CHECKS: Mapping[str, Check] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in (shapes, bodies, history, pages, result_lines, bad_inputs)
    for name, function in vars(module).items()
    if getattr(function, "__module__", "") == module.__name__ and not name.startswith("_")
}
NAMES = {check: name for name, check in CHECKS.items()}


@define(frozen=True)
class Judgment:
    """A check that a case applied for a requirement, and its arguments."""

    requirement: str
    check: Check
    arguments: tuple[Any, ...]


def to_json(judgment: Judgment) -> dict[str, Any]:
    return {
        "requirement": judgment.requirement,
        "check": NAMES[judgment.check],
        "arguments": with_references(
            judgment.arguments, lambda exchange: {"$exchange": exchange.number}
        ),
    }


def from_json(value: Any, exchanges: Mapping[int, Exchange]) -> Judgment | None:
    """A judgment from a recording; None where its check or one of its exchanges is unknown."""
    try:
        arguments = _with_exchanges(value["arguments"], exchanges)
        return Judgment(str(value["requirement"]), CHECKS[value["check"]], tuple(arguments))
    except (KeyError, TypeError):
        return None


def with_references(value: Any, reference: Callable[[Exchange], Any]) -> Any:
    """Arguments of a check as JSON, with a reference for each exchange."""
    if isinstance(value, Exchange):
        return reference(value)
    if isinstance(value, list | tuple):
        return [with_references(item, reference) for item in value]
    if isinstance(value, dict):
        return {name: with_references(item, reference) for name, item in value.items()}
    return value


def _with_exchanges(value: Any, exchanges: Mapping[int, Exchange]) -> Any:
    if isinstance(value, list):
        return [_with_exchanges(item, exchanges) for item in value]
    if isinstance(value, dict) and value.keys() == {"$exchange"}:
        return exchanges[value["$exchange"]]
    if isinstance(value, dict):
        return {name: _with_exchanges(item, exchanges) for name, item in value.items()}
    return value
