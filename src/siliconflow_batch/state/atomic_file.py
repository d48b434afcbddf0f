"""
Files that are written completely or not at all, even if the machine loses power.

Rule 1: a regular file, or a new one, is replaced when all of it is on disk. Its mode and its owner
stay, as far as the system allows that; a symbolic link stays, and its target is replaced.
Rule 2: a device, a FIFO, or an open descriptor such as /dev/stdout is written into.
Rule 3: an error names the path that the caller gave, and leaves no other file behind.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import ArgumentInvalid, FileNotWritten

# A folder may be writable but not readable, and some network file systems cannot sync one.
NOT_SYNCED = {errno.EACCES, errno.EINVAL, errno.ENOTSUP}
DESCRIPTOR = re.compile(r"/dev/(stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Output:
    """A file that is being written; an `OSError` of it names the path of the caller."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self.file = path, file

    def write(self, data: bytes) -> int:
        with _naming(self._path):
            return self.file.write(data)


@contextlib.contextmanager
def output(path: Path) -> Iterator[Output]:
    """
    A file to write to, in place when the block ends, and as it was if the block raises.

    Raises `ArgumentInvalid` at once if there cannot be such a file, and `FileNotWritten` later.
    """
    check_target(path)
    try:
        with replaced(path) as file:
            yield file
    except OSError as error:
        if error.filename != str(path):
            raise
        raise FileNotWritten(path, error.strerror) from error


def check_target(path: Path) -> None:
    """Raises `ArgumentInvalid` for a folder, and for a file in a folder that does not exist."""
    try:
        if path.is_dir():
            raise ArgumentInvalid(f"Cannot write {path}: it is a folder.")
        folder = path.resolve().parent
        if not path.exists() and not folder.is_dir():
            reason = "is not a folder" if folder.exists() else "does not exist"
            raise ArgumentInvalid(f"Cannot write {path}: the folder {folder} {reason}.")
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise ArgumentInvalid(f"Cannot write {path}: {reason}.") from error


@contextlib.contextmanager
def replaced(path: Path, *, mode: int | None = None) -> Iterator[Output]:
    """
    The same as `output`, with the `OSError`s of the system; `mode` is that of a new file.

    Only if the last step fails, the sync of the folder, is the new file in its place already.
    """
    with _naming(path):
        before = _status(path)
        number = _descriptor(path)
    if number is not None or (before is not None and not stat.S_ISREG(before.st_mode)):
        with _written_into(path, number) as file:
            yield file
        return
    with _naming(path):
        target = path.resolve()
        draft = target.with_name(f".{secrets.token_hex(8)}.part")
        # The draft of a file that others may not read can never be read by them.
        handle = os.open(draft, NEW, 0o666 if mode is None and before is None else 0o600)
    try:
        with _closing(path, os.fdopen(handle, "wb")) as file:
            yield file
            with _naming(path):
                file.file.flush()
                os.fsync(file.file.fileno())
        with _naming(path):
            if before is not None:
                _keep_owner(draft, before)
                draft.chmod(stat.S_IMODE(before.st_mode))
            elif mode is not None:
                draft.chmod(mode)
            draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    with _naming(path):
        sync_folder(target.parent)


def write_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """
    Writes a text in UTF-8 to a file, see `replaced`. It is on disk when it returns.

    `mode` is that of a new file.
    """
    with replaced(path, mode=mode) as file:
        file.write(text.encode())


def sync_folder(folder: Path) -> None:
    """Writes the names in a folder to disk, if the file system can do that."""
    if sys.platform == "win32":  # a folder cannot be opened
        return
    try:
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        if error.errno not in NOT_SYNCED:
            raise


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _descriptor(path: Path) -> int | None:
    """The number of the open descriptor that a path names."""
    match = None if sys.platform == "win32" else DESCRIPTOR.fullmatch(str(path))
    if match is None:
        return None
    return int(match[2]) if match[2] else {"stdout": 1, "stderr": 2}[match[1]]


@contextlib.contextmanager
def _written_into(path: Path, number: int | None) -> Iterator[Output]:
    with _naming(path):
        for stream in (sys.stdout, sys.stderr):  # what was printed before comes first
            if stream is not None:
                stream.flush()
        # A copy of the descriptor, so that a file that the shell appends to is not cut.
        opened = path.open("wb") if number is None else os.fdopen(os.dup(number), "wb")
    with _closing(path, opened) as file:
        yield file
        with _naming(path):
            file.file.flush()


@contextlib.contextmanager
def _closing(path: Path, file: IO[bytes]) -> Iterator[Output]:
    try:
        yield Output(path, file)
    finally:
        with contextlib.suppress(OSError):  # all bytes are flushed already, or that has failed
            file.close()


def _keep_owner(draft: Path, before: os.stat_result) -> None:
    """Only root may give a file away; a group may be given by its members."""
    if sys.platform == "win32":
        return
    now = draft.stat()
    for user, group in ((before.st_uid, -1), (-1, before.st_gid)):
        if user not in (-1, now.st_uid) or group not in (-1, now.st_gid):
            with contextlib.suppress(PermissionError):
                os.chown(draft, user, group)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Raises the `OSError`s of the block with this path."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, reason, str(path)) from error
