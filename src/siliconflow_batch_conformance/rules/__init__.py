"""
When each check is due: one table, a rule in each row.

A rule names a requirement, a function that selects arguments from an exchange and from what earlier
exchanges showed, and the check to call with them. The rules are in three modules, by what they look
at: one response, batches and files that were seen before, and result files.

Rule: nothing outside this table says when a check is due.
"""

from collections.abc import Iterator

from ..checks import Check
from ..checks.exchange import BEARER, Exchange
from ..inventory import Inventory
from . import object_rules, response_rules, result_rules
from .rule import Arguments, Rule

# Statuses that say nothing about the request itself: sent again, it may succeed.
BUSY = frozenset({403, 429, 500, 502, 503, 504})
# What a check raises on a body of another shape.
MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError)

ON_EVERY_RESPONSE = response_rules.FORM
ON_WRONG_KEYS = response_rules.WRONG_KEYS
ON_ANSWERED_REQUESTS = (
    *response_rules.REFUSALS,
    *object_rules.RULES,
    *result_rules.RULES,
)
RULES: tuple[Rule, ...] = (*ON_EVERY_RESPONSE, *ON_WRONG_KEYS, *ON_ANSWERED_REQUESTS)
OBSERVED = list(dict.fromkeys(rule.requirement for rule in RULES))
# Traffic can show that these fail; only a case that looks for it can show that they hold.
SHOWN_BY_CASES = ("CREATE-20", "LIST-3", "LIST-4", "LIST-5", "LIST-10", "RETRIEVE-4", "RESULT-9")


def due(
    exchange: Exchange, inventory: Inventory, *, settled: bool = False
) -> Iterator[tuple[str, Check, Arguments]]:
    """The checks that are due on an exchange: requirement, check and arguments."""
    for rule in _rules_for(exchange, settled=settled):
        for arguments in rule.select(exchange, inventory):
            yield rule.requirement, rule.check, arguments


def _rules_for(exchange: Exchange, *, settled: bool) -> Iterator[Rule]:
    yield from ON_EVERY_RESPONSE
    if exchange.status in BUSY and not settled:
        return
    if exchange.operation and exchange.authorization != BEARER:
        yield from ON_WRONG_KEYS
    else:
        yield from ON_ANSWERED_REQUESTS
