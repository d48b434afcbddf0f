"""
The state on disk besides the contents of files: one SQLite database in the data folder.

Rule 1: changes are committed before their request is answered.
Rule 2: no key is stored; an account is identified by the digest of its key.
Rule 3: a folder that has lost a part of its state is refused, not filled again.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import orjson
from attrs import asdict, define, field

from ..batches.lifecycle import Batch
from ..files.inspection import InputFileError, Inspection
from ..files.storage import INPUT_NAME, File

NAME, FILES = "simulator.sqlite3", "files"
SCHEMA = """
create table if not exists files (number integer primary key, id text unique, row blob);
create table if not exists batches (number integer primary key, id text unique, row blob);
create table if not exists clock (number integer primary key check (number = 1), now real);
"""
TABLES = {"files", "batches", "clock"}


class FolderUnusable(Exception):
    """The data folder is in use, not writable, incomplete, or contains something else."""


@define
class Journal:
    """Rows are the attrs classes as JSON, in the order in which the objects were created."""

    folder: Path
    _database: sqlite3.Connection = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Raises `FolderUnusable`, for example if another process uses the folder."""
        is_new = not (folder / NAME).exists()
        try:
            if is_new:
                _check_without_database(folder)
                (folder / FILES).mkdir(parents=True, exist_ok=True)
            # Opened in the caller's thread and then used by the server's thread only.
            database = sqlite3.connect(folder / NAME, check_same_thread=False, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise FolderUnusable(f"{folder} cannot be used: {error}.") from error
        journal = cls(folder, database)
        try:
            database.execute("pragma locking_mode = exclusive")
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = normal")
            if not is_new:
                journal._check_complete()
            database.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            database.close()
            raise FolderUnusable(f"{folder} cannot be used: {error}.") from error
        except FolderUnusable:
            database.close()
            raise
        return journal

    def put(self, files: Iterable[File], batches: Iterable[Batch], now: float) -> None:
        """Commits everything or nothing."""
        with self._database:
            for file in files:
                row = asdict(file, value_serializer=_stored)
                self._put("files", file.id, row)
            for batch in batches:
                self._put("batches", batch.id, asdict(batch))
            self._database.execute("insert or replace into clock values (1, ?)", (now,))

    def files(self) -> Iterator[File]:
        for row in self._rows("files"):
            path = self.folder / FILES / row["path"]
            yield File(**{**row, "path": path, "inspection": _inspection(row["inspection"])})

    def batches(self) -> Iterator[Batch]:
        return (Batch(**row) for row in self._rows("batches"))

    def now(self) -> float:
        """The last stored time of the clock; 0 in a new folder."""
        row = self._database.execute("select now from clock").fetchone()
        return float(row[0]) if row else 0.0

    def close(self) -> None:
        self._database.close()

    def _check_complete(self) -> None:
        """Raises `FolderUnusable` if tables, rows or files are missing."""
        found = self._database.execute("select name from sqlite_master where type = 'table'")
        if missing := TABLES - {name for (name,) in found}:
            raise _incomplete(self.folder, f"{NAME} has no table {min(missing)!r}")
        names = [row["path"] for row in self._rows("files")]
        if not names and self.now():
            raise _incomplete(self.folder, f"{NAME} no longer names any file")
        if names and not (self.folder / FILES).is_dir():
            raise _incomplete(self.folder, f"the folder {FILES!r} is missing")
        for name in names:
            if not (self.folder / FILES / name).is_file():
                raise _incomplete(self.folder, f"the file '{FILES}/{name}' is missing")
        (self.folder / FILES).mkdir(exist_ok=True)

    def _put(self, table: str, id: str, row: dict[str, Any]) -> None:
        self._database.execute(
            f"insert into {table} (id, row) values (?, ?) "  # noqa: S608 - one of two tables
            "on conflict (id) do update set row = excluded.row",
            (id, orjson.dumps(row, default=list)),
        )

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        rows = self._database.execute(f"select row from {table} order by number")  # noqa: S608
        return (orjson.loads(row) for (row,) in rows)


def _check_without_database(folder: Path) -> None:
    """Raises `FolderUnusable` if the folder has uploads, which only a database can name."""
    files = folder / FILES
    names = [path.name for path in files.iterdir() if path.is_file()] if files.is_dir() else []
    if any(INPUT_NAME.fullmatch(name) for name in names):
        raise _incomplete(folder, f"{NAME} is missing")


def _incomplete(folder: Path, reason: str) -> FolderUnusable:
    return FolderUnusable(
        f"{folder} cannot be used: {reason}. Restore it, or use an empty folder to start anew."
    )


def _stored(_: object, attribute: object, value: Any) -> Any:
    return value.name if isinstance(value, Path | InputFileError) else value


def _inspection(row: dict[str, Any] | None) -> Inspection | None:
    if row is None:
        return None
    error = InputFileError[row["error"]] if row["error"] else None
    return Inspection(**{**row, "models": set(row["models"]), "error": error})
