"""A rule, and the functions that select arguments from one exchange alone."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..checks import Check
from ..checks.exchange import Exchange
from ..inventory import Inventory

Arguments = tuple[Any, ...]
Condition = Callable[[Exchange], bool]
Select = Callable[[Exchange, Inventory], Iterable[Arguments]]


class Rule(NamedTuple):
    """`select` returns the arguments of each call of `check` that is due; empty for none."""

    requirement: str
    select: Select
    check: Check


def when(condition: Condition, *more: Any) -> Select:
    """Selects the exchange, with `more` arguments, where a condition holds."""
    return lambda exchange, _: [(exchange, *more)] if condition(exchange) else []


def succeeded(*operations: str) -> Condition:
    return lambda exchange: exchange.succeeded and exchange.operation in operations
