"""
The tables of README.md: rows as they are measured, and where they are kept.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from attrs import define

README = Path(__file__).parent / "README.md"


@define
class Row:
    """One line of the table: what was asked for, and what came out."""

    work: str
    measured: str
    goal: str
    met: bool


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {model}, "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def text(rows: Iterable[Row], beside: str = "") -> str:
    lines = [f"{machine()}{beside}.", "", "| work | measured | goal | met |", "|---|---|---|---|"]
    for row in rows:
        met = "yes" if row.met else "no"
        lines.append(f"| {row.work} | {row.measured} | {row.goal} | {met} |")
    return "\n".join(lines)


def keep(name: str, table: str) -> None:
    """Puts a table where README.md has the marks of its name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = README.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    README.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


def main(
    name: str,
    about: str | None,
    measures: Iterable[Callable[[], Iterator[Row]]],
    beside: str = "",
) -> None:
    """Runs the measures and prints their rows; `beside` names what stood beside the machine."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--write", action="store_true", help="keep the table in README.md")
    parser.add_argument("--only", help="the measures whose name has this in it, not to be kept")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("a part of a table is not kept")
    rows: list[Row] = []
    for measure in measures:
        if options.only and options.only not in measure.__name__:
            continue
        for row in measure():
            print(f"{row.work}: {row.measured}; goal {row.goal}", flush=True)  # noqa: T201
            rows.append(row)
    if options.write:
        keep(name, text(rows, beside))
