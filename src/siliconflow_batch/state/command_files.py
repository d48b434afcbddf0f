"""
The file of a command that submits several files, which exists until the command is over.

    submissions/<account>/<name>.command   in the state folder

Rule: its deletion, one step, ends all submissions of the command that have a batch. From then on
the same command begins anew; before, it continues.
"""

import contextlib
from pathlib import Path

from .locked_file import LockedFile

FOLDER = "submissions"


def open_command(account: str, name: str) -> LockedFile | None:
    """Opens or creates the file; None if another process has it. Raises `StateUnusable`."""
    return LockedFile.open(FOLDER, account, name=_file(name))


def is_unfinished(folder: Path, name: str) -> bool:
    """Whether a command, named in a submission in this folder, is not over."""
    return bool(name) and (folder / _file(name)).exists()


def delete_old(folder: Path, before: float) -> None:
    """Deletes the files of commands that began `before`."""
    for path in folder.glob(_file("*")):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before and (file := LockedFile.resume(path)):
                file.remove()


def _file(name: str) -> str:
    return f"{name}.command"
