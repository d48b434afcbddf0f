"""
What a run needs: a target, perhaps a second account, and the words for the report.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Self

import httpx
from attrs import define, evolve

from ..requirements import NotJudged
from .budget import BATCHES, LINES, RATE, Budget, is_loopback, price
from .cleanup import Cleaned, clean_up
from .journal import Journal, digest
from .target import Target

MODEL, OTHER_MODEL = "deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-R1"


class RigBroken(Exception):
    """The run cannot say anything about the service: nobody answers, or the key is not taken."""


@define
class Rig:
    """A service under test, seen by one account and, where there is one, by a stranger."""

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
    ) -> Self:
        budget = Budget(loopback=is_loopback(base_url), writes=writes, rate=rate)
        target = Target(
            base_url=base_url.rstrip("/"), key=key, budget=budget, model=MODEL, patience=patience
        )
        stranger = None
        if key_2:
            stranger = evolve(target, key=key_2, sender="stranger")
        return cls(target, stranger)

    @contextlib.contextmanager
    def journaled(self) -> Iterator[list[str]]:
        """
        Writes every creation down, and cancels what is unfinished in the end, whatever happens.

        What dead runs left is cancelled first. Yields the words about what was done.
        """
        said: list[str] = []
        with contextlib.ExitStack() as stack:
            for target in self.targets():
                journal = stack.enter_context(Journal.open(target.base_url, digest(target.key)))
                target.journal = journal
                said += self._clean(target, journal).said
            try:
                yield said
            finally:
                for target in self.targets():
                    if target.journal is not None:
                        said += self._clean(target, target.journal).said

    def clean_up(self) -> Cleaned:
        """Cancels what dead runs left unfinished, and does nothing else."""
        cleaned = Cleaned()
        for target in self.targets():
            with Journal.open(target.base_url, digest(target.key)) as journal:
                found = self._clean(target, journal)
                cleaned.said.extend(found.said)
                cleaned.left += found.left
        return cleaned

    def _clean(self, target: Target, journal: Journal) -> Cleaned:
        return clean_up(target.send_plainly, journal)

    def targets(self) -> list[Target]:
        return [target for target in (self.target, self.stranger) if target is not None]

    def price(self) -> str:
        """What a run with writes costs at most."""
        return price(BATCHES * LINES, 16, MODEL)

    @classmethod
    @contextlib.contextmanager
    def simulated(cls, faults: tuple[Any, ...] = ()) -> Iterator[Self]:
        """A rig around a simulator of its own, quick enough that nobody waits."""
        from siliconflow_batch_simulator import Pace, Simulator

        pace = Pace(queued=0.1, running=0.1, finalizing=0.1, cancelling=0.1)
        keys = ("sk-conformance", "sk-stranger")
        with Simulator(keys=keys, faults=faults, pace=pace) as simulator:
            rig = cls.at(simulator.base_url, *keys, writes=True, patience=5)
            try:
                yield rig
            finally:
                rig.close()

    def check(self) -> None:
        """Raises `RigBroken` unless the service answers and takes the key."""
        try:
            answer = self.target.page(limit=1)
        except httpx.HTTPError as error:
            raise RigBroken(f"{self.target.base_url} does not answer: {error}") from error
        except NotJudged as reason:
            raise RigBroken(f"{self.target.base_url} has no time for a run: {reason}") from reason
        if answer.status in (401, 403):
            raise RigBroken(
                f"{self.target.base_url} does not take the key: {answer.status}. "
                "Set SILICONFLOW_API_KEY to a key of an account that may use batches."
            )
        if answer.status == 404 or not answer.text.lstrip().startswith(("{", "[", '"')):
            raise RigBroken(
                f"{self.target.base_url} is no Batch API: GET /batches is answered with "
                f"{answer.status} {answer.text[:80]!r}. Does the base URL end in /v1?"
            )

    def close(self) -> None:
        for target in self.targets():
            target.close()
