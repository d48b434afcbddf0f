"""Files that are written completely or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from siliconflow_batch.state.atomic_file import write_file
from support.state_folders import full_disk


def test_the_file_and_its_folder_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is on disk before it replaces the file, and then the folder's entry."""
    path = tmp_path / "a"
    path.write_text("old")
    synced = []

    def sync(file: int) -> None:
        content = None if stat.S_ISDIR(os.fstat(file).st_mode) else os.pread(file, 9, 0)
        synced.append((content, path.read_text()))

    monkeypatch.setattr(os, "fsync", sync)
    write_file(path, "new")

    assert synced == [(b"new", "old"), (None, "new")]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The old file is as it was, and no other file is left."""
    path = tmp_path / "a"
    path.write_text("old")

    with full_disk(), pytest.raises(OSError, match="File too large"):
        write_file(path, "new")

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a", "old")]


def test_it_has_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    """0600 without another."""
    write_file(tmp_path / "a", "a")
    write_file(tmp_path / "b", "b", mode=0o755)

    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"] == [0o600, 0o755]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_synced_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Some file systems have no such operation."""

    def sync(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(number, "refused")

    monkeypatch.setattr(os, "fsync", sync)
    write_file(tmp_path / "a", "a")

    assert (tmp_path / "a").read_text() == "a"


def test_a_broken_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An input/output error of the folder is raised."""

    def sync(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", sync)

    with pytest.raises(OSError, match="Input/output"):
        write_file(tmp_path / "a", "a")
