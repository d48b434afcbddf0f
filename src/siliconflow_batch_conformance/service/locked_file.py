"""
The user's state folder, and files of records in it that survive a crash.

    $SILICONFLOW_STATE, or $XDG_STATE_HOME/siliconflow-batch, or ~/.local/state/siliconflow-batch

Rule 1: a record that `add` has returned from is on the disk.
Rule 2: records are only added; one that cannot be read is passed over.
Rule 3: a file is locked from its beginning until its process closes it or ends, however it ends.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from attrs import define, field

Record = dict[str, Any]
YOUNG = 60  # seconds in which an empty file may be one that its maker has not locked yet


class StateUnusable(Exception):
    """A file in the state folder cannot be written."""

    def __init__(self, path: Path | str, reason: object) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path} cannot be written: {self.reason}. Nothing is created that is not written "
            "down there first. Set SILICONFLOW_STATE to a folder of yours."
        )


def state() -> Path:
    """The folder for what outlives a run; `RuntimeError` where nobody has a home."""
    if own := os.environ.get("SILICONFLOW_STATE"):
        return Path(own).absolute()
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".local/state") / "siliconflow-batch"


@define
class Records:
    """JSON objects, a line each, in a file that this process has locked."""

    path: Path
    _file: int = field(repr=False)

    @classmethod
    def create(cls, *folders: str, name: str) -> Self:
        """A new file in folders of the state folder; raises `StateUnusable`."""
        place: Path | str = "~/.local/state"
        try:
            place = state()
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in folders:
                place = place / folder
                place.mkdir(mode=0o700, exist_ok=True)
            path = place / name
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            _lock(file, wait=True)
            _sync(place)
        except (OSError, RuntimeError) as error:
            raise StateUnusable(place, error) from error
        return cls(path, file)

    @classmethod
    def resume(cls, path: Path) -> Self | None:
        """A file that nobody has locked; None where somebody has, or where it is gone."""
        try:
            file = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError:
            return None
        try:
            _lock(file, wait=False)
            found = os.fstat(file)
            begins = found.st_size == 0 and time.time() - found.st_mtime < YOUNG
            if found.st_nlink and not begins:
                return cls(path, file)
        except OSError:
            pass
        os.close(file)
        return None

    def add(self, record: Record) -> None:
        """Raises `StateUnusable`; what was to follow must not be done then."""
        # Each record begins a line of its own, whatever a crash left of the one before.
        raw = b"\n" + json.dumps(record).encode()
        try:
            if os.write(self._file, raw) < len(raw):
                raise OSError("the disk is full")
            os.fsync(self._file)
        except OSError as error:
            raise StateUnusable(self.path, error) from error

    def read(self) -> Iterator[Record]:
        """The records that are whole."""
        for raw in self.path.read_bytes().split(b"\n"):
            try:
                record = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield record

    def close(self) -> None:
        os.close(self._file)

    def remove(self) -> None:
        """Closes the file and deletes it."""
        if sys.platform == "win32":  # where an open file cannot be deleted
            self.close()
            self.path.unlink(missing_ok=True)
        else:  # where one that is closed could be somebody else's already
            self.path.unlink(missing_ok=True)
            self.close()


def _sync(folder: Path) -> None:
    """Puts a new file's name on the disk."""
    if sys.platform != "win32":
        file = os.open(folder, os.O_RDONLY)
        os.fsync(file)
        os.close(file)


def _lock(file: int, *, wait: bool) -> None:
    """Raises `OSError` where another process has the file, or has not let go of it in time."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, 1 << 40, os.SEEK_SET)  # one byte, far behind what is written
        msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
