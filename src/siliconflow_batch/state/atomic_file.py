"""Files that are written completely or not at all, even if the machine loses power."""

import errno
import os
import sys
import tempfile
from pathlib import Path

# A folder may be writable but not readable, and some network file systems cannot sync one.
NOT_SYNCED = {errno.EACCES, errno.EINVAL, errno.ENOTSUP}


def write_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """
    Writes a text in UTF-8 and replaces the file at `path`. Both are on disk when it returns.

    A failure leaves an existing file as it was, and no other file in its folder. Only if the last
    step fails, the sync of the folder, is the new file in its place already.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


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
