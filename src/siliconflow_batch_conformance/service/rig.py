"""
What a run tests: a target, optionally a second account, and the clean-up around both.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Self

import httpx
from attrs import define, evolve

from ..requirements import NotJudged
from .budget import BATCHES, LINES, RATE, Budget
from .cleanup import CleanUp, clean_up
from .journal import Journal
from .prices import highest_price
from .target import Target

MODEL, OTHER_MODEL = "deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-R1"


class RigBroken(Exception):
    """The run cannot test the service, for example because it does not respond."""


@define
class Rig:
    """A service under test, used by one account and optionally by a second one, `stranger`."""

    target: Target
    stranger: Target | None = None
    other_model: str = OTHER_MODEL

    @classmethod
    def at(
        cls,
        base_url: str,
        key: str,
        key_2: str | None,
        *,
        writes: bool,
        patience: float,
        rate: float = RATE,
        unmetered: bool = False,
        models: tuple[str, str] = (MODEL, OTHER_MODEL),
    ) -> Self:
        """
        A rig for a service; `unmetered`: it costs nothing, so no limits apply.

        `models` are the model of the lines, and the one that replaces it.
        """
        budget = Budget(unmetered=unmetered, writes=writes, rate=rate)
        target = Target(
            base_url=base_url.rstrip("/"),
            key=key,
            budget=budget,
            model=models[0],
            patience=patience,
        )
        stranger = None
        if key_2:
            stranger = evolve(target, key=key_2, sender="stranger")
        return cls(target, stranger, models[1])

    @contextlib.contextmanager
    def journaled(self) -> Iterator[list[str]]:
        """
        Records every creation in a journal, and cancels unfinished batches on exit.

        Cleans up after dead runs first. Yields the list of messages, which grows on exit.
        """
        messages: list[str] = []
        with contextlib.ExitStack() as stack:
            for target in self.targets():
                journal = stack.enter_context(Journal.open(target.base_url, target.key))
                target.journal = journal
                messages += _clean_up(target, journal).notes()
            try:
                yield messages
            finally:
                for target in self.targets():
                    if target.journal is not None:
                        messages += _clean_up(target, target.journal).notes()

    def clean_up(self) -> CleanUp:
        """Cancels the unfinished batches of dead runs."""
        total = CleanUp()
        for target in self.targets():
            with Journal.open(target.base_url, target.key) as journal:
                outcome = _clean_up(target, journal)
                total.messages.extend(outcome.notes())
                total.left += outcome.left
        return total

    def targets(self) -> list[Target]:
        return [target for target in (self.target, self.stranger) if target is not None]

    @property
    def access(self) -> frozenset[str]:
        """What the run has, of `requirements.ACCESS`."""
        budget = self.target.budget
        has = {
            "writes": budget.writes or budget.unmetered,
            "second key": self.stranger is not None,
            "unmetered": budget.unmetered,
        }
        return frozenset(name for name, given in has.items() if given)

    def plan(self) -> str:
        """What the run may send, and its highest price."""
        budget = self.target.budget
        if budget.unmetered:
            return "without limits, for it costs nothing"
        if not budget.writes:
            return (
                "only reads and requests that must be rejected "
                "(--writes allows uploads and paid batches, --unmetered everything)"
            )
        # One batch replaces the model of its lines.
        lines = {self.target.model: (BATCHES - 1) * LINES, self.other_model: LINES}
        return f"at most {BATCHES} batches; {highest_price(lines, 16)}"

    @classmethod
    @contextlib.contextmanager
    def simulated(
        cls, faults: tuple[Any, ...] = (), models: tuple[str, str] = (MODEL, OTHER_MODEL)
    ) -> Iterator[Self]:
        """A rig with a simulator of its own, whose batches end within half a second."""
        from siliconflow_batch_simulator import Pace, Simulator

        pace = Pace(queued=0.1, running=0.1, finalizing=0.1, cancelling=0.1)
        keys = ("sk-conformance", "sk-stranger")
        with Simulator(keys=keys, faults=faults, pace=pace) as simulator:
            options: dict[str, Any] = {"patience": 5, "unmetered": True, "models": models}
            rig = cls.at(simulator.base_url, *keys, writes=True, **options)
            try:
                yield rig
            finally:
                rig.close()

    def check(self) -> None:
        """Raises `RigBroken` unless the service responds and accepts the key."""
        base_url = self.target.base_url
        try:
            response = self.target.page(limit=1)
        except httpx.HTTPError as error:
            raise RigBroken(f"{base_url} does not respond: {error}") from error
        except NotJudged as reason:
            raise RigBroken(f"{base_url} is too busy for a run: {reason}") from reason
        if response.status in (401, 403):
            raise RigBroken(
                f"{base_url} rejected the key with {response.status}. "
                "Set SILICONFLOW_API_KEY to a key of an account that may use batches."
            )
        if response.status == 404 or not response.text.lstrip().startswith(("{", "[", '"')):
            raise RigBroken(
                f"{base_url} is not a Batch API: GET /batches returned "
                f"{response.broken or f'{response.status} {response.text[:80]!r}'}. "
                "Does the base URL end in /v1?"
            )

    def close(self) -> None:
        for target in self.targets():
            target.close()


def _clean_up(target: Target, journal: Journal) -> CleanUp:
    budget = target.budget
    return clean_up(target.send_for_cleanup, journal, clock=budget.clock, sleep=budget.sleep)
