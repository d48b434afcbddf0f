"""
What a run needs: a target, perhaps a second account, and the words for the report.
"""

import contextlib
from collections.abc import Iterator
from typing import Self

import httpx
from attrs import define, evolve

from .target import Target, is_loopback

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
        cls, base_url: str, key: str, key_2: str | None, *, writes: bool, patience: float
    ) -> Self:
        allowed = writes or is_loopback(base_url)
        target = Target(base_url.rstrip("/"), key, MODEL, patience, allowed)
        stranger = None
        if key_2:
            stranger = evolve(target, key=key_2, sender="stranger")
        return cls(target, stranger)

    @classmethod
    @contextlib.contextmanager
    def simulated(cls, faults: tuple[str, ...] = ()) -> Iterator[Self]:
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
        for target in (self.target, self.stranger):
            if target is not None:
                target.close()
