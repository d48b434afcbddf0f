"""
Walks through every schedule of a case: each way through a process, and through those after it.

Rule 1: a process can die after each of its steps, and before the first. What it leaves is the world
of the next one, which starts at once, or two hours later, or, with an idempotency key, on another
machine.
Rule 2: worlds that are the same for every process to come are walked through once, and counted as
often as they occur.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from attrs import define, evolve, field

from siliconflow_batch.retries import Patience
from siliconflow_batch.steps import Flow

from .account_model import account
from .choice_trails import Choices, Drawn, trails
from .list_shapes import Listing
from .model_processes import End, Killed, ModelProcess
from .model_world import HOURS, Events, Mode, ModelRecord, World
from .promises import broken

MOST_TOLD = 20
KILLED, MOST_STEPS = 0.5, 30  # how often a drawn process is killed, and before which step
Driver: TypeAlias = Callable[[ModelProcess], Callable[[Flow[Any]], Any]]


@define(frozen=True)
class Case:
    """`processes`: as many follow each other, where the first ones do not end with a batch."""

    mode: Mode
    listing: Listing
    events: Events
    processes: int = 1
    patience: Patience = field(factory=Patience)

    def world(self) -> World:
        made = account(self.listing, self.patience.seconds, not self.mode.own)
        records = [ModelRecord(number, self.mode.is_keyed) for number in range(self.mode.orders)]
        return World(made, records if self.mode.is_recorded else [])


@define
class Tally:
    """`schedules` are the ways through a case, `runs` those that were run, `ends` how they end."""

    schedules: int = 0
    runs: int = 0
    requests: int = 0  # the most of a process
    broken: Counter[str] = field(factory=Counter)
    told: list[str] = field(factory=list)

    def add(self, other: "Tally") -> None:
        self.schedules += other.schedules
        self.runs += other.runs
        self.requests = max(self.requests, other.requests)
        self.broken += other.broken
        self.told = (self.told + other.told)[:MOST_TOLD]

    def judge(self, process: ModelProcess, story: tuple[str, ...]) -> None:
        self.runs += 1
        self.requests = max(self.requests, process.requests)
        for promise in broken(process):
            self.broken[promise] += 1
            if len(self.told) < MOST_TOLD:
                told = " → ".join((*story, ", ".join(filter(None, process.choices.names))))
                self.told.append(f"{promise}: {told}: {outcome(process)}")


def outcome(process: ModelProcess) -> str:
    ends = [
        f"returned {end.returned.id}" if end.returned else f"raised {end.error!r}"
        for end in process.ends
    ]
    made = [batch.id for batch in process.account.batches if batch.order is not None]
    return f"{'; '.join(ends)}; made {made}; {process.requests} requests"


@define
class Walk:
    case: Case
    tally: Tally = field(factory=Tally)
    _seen: dict[Any, int] = field(factory=dict)

    def all(self) -> Tally:
        case = self.case
        story = (f"{case.mode.name}", f"{_differences(case.listing)}")
        self.tally.schedules = self._from(case.world(), case.processes, story)
        return self.tally

    def _from(self, world: World, processes: int, story: tuple[str, ...]) -> int:
        """The number of schedules from a world on."""
        key = world.key(), processes
        if key not in self._seen:
            self._seen[key] = 0  # a world that leads to itself adds nothing
            self._seen[key] = sum(
                self._through(world.copy(), processes, story, choices) for choices in trails()
            )
        return self._seen[key]

    def _through(
        self, world: World, processes: int, story: tuple[str, ...], choices: Choices
    ) -> int:
        """One way through a process; where it can die, the ways through those after it."""
        left: list[tuple[World, str]] = []
        steps = 0

        def on_step() -> None:
            nonlocal steps
            steps += 1
            if processes > 1 and choices.is_new and case.mode.is_recorded:
                left.append((world.copy(), f"killed after step {steps}"))

        case = self.case
        process = ModelProcess(world, case.mode, case.events, choices, case.patience, on_step)
        process.run()
        self.tally.judge(process, story)
        if processes > 1 and any(record.saved for record in world.records):
            left.append((world, "again"))
        number = 1
        for world_left, death in left:
            for next_world, start in _starts(world_left, case.mode):
                way = ", ".join(filter(None, choices.names))
                number += self._from(next_world, processes - 1, (*story, way, death + start))
        return number


def _starts(world: World, mode: Mode) -> Iterator[tuple[World, str]]:
    """The next process: on this machine, at once or later, or elsewhere."""
    yield world.copy(), ""
    later = world.copy()
    later.account.pass_time(HOURS)
    yield later, ", two hours later"
    if mode.is_keyed:
        elsewhere = world.copy()
        elsewhere.account.machine += 1
        elsewhere.records = [evolve(one, saved=None) for one in world.records]
        yield elsewhere, ", on another machine"


def _differences(listing: Listing) -> str:
    plain = Listing()
    names = [name for name in Listing.__annotations__ if hasattr(plain, name)]
    changed = [name for name in names if getattr(listing, name) != getattr(plain, name)]
    return ", ".join(f"{name} {getattr(listing, name)}" for name in changed) or "a plain list"


def drawn(case: Case, random: Random, driver: Driver | None = None) -> tuple[Tally, list[Any]]:
    """One schedule of a case, drawn, and what its processes did."""
    tally, world, did = Tally(schedules=1), case.world(), []
    story: tuple[str, ...] = (case.mode.name, _differences(case.listing))
    for _ in range(case.processes):
        choices = Drawn(random=random)
        is_killed = case.mode.is_recorded and random.random() < KILLED
        left = random.randrange(MOST_STEPS) if is_killed else -1

        def on_step() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        process = ModelProcess(world, case.mode, case.events, choices, case.patience, on_step)
        process.run(driver and driver(process))
        did.append((process.steps, [_brief(end) for end in process.ends], world.account.made))
        if not process.is_killed:
            tally.judge(process, story)
        if not any(record.saved for record in world.records):
            break
        death = "killed" if process.is_killed else "again"
        world, start = random.choice([*_starts(world, case.mode)])
        story = (*story, ", ".join(filter(None, choices.names)), death + start)
    return tally, did


def _brief(end: End) -> Any:
    return end.returned.id if end.returned else type(end.error).__name__
