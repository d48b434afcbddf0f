"""
The user's state folder, and files of JSON records in it that survive a crash.

    $SILICONFLOW_STATE, or $XDG_STATE_HOME/siliconflow-batch, or ~/.local/state/siliconflow-batch

Rule 1: when `append` returns, the record is on disk.
Rule 2: records are only appended; unreadable ones are skipped.
Rule 3: a file is locked from its creation until its process closes it or ends.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from attrs import define, field

JsonObject = dict[str, Any]
YOUNG = 60  # seconds; an empty file of this age may not have been locked by its creator yet


class StateUnusable(Exception):
    """A file in the state folder cannot be written."""

    def __init__(self, path: Path | str, reason: object) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"Cannot write {self.path}: {self.reason}. The suite records every batch there before "
            "it creates one. Set SILICONFLOW_STATE to a writable folder."
        )


def state() -> Path:
    """The folder for data that outlives a run; raises `RuntimeError` without a home folder."""
    if own := os.environ.get("SILICONFLOW_STATE"):
        return Path(own).absolute()
    xdg = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (xdg if xdg.is_absolute() else Path.home() / ".local/state") / "siliconflow-batch"


@define
class LockedFile:
    """A file of JSON objects, one per line, locked by this process."""

    path: Path
    _file: int = field(repr=False)

    @classmethod
    def create(cls, *folders: str, name: str) -> Self:
        """Creates a file in a subfolder of the state folder; raises `StateUnusable`."""
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
            _sync_folder(place)
        except (OSError, RuntimeError) as error:
            raise StateUnusable(place, error) from error
        return cls(path, file)

    @classmethod
    def resume(cls, path: Path) -> Self | None:
        """Opens a file that is not locked; None if another process has it, or if it is gone."""
        try:
            file = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError:
            return None
        try:
            _lock(file, wait=False)
            stat = os.fstat(file)
            just_created = stat.st_size == 0 and time.time() - stat.st_mtime < YOUNG
            if stat.st_nlink and not just_created:
                return cls(path, file)
        except OSError:
            pass
        os.close(file)
        return None

    def append(self, record: JsonObject) -> None:
        """Writes a record to disk; raises `StateUnusable`."""
        # The leading newline ends a line that a crash has cut off.
        raw = b"\n" + json.dumps(record).encode()
        try:
            if os.write(self._file, raw) < len(raw):
                raise OSError("the disk is full")
            os.fsync(self._file)
        except OSError as error:
            raise StateUnusable(self.path, error) from error

    def read(self) -> Iterator[JsonObject]:
        """Yields the complete records."""
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
        if sys.platform == "win32":  # an open file cannot be deleted
            self.close()
            self.path.unlink(missing_ok=True)
        else:  # a closed file may already be locked by another process
            self.path.unlink(missing_ok=True)
            self.close()


def _sync_folder(folder: Path) -> None:
    """Writes the folder's entry for a new file to disk."""
    if sys.platform != "win32":
        file = os.open(folder, os.O_RDONLY)
        os.fsync(file)
        os.close(file)


def _lock(file: int, *, wait: bool) -> None:
    """Raises `OSError` if another process holds the lock."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, 1 << 40, os.SEEK_SET)  # one byte, far beyond the data
        msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
