"""
Judges every exchange by the rules, whether it comes from a case, schemathesis or a recording.

Rule 1: a response that only says "not now" (`BUSY`) is judged by its form alone.
Rule 2: objects that no earlier exchange showed are not compared with anything.
"""

from collections import Counter
from typing import Any

from attrs import define, field

from .checks import Check
from .checks.exchange import BEARER, Exchange
from .inventory import Inventory
from .recordings.judgments import Judgment
from .rules import MALFORMED, due


@define(frozen=True)
class Finding:
    """A requirement that did not hold, with the check and its arguments."""

    requirement: str
    check: Check
    arguments: tuple[Any, ...]
    actual: str


@define(eq=False)
class Observer:
    """
    `findings` are the requirements that did not hold, `judged` counts the checks by requirement,
    and `judgments` are the checks that cases applied themselves.
    """

    exchanges: list[Exchange] = field(factory=list)
    findings: list[Finding] = field(factory=list)
    judged: Counter[str] = field(factory=Counter)
    judgments: list[Judgment] = field(factory=list)
    inventory: Inventory = field(factory=Inventory)

    def observe(self, exchange: Exchange, *, settled: bool = False) -> None:
        """
        Judges an exchange by every rule that is due, and adds it to the inventory.

        `settled` says that the request will not be sent again: even "not now" is the final answer.
        """
        self.exchanges.append(exchange)
        for requirement, check, arguments in due(exchange, self.inventory, settled=settled):
            self.judge(requirement, check, *arguments)
        if exchange.authorization == BEARER or exchange.status == 200:
            self.inventory.add(exchange)

    def observe_lost_request(self, path: str) -> None:
        """Notes a request that got no response; the state of the batch in its path is unknown."""
        self.inventory.add_lost_request(path)

    def judge_for_case(self, requirement: str, check: Check, *arguments: Any) -> str | None:
        """As `judge`, for a check that a case applies; recordings keep it."""
        self.judgments.append(Judgment(requirement, check, arguments))
        return self.judge(requirement, check, *arguments)

    def judge(self, requirement: str, check: Check, *arguments: Any) -> str | None:
        """Returns what is wrong, and keeps it as a finding; None where the requirement holds."""
        try:
            actual = check(*arguments)
        except MALFORMED:
            return None  # the body has another shape, which is another requirement's failure
        self.judged[requirement] += 1
        if actual is not None:
            self.findings.append(Finding(requirement, check, arguments, actual))
        return actual
