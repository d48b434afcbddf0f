"""
What a case judged, as a recording keeps it: the check by its name, exchanges by their numbers.

Rule: a recording names checks of the suite, and nothing else of it is called.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define

from ..checks import Check, bad_inputs, bodies, history, pages, result_lines, shapes
from ..checks.exchange import Exchange

CHECKS: Mapping[str, Check] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": check
    for module in (shapes, bodies, history, pages, result_lines, bad_inputs)
    for name, check in vars(module).items()
    if getattr(check, "__module__", "") == module.__name__ and not name.startswith("_")
}
NAMES = {check: name for name, check in CHECKS.items()}


@define(frozen=True)
class Judgment:
    """A check that a case applied for a requirement, and what to."""

    requirement: str
    check: Check
    arguments: tuple[Any, ...]


def told(judgment: Judgment) -> dict[str, Any]:
    """A judgment as JSON."""
    return {
        "requirement": judgment.requirement,
        "check": NAMES[judgment.check],
        "arguments": referring(judgment.arguments, lambda one: {"$exchange": one.number}),
    }


def heard(told: Any, exchanges: Mapping[int, Exchange]) -> Judgment | None:
    """The judgment again; None where its check or one of its exchanges is not known."""
    try:
        arguments = _resolved(told["arguments"], exchanges)
        return Judgment(str(told["requirement"]), CHECKS[told["check"]], tuple(arguments))
    except (KeyError, TypeError):
        return None


def referring(value: Any, reference: Callable[[Exchange], Any]) -> Any:
    """Arguments of a check as JSON, with a reference in the place of each exchange."""
    if isinstance(value, Exchange):
        return reference(value)
    if isinstance(value, list | tuple):
        return [referring(item, reference) for item in value]
    if isinstance(value, dict):
        return {name: referring(item, reference) for name, item in value.items()}
    return value


def _resolved(value: Any, exchanges: Mapping[int, Exchange]) -> Any:
    if isinstance(value, list):
        return [_resolved(item, exchanges) for item in value]
    if isinstance(value, dict) and value.keys() == {"$exchange"}:
        return exchanges[value["$exchange"]]
    if isinstance(value, dict):
        return {name: _resolved(item, exchanges) for name, item in value.items()}
    return value
