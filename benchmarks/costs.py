"""
What a work costs: in turns with others, in CPU time, in an interpreter of its own.

Rule: those that are compared take turns in one run, so that all see the same machine.
"""

import gc
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from attrs import define

from server_process import peak_memory

Work = Callable[[], object]
Prepared = tuple[Callable[..., Work], tuple[str, ...]]  # and its arguments
TURNS = 5


def in_turns(works: Mapping[str, Callable[[], float]], turns: int = TURNS) -> dict[str, float]:
    """The median of what each of the works tells of itself."""
    told: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(turns):
        for name, work in works.items():
            told[name].append(work())
    return {name: median(found) for name, found in told.items()}


def seconds(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu(work: Work, times: int) -> float:
    """CPU seconds of this process for one time, the mean of many."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def settle() -> None:
    """Takes what the imports left out of the garbage collector's sight, for all works alike."""
    gc.collect()
    gc.freeze()


@define
class Cost:
    """What it took on the clock and of the CPU, and what it added."""

    seconds: float
    cpu: float
    added: int  # bytes of resident memory, at the most

    @property
    def megabytes(self) -> float:
        return self.added / 1e6


def fresh(prepare: Callable[..., Work], *arguments: str) -> Cost:
    """
    What a work costs in a fresh interpreter. `prepare` is a module's function; what it does before
    it returns the work is not counted.
    """
    run = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, __file__, prepare.__module__, prepare.__name__, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Cost(*json.loads(run.stdout))


def fresh_in_turns(works: Mapping[str, Prepared], turns: int = 3) -> dict[str, Cost]:
    """The medians of time of each work, and the most memory that a run added."""
    runs: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(turns):
        for name, (prepare, arguments) in works.items():
            runs[name].append(fresh(prepare, *arguments))
    return {
        name: Cost(
            median(run.seconds for run in found),
            median(run.cpu for run in found),
            max(run.added for run in found),
        )
        for name, found in runs.items()
    }


def main() -> None:
    module, name, *arguments = sys.argv[1:]
    work: Work = getattr(importlib.import_module(module), name)(*arguments)
    settle()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak that importing left
    before, began, spent = peak_memory("self"), time.perf_counter(), time.process_time()
    work()
    cost = time.perf_counter() - began, time.process_time() - spent, peak_memory("self") - before
    print(json.dumps(cost))  # noqa: T201 - `fresh` reads it


if __name__ == "__main__":
    main()
