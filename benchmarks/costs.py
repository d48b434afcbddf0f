"""
Measures the time and memory of functions, in this process or in a new interpreter.

Rule: functions that are compared run alternately, so that changes of the machine's load affect all.
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
Preparation = tuple[Callable[..., Work], tuple[str, ...]]  # a function and its arguments
ROUNDS = 5


def medians(measures: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """Call the measures alternately and return the median of the results of each."""
    results: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            results[name].append(measure())
    return {name: median(values) for name, values in results.items()}


def cpu_seconds(work: Work, times: int) -> float:
    """The mean CPU time of this process for one call."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def freeze_imports() -> None:
    """Exclude the objects that imports have created from garbage collections."""
    gc.collect()
    gc.freeze()


@define
class Cost:
    """The cost of one call. `cpu` is in seconds, `memory` the growth of the peak size in bytes."""

    seconds: float
    cpu: float
    memory: int

    @property
    def megabytes(self) -> float:
        return self.memory / 1e6


def cost_in_new_process(prepare: Callable[..., Work], *arguments: str) -> Cost:
    """
    Measure one call in a new interpreter.

    `prepare` is a function of a module and returns the function to measure.
    """
    run = subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, __file__, prepare.__module__, prepare.__name__, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Cost(*json.loads(run.stdout))


def costs_in_new_processes(
    preparations: Mapping[str, Preparation], rounds: int = 3
) -> dict[str, Cost]:
    """The median times and the largest memory of each, measured alternately."""
    runs: dict[str, list[Cost]] = {name: [] for name in preparations}
    for _ in range(rounds):
        for name, (prepare, arguments) in preparations.items():
            runs[name].append(cost_in_new_process(prepare, *arguments))
    return {
        name: Cost(
            median(cost.seconds for cost in costs),
            median(cost.cpu for cost in costs),
            max(cost.memory for cost in costs),
        )
        for name, costs in runs.items()
    }


def main() -> None:
    module, name, *arguments = sys.argv[1:]
    work: Work = getattr(importlib.import_module(module), name)(*arguments)
    freeze_imports()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak memory
    memory, clock, cpu = peak_memory("self"), time.perf_counter(), time.process_time()
    work()
    cost = time.perf_counter() - clock, time.process_time() - cpu, peak_memory("self") - memory
    print(json.dumps(cost))  # noqa: T201 - read by `cost_in_new_process`


if __name__ == "__main__":
    main()
