"""
Walks through every schedule, and prints how many there are.

    PYTHONPATH=tests .venv/bin/python -m support.schedules.schedule_report [PART OF A SWEEP'S NAME]

`schedules` are the ways through; `runs` are those that were run, because worlds that are the same
for every process to come are walked through once. The exit status is 1 if a promise was broken.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from .schedule_space import SWEEPS
from .schedule_walk import Tally, Walk

PARTS = 40


def walked(number: int, part: int) -> Tally:
    """A part of a sweep, named by its number; cases do not travel between processes."""
    tally = Tally()
    for case in [*SWEEPS[number].cases()][part::PARTS]:
        tally.add(Walk(case).all())
    return tally


def main(arguments: Sequence[str]) -> int:
    total = Tally()
    row = "{:58} {:>7} {:>12} {:>9} {:>9} {:>7}".format
    lines = [row("", "cases", "schedules", "runs", "requests", "broken")]
    with ProcessPoolExecutor() as pool:
        for number, sweep in enumerate(SWEEPS):
            if arguments and arguments[0] not in sweep.name:
                continue
            of_sweep = Tally()
            for tally in pool.map(partial(walked, number), range(PARTS)):
                of_sweep.add(tally)
            cases, broken = len([*sweep.cases()]), sum(of_sweep.broken.values())
            found = of_sweep.schedules, of_sweep.runs, of_sweep.requests, broken
            lines.append(row(sweep.name, cases, *found))
            lines += [f"    {told}" for told in of_sweep.told]
            total.add(of_sweep)
            sys.stdout.write("\n".join(lines) + "\n")
            lines.clear()
    sys.stdout.write(f"{total.schedules} schedules, {total.runs} runs\n")
    return 1 if total.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
