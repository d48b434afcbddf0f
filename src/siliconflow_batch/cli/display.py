"""
Tables of batches and files, and progress bars.

Rule 1: on a terminal, lists are tables. In a pipe the same columns are tab-separated without a
header, and with `--json` each object is printed on one line.
Rule 2: progress bars are drawn on stderr, and only on a terminal.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from .. import Batch, File, Summary
from .messages import safe
from .session import Session

Row = TypeVar("Row", Batch, File)
OnProgress = Callable[[int, int | None], None]


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


BATCHES: Mapping[str, Callable[[Batch], str]] = {
    "id": lambda batch: batch.id,
    "status": lambda batch: batch.status,
    "total": lambda batch: str(batch.counts.total),
    "completed": lambda batch: str(batch.counts.completed),
    "failed": lambda batch: str(batch.counts.failed),
    "created": lambda batch: _time(batch.created_at),
    "input": lambda batch: batch.file_name or batch.input_file_id or "",
    "errors": lambda batch: "; ".join(batch.errors),
}
FILES: Mapping[str, Callable[[File], str]] = {
    "id": lambda file: file.id,
    "bytes": lambda file: str(file.bytes),
    "lines": lambda file: "" if file.line_count is None else str(file.line_count),
    "created": lambda file: _time(file.created_at),
    "name": lambda file: file.name or "",
}
NUMBERS = {"total", "completed", "failed", "bytes", "lines"}
REASONS = 5  # of failed lines, the most common ones
WHOLE = {"id", "status", *NUMBERS}  # columns that are never truncated


@contextlib.contextmanager
def listing(
    session: Session, columns: Mapping[str, Callable[[Row], str]]
) -> Iterator[Callable[[Row], None]]:
    """Prints items at once, or on a terminal as a table on exit, even after an error."""
    rows: list[list[str]] = []

    def add(item: Row) -> None:
        cells = [safe(cell(item)) for cell in columns.values()]
        if session.json:
            session.print_json(item.raw)
        elif sys.stdout.isatty():
            rows.append(cells)
        else:
            session.print_result("\t".join(cells))

    try:
        yield add
    finally:
        if rows:
            Console(highlight=False).print(_table(list(columns), rows))


def _table(names: list[str], rows: list[list[str]]) -> Table:
    """A table without empty columns."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown = [index for index, _ in enumerate(names) if any(row[index] for row in rows)]
    for index in shown:
        name = names[index]
        justify = "right" if name in NUMBERS else "left"
        whole = name in WHOLE
        table.add_column(name, justify=justify, no_wrap=whole, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(row[index]) for index in shown))
    return table


def print_summary(session: Session, id: str, summary: Summary) -> None:
    """Prints the tokens of a batch and the most common reasons of its failed lines to stderr."""
    usage = summary.usage
    if usage.total:
        tokens = f"{usage.prompt:,} prompt, {usage.completion:,} completion"
        session.print_note(f"{id}: {usage.total:,} tokens ({tokens})")
    for reason, number in summary.reasons.most_common(REASONS):
        session.print_note(f"{id}: {number} failed: {reason}")
    if len(summary.reasons) > REASONS:
        session.print_note(f"{id}: there are more reasons; --json shows them")


@contextlib.contextmanager
def transfers(session: Session) -> Iterator[Callable[[str], OnProgress | None]]:
    """Yields a function that adds a progress bar in bytes for a file."""
    if not session.live:
        yield lambda name: None
        return
    with _bars(session, DownloadColumn(), TransferSpeedColumn()) as bars:

        def add_bar(name: str) -> OnProgress:
            task = bars.add_task(safe(name), total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield add_bar


@contextlib.contextmanager
def waiting(session: Session) -> Iterator[Callable[[str], Callable[[Batch], None]]]:
    """Yields a function that adds a progress bar in lines for a batch."""
    if not session.live:
        yield lambda id: lambda batch: None
        return
    with _bars(session, TextColumn("{task.fields[counts]}", markup=False)) as bars:

        def add_bar(id: str) -> Callable[[Batch], None]:
            return partial(_update, bars, bars.add_task(safe(id), total=None, counts=""))

        yield add_bar


def _update(bars: Progress, task: TaskID, batch: Batch) -> None:
    counts = batch.counts
    done = counts.completed + counts.failed
    text = f"{done}/{counts.total} lines, {counts.failed} failed, {safe(batch.status)}"
    bars.update(task, completed=done, total=counts.total or None, counts=text)


def _bars(session: Session, *columns: ProgressColumn) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        *columns,
        TimeElapsedColumn(),
        console=session.console,
        transient=True,
        redirect_stdout=False,  # results may go to a pipe
        redirect_stderr=False,
    )
