"""
Measures the promise "no batch is paid twice": every way, every list, both clients.

    PYTHONPATH=tests .venv/bin/python -m support.hostile.report
    … --lists oldest --ways 504 --failures 20    # names that contain these; 20 messages
    … --sample 1000                              # a seeded sample of the pairs

Prints a table for each client. A row is a list; a creation is counted in one column:

    right       one batch, returned; or a plain refusal, raised as what it is
    unknown     CreateOutcomeUnknown, and at most one batch; (n) of them where the list is honest
                and the creation had to end with a batch
    second      two batches or more; (n) of them where no list excuses it
    wrong       another batch was returned
    unreported  a batch exists, and another exception was raised
    other       another exception was raised, and no batch exists

The exit status is 1 if a promise was broken.
"""

import argparse
import logging
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import stamina

from .list_table import LISTS
from .trials import CLIENTS, LIVENESS, PROMISES, SECOND, Trial, carry_out
from .way_table import WAYS

COLUMNS = ("right", "unknown", "second", "wrong", "unreported", "other")
THREADS = 12  # of one process; a trial mostly waits
ATTEMPTS = 3  # of one request
SLOWEST = 10


@dataclass(frozen=True)
class Pair:
    way: str
    listing: str
    client: str


@dataclass(frozen=True)
class Cell:
    """The result of a pair; a `Trial` holds objects that do not travel between processes."""

    pair: Pair
    category: str
    broken: dict[str, str]
    excused: bool
    requests: int
    seconds: float
    outcome: str


def measured(pair: Pair) -> Cell:
    trial: Trial = carry_out(pair.way, pair.listing, pair.client)
    return Cell(
        pair,
        trial.category,
        trial.broken(),
        trial.excused,
        len(trial.requests),
        trial.seconds,
        trial.outcome,
    )


def measured_together(pairs: Sequence[Pair], threads: int = THREADS) -> list[Cell]:
    """Measures pairs in threads, without pauses between the attempts of one request."""
    with (
        stamina.set_testing(True, attempts=ATTEMPTS, cap=True),
        ThreadPoolExecutor(threads) as pool,
    ):
        return list(pool.map(measured, pairs))


def pairs(ways: str = "", lists: str = "", clients: Sequence[str] = CLIENTS) -> list[Pair]:
    """The pairs whose names contain `ways` and `lists`."""
    return [
        Pair(way, listing, client)
        for listing in LISTS
        for client in clients
        for way in WAYS
        if ways in way and lists in listing
    ]


def quietly() -> None:
    """Keeps the repeated requests, of which there are thousands, out of stderr."""
    logging.getLogger("stamina").setLevel(logging.ERROR)


def in_processes(chosen: Sequence[Pair], processes: int, threads: int) -> Iterator[Cell]:
    size = 4 * threads
    parts = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    with ProcessPoolExecutor(processes, get_context("spawn"), quietly) as pool:
        for part in pool.map(partial(measured_together, threads=threads), parts):
            yield from part


def table(cells: Sequence[Cell]) -> Iterator[str]:
    """The lines of one client's table."""
    width = max(map(len, LISTS))
    yield f"{'':{width}}" + "".join(f"{column:>13}" for column in COLUMNS)
    for listing in LISTS:
        row = [cell for cell in cells if cell.pair.listing == listing]
        if row:
            yield f"{listing:{width}}{counts(row)}"
    yield f"{f'total of {len(cells)}':{width}}{counts(cells)}"


def counts(cells: Sequence[Cell]) -> str:
    number = Counter(cell.category for cell in cells)
    in_brackets = {
        "unknown": sum(cell.category == "unknown" and LIVENESS in cell.broken for cell in cells),
        "second": sum(SECOND in cell.broken for cell in cells),
    }
    texts = [
        f"{number[column]}" + (f" ({in_brackets[column]})" if column in in_brackets else "")
        for column in COLUMNS
    ]
    return "".join(f"{text:>13}" for text in texts)


def print_report(cells: Sequence[Cell], failures: int) -> None:
    lines: list[str] = []
    for client in CLIENTS:
        of_client = [cell for cell in cells if cell.pair.client == client]
        if of_client:
            lines += [f"\n{client}", *table(of_client)]
    lines.append("\nbroken promises")
    for promise in PROMISES:
        broken = [cell for cell in cells if promise in cell.broken]
        lines.append(f"{len(broken):7}  {promise}")
        lines += [f"         {cell.broken[promise]}" for cell in broken[:failures]]
    most = max(cells, key=lambda cell: cell.requests)
    lines.append(f"\nthe most requests: {most.requests}, {named(most)}")
    lines.append("the slowest")
    for cell in sorted(cells, key=lambda cell: -cell.seconds)[:SLOWEST]:
        lines.append(f"{cell.seconds:7.2f} s  {named(cell)}: {cell.outcome}")
    print("\n".join(lines))  # noqa: T201 - the purpose of this module


def named(cell: Cell) -> str:
    return f"{cell.pair.way} | {cell.pair.listing} | {cell.pair.client}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ways", default="", metavar="TEXT", help="ways whose name contains it")
    parser.add_argument("--lists", default="", metavar="TEXT", help="lists whose name contains it")
    parser.add_argument("--client", choices=CLIENTS, help="one client only")
    parser.add_argument("--sample", type=int, metavar="N", help="a seeded sample of N pairs")
    parser.add_argument("--failures", type=int, default=0, metavar="N", help="messages a promise")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--threads", type=int, default=THREADS, metavar="N", help="a process")
    options = parser.parse_args()
    clients = (options.client,) if options.client else CLIENTS
    chosen = pairs(options.ways, options.lists, clients)
    if options.sample is not None and options.sample < len(chosen):
        chosen = random.Random(1).sample(chosen, options.sample)  # noqa: S311
    if not chosen:
        parser.error("no way or no list has such a name")
    cells = list(in_processes(chosen, options.processes, options.threads))
    print_report(cells, options.failures)
    return int(any(cell.broken for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
