"""
Choices of a run, and each way through them.

A run asks `pick` wherever something can happen in more than one way. `trails` repeats the run until
each way was taken once: it is the same up to the last choice that has an option left.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

from attrs import define, field

Option = TypeVar("Option")


@define
class Choices:
    """The choices of one run: `fixed` for the first ones, then the first option of each."""

    fixed: tuple[int, ...] = ()
    taken: list[int] = field(factory=list)
    _counts: list[int] = field(factory=list)
    names: list[str] = field(factory=list)

    def pick(self, options: Sequence[Option]) -> Option:
        place = len(self.taken)
        number = self.fixed[place] if place < len(self.fixed) else self._free(len(options))
        self.taken.append(number)
        self._counts.append(len(options))
        self.names.append(str(options[number]))
        return options[number]

    def _free(self, _: int) -> int:
        return 0

    @property
    def is_new(self) -> bool:
        """Whether no earlier run has had these choices so far."""
        return len(self.taken) >= len(self.fixed)

    def next(self) -> tuple[int, ...] | None:
        """The choices that the next run begins with; None if there is no other way."""
        for place in range(len(self.taken) - 1, -1, -1):
            if self.taken[place] + 1 < self._counts[place]:
                return (*self.taken[:place], self.taken[place] + 1)
        return None


def trails() -> Iterator[Choices]:
    """The choices of each run; the caller makes the run before it asks for the next ones."""
    fixed: tuple[int, ...] | None = ()
    while fixed is not None:
        choices = Choices(fixed)
        yield choices
        fixed = choices.next()


@define
class Drawn(Choices):
    """Choices that are drawn; the first option, which is mostly the plain one, more often."""

    random: Random = field(kw_only=True)
    plain: float = field(default=0.3, kw_only=True)

    def _free(self, count: int) -> int:
        return 0 if self.random.random() < self.plain else self.random.randrange(count)
