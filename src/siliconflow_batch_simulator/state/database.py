"""
What is kept on disk besides the files' bytes: one SQLite database in the data folder.

Rule 1: a request is answered after what it changed is committed.
Rule 2: keys are not in here; an account is known by the digest of its key.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import orjson
from attrs import asdict, define, field

from ..batches.lifecycle import Batch
from ..inputs.inspection import Inspection
from .storage import File

NAME, FILES = "simulator.sqlite3", "files"
SCHEMA = """
create table if not exists files (number integer primary key, id text unique, row blob);
create table if not exists batches (number integer primary key, id text unique, row blob);
create table if not exists clock (number integer primary key check (number = 1), now real);
"""


class FolderUnusable(Exception):
    """The data folder is in use, cannot be written, or holds something else."""


@define
class Journal:
    """Rows are JSON of the attrs classes, in the order in which the objects came."""

    folder: Path
    _database: sqlite3.Connection = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Raises `FolderUnusable`, as when another process has the folder open."""
        try:
            (folder / FILES).mkdir(parents=True, exist_ok=True)
            # Opened in one thread, used in another, which is the server's: one at a time.
            database = sqlite3.connect(folder / NAME, check_same_thread=False, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise FolderUnusable(f"{folder} cannot be used: {error}.") from error
        try:
            database.execute("pragma locking_mode = exclusive")
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = normal")
            database.executescript(SCHEMA)
        except sqlite3.Error as error:
            database.close()
            raise FolderUnusable(f"{folder} cannot be used: {error}.") from error
        return cls(folder, database)

    def put(self, files: Iterable[File], batches: Iterable[Batch], now: float) -> None:
        """Commits all of it, or nothing."""
        with self._database:
            for file in files:
                row = asdict(file, filter=lambda attribute, _: attribute.name != "path")
                self._put("files", file.id, {**row, "path": file.path.name})
            for batch in batches:
                self._put("batches", batch.id, asdict(batch))
            self._database.execute("insert or replace into clock values (1, ?)", (now,))

    def files(self) -> Iterator[File]:
        for row in self._rows("files"):
            found = row.pop("inspection")
            if found is not None:
                found = Inspection(**{**found, "models": set(found["models"])})
            path = self.folder / FILES / row["path"]
            yield File(**{**row, "path": path, "inspection": found})

    def batches(self) -> Iterator[Batch]:
        return (Batch(**row) for row in self._rows("batches"))

    def now(self) -> float:
        """The last reading of the clock; 0 in a new folder."""
        found = self._database.execute("select now from clock").fetchone()
        return float(found[0]) if found else 0.0

    def close(self) -> None:
        self._database.close()

    def _put(self, table: str, id: str, row: dict[str, Any]) -> None:
        self._database.execute(
            f"insert into {table} (id, row) values (?, ?) "  # noqa: S608 - one of two tables
            "on conflict (id) do update set row = excluded.row",
            (id, orjson.dumps(row, default=list)),
        )

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        rows = self._database.execute(f"select row from {table} order by number")  # noqa: S608
        return (orjson.loads(row) for (row,) in rows)
