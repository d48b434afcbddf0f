"""
The tables of README.md, and the command line of the scripts that measure their rows.
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
    """A row of the table. `met` is whether the measured value meets the goal."""

    task: str
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


def markdown(rows: Iterable[Row], versions: str = "") -> str:
    lines = [f"{machine()}{versions}.", "", "| task | measured | goal | met |", "|---|---|---|---|"]
    for row in rows:
        met = "yes" if row.met else "no"
        lines.append(f"| {row.task} | {row.measured} | {row.goal} | {met} |")
    return "\n".join(lines)


def save(name: str, table: str) -> None:
    """Replace the table between the comments with this name in README.md."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = README.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    README.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


def main(
    name: str,
    description: str | None,
    measures: Iterable[Callable[[], Iterator[Row]]],
    versions: str = "",
) -> None:
    """Run the measures and print their rows. `versions` is added to the machine's description."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--write", action="store_true", help="write the table to README.md")
    parser.add_argument(
        "--only", metavar="NAME", help="run only the measures with NAME in their names"
    )
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write needs the whole table; leave out --only")
    rows: list[Row] = []
    for measure in measures:
        if options.only and options.only not in measure.__name__:
            continue
        for row in measure():
            print(f"{row.task}: {row.measured}; goal {row.goal}", flush=True)  # noqa: T201
            rows.append(row)
    if options.write:
        save(name, markdown(rows, versions))
