"""
The user's state folder, and files of JSON records in it that survive a crash.

    $SILICONFLOW_STATE, or $XDG_STATE_HOME/siliconflow-batch, or ~/.local/state/siliconflow-batch

Rule 1: when `append` returns, the record is on disk.
Rule 2: records are only appended; unreadable ones are skipped.
Rule 3: a file is locked from its creation until its process closes it or ends. A process that is
forked meanwhile does not have it.
Rule 4: the lock is on the file of the records itself, so that no lock file is left behind. Whoever
locks a file that was deleted meanwhile does not have it.

The lock is flock, or LockFileEx on Windows. On NFS it works between machines if the server has a
lock manager. A file system without locks is refused.
"""

import contextlib
import errno
import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

from attrs import define, field

from ..errors import ArgumentInvalid, StateUnusable
from .atomic_file import sync_folder

JsonObject = dict[str, Any]
YOUNG = 60  # seconds; an empty file of this age may not have been locked by its creator yet
ATTEMPTS = 1000  # to lock a file that others delete at the same time
# O_BINARY: Windows would write two bytes for a line's end.
FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
CLOSED = -1


def state() -> Path:
    """The folder for data that outlives a run; raises `RuntimeError` without a home folder."""
    if own := os.environ.get("SILICONFLOW_STATE"):
        return Path(own).absolute()
    xdg = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (xdg if xdg.is_absolute() else Path.home() / ".local/state") / "siliconflow-batch"


@define(eq=False)
class LockedFile:
    """
    A file of JSON objects, one per line, locked by this process.

    Without the extra `state`, creating or opening one raises `ArgumentInvalid`.
    """

    path: Path
    _file: int = field(repr=False)

    @classmethod
    def create(cls, *folders: str, name: str) -> Self:
        """Creates a file in a subfolder of the state folder; raises `StateUnusable`."""
        lock = _lock()
        path = _place(folders) / name
        try:
            file = _open(path, os.O_CREAT | os.O_EXCL, lock)
            return cls._holding(path, file)
        except OSError as error:
            raise _unusable(path, error) from error

    @classmethod
    def open(cls, *folders: str, name: str) -> Self | None:
        """
        Opens a file in a subfolder of the state folder, or creates it; raises `StateUnusable`.

        Returns None if the file is open already, in another process or in this one.
        """
        lock = _lock(blocking=False)
        path = _place(folders) / name
        try:
            for _ in range(ATTEMPTS):
                try:
                    return cls._holding(path, _open(path, os.O_CREAT, lock))
                except FileNotFoundError:  # deleted by the process that had it
                    continue
        except BlockingIOError:
            return None
        except OSError as error:
            raise _unusable(path, error) from error
        raise StateUnusable(path, "it is deleted again and again")

    @classmethod
    def resume(cls, path: Path) -> Self | None:
        """Opens a file that is not locked; None if another process has it, or if it is gone."""
        try:
            file = _open(path, 0, _lock(blocking=False))
        except OSError:
            return None
        stat = os.fstat(file)
        if stat.st_size == 0 and time.time() - stat.st_mtime < YOUNG:
            os.close(file)
            return None
        return cls._holding(path, file)

    @classmethod
    def _holding(cls, path: Path, file: int) -> Self:
        self = cls(path, file)
        _held.add(self)
        return self

    def append(self, record: JsonObject) -> None:
        """Writes a record to disk; raises `StateUnusable`."""
        # The leading newline ends a line that a crash has cut off.
        raw = b"\n" + json.dumps(record).encode()
        try:
            if os.write(self._file, raw) < len(raw):
                raise OSError("the disk is full")
            os.fsync(self._file)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def read(self) -> Iterator[JsonObject]:
        """Yields the complete records."""
        for raw in self.lines():
            try:
                record = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield record

    def lines(self) -> list[bytes]:
        """The lines that are not empty, unreadable ones included."""
        os.lseek(self._file, 0, os.SEEK_SET)
        return _lines(self._file)

    def close(self) -> None:
        """Closes the file, if it is still open."""
        if self._file != CLOSED:
            os.close(self._file)
            self._file = CLOSED

    def remove(self) -> None:
        """Closes the file and deletes it, if it is still open."""
        if self._file == CLOSED:
            return
        if sys.platform == "win32":  # an open file cannot be deleted, so another may get it first
            os.ftruncate(self._file, 0)
            self.close()
            with contextlib.suppress(PermissionError):
                self.path.unlink(missing_ok=True)
        else:  # a closed file may already be locked by another process
            self.path.unlink(missing_ok=True)
            self.close()


def lines_of_another(path: Path) -> list[bytes]:
    """The lines of a file that another process has locked; none if it is gone."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(1)  # Windows refuses to read the first byte; it is a newline
            return _lines(file.fileno())
    except OSError:
        return []


def _lines(file: int) -> list[bytes]:
    content = b"".join(iter(lambda: os.read(file, 1 << 16), b""))
    return [line for line in content.split(b"\n") if line]


def _place(folders: Iterable[str]) -> Path:
    """A subfolder of the state folder, which exists; raises `StateUnusable`."""
    folder: Path | str = "~/.local/state"
    try:
        folder = state().joinpath(*folders)
        _make_folder(folder)
    except (OSError, RuntimeError) as error:
        raise _unusable(folder, error) from error
    return folder


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def _open(path: Path, flags: int, lock: Callable[[int], bool]) -> int:
    """
    Opens and locks a file.

    Raises `BlockingIOError` if it is locked, and `FileNotFoundError` if it was deleted meanwhile.
    """
    file = os.open(path, FLAGS | flags, 0o600)
    try:
        if not lock(file):
            raise BlockingIOError(errno.EAGAIN, "another process has it", str(path))
        # NFS renames an open file that is deleted; a count of its links would not tell.
        if not os.path.samestat(os.fstat(file), path.stat()):
            raise FileNotFoundError(errno.ENOENT, "it was replaced", str(path))
        if flags & os.O_CREAT:
            sync_folder(path.parent)
    except BaseException:
        os.close(file)
        raise
    return file


def _lock(*, blocking: bool = True) -> Callable[[int], bool]:
    """Locks a descriptor and returns whether that succeeded; raises `ArgumentInvalid`."""
    try:
        from filelock import lock_descriptor
    except ImportError as error:
        raise ArgumentInvalid(
            "The state folder requires filelock 3.30 or newer.\n\n"
            "Install it with: pip install 'siliconflow-batch[state]'"
        ) from error
    return functools.partial(lock_descriptor, blocking=blocking)


def _unusable(path: Path | str, error: OSError | RuntimeError) -> StateUnusable:
    """Names the file or folder that the operating system refused, and its reason."""
    if isinstance(error, OSError) and error.strerror:
        return StateUnusable(error.filename or path, error.strerror)
    return StateUnusable(path, error)


_held: WeakSet[LockedFile] = WeakSet()


def _close_files_of_the_parent() -> None:
    """Closes this process's copies: a forked child would keep its parent's locks."""
    for file in list(_held):
        file.close()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_close_files_of_the_parent)
