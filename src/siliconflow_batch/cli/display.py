"""
Tables of batches and files, and bars of what is under way.

Rule 1: a table is for a terminal; in a pipe the same columns come tab-separated, without a head,
and with `--json` each object comes whole, one a line.
Rule 2: bars are on stderr, and only where somebody watches.
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

from .. import Batch, File
from .messages import safe
from .session import Session

Row = TypeVar("Row", Batch, File)
OnProgress = Callable[[int, int | None], None]


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


BATCHES: Mapping[str, Callable[[Batch], str]] = {
    "id": lambda batch: batch.id,
    "status": lambda batch: batch.status,
    "total": lambda batch: str(batch.counts.total),
    "completed": lambda batch: str(batch.counts.completed),
    "failed": lambda batch: str(batch.counts.failed),
    "created": lambda batch: _time(batch.created_at),
    "input": lambda batch: batch.file_name or batch.input_file_id,
    "errors": lambda batch: "; ".join(batch.errors),
}
FILES: Mapping[str, Callable[[File], str]] = {
    "id": lambda file: file.id,
    "bytes": lambda file: str(file.bytes),
    "lines": lambda file: "" if file.line_count is None else str(file.line_count),
    "created": lambda file: _time(file.created_at),
    "name": lambda file: file.name,
}
NUMBERS = {"total", "completed", "failed", "bytes", "lines"}
WHOLE = {"id", "status", *NUMBERS}  # never cut, however narrow the terminal is


@contextlib.contextmanager
def listing(
    session: Session, columns: Mapping[str, Callable[[Row], str]]
) -> Iterator[Callable[[Row], None]]:
    """Prints what it is given: at once, or as a table at the end, also of a call that failed."""
    rows: list[list[str]] = []

    def add(item: Row) -> None:
        cells = [safe(cell(item)) for cell in columns.values()]
        if session.json:
            session.put_json(item.model.to_dict())
        elif sys.stdout.isatty():
            rows.append(cells)
        else:
            session.put("\t".join(cells))

    try:
        yield add
    finally:
        if rows:
            Console(highlight=False).print(_table(list(columns), rows))


def _table(names: list[str], rows: list[list[str]]) -> Table:
    """A table without the columns that have nothing in them."""
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


@contextlib.contextmanager
def transfers(session: Session) -> Iterator[Callable[[str], OnProgress | None]]:
    """Makes a bar of bytes for each file on its way."""
    if not session.live:
        yield lambda what: None
        return
    with _bars(session, DownloadColumn(), TransferSpeedColumn()) as bars:

        def bar(what: str) -> OnProgress:
            task = bars.add_task(safe(what), total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield bar


@contextlib.contextmanager
def waiting(session: Session) -> Iterator[Callable[[str], Callable[[Batch], None]]]:
    """Makes a bar of lines for each batch, which takes what becomes of it."""
    if not session.live:
        yield lambda id: lambda batch: None
        return
    with _bars(session, TextColumn("{task.fields[said]}", markup=False)) as bars:

        def bar(id: str) -> Callable[[Batch], None]:
            return partial(_count, bars, bars.add_task(safe(id), total=None, said=""))

        yield bar


def _count(bars: Progress, task: TaskID, batch: Batch) -> None:
    counts = batch.counts
    done = counts.completed + counts.failed
    said = f"{done}/{counts.total} lines, {counts.failed} failed, {safe(batch.status)}"
    bars.update(task, completed=done, total=counts.total or None, said=said)


def _bars(session: Session, *columns: ProgressColumn) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        *columns,
        TimeElapsedColumn(),
        console=session.console,
        transient=True,
        redirect_stdout=False,  # results that go to a pipe would be drawn instead
        redirect_stderr=False,
    )
