"""What a file may be written to: new files, links, devices, FIFOs, descriptors."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from siliconflow_batch import write_lines
from siliconflow_batch.errors import ArgumentInvalid, FileNotWritten
from siliconflow_batch.state.atomic_file import output
from support.account import line
from support.state_folders import full_disk


def test_a_symbolic_link_stays(tmp_path: Path) -> None:
    """Its target is replaced, also one that does not exist yet."""
    link, dangling = tmp_path / "link", tmp_path / "dangling"
    (tmp_path / "old").write_text("old")
    link.symlink_to("old")
    dangling.symlink_to("new")

    for path in (link, dangling):
        with output(path) as file:
            file.write(b"written")

    assert link.is_symlink()
    assert dangling.is_symlink()
    assert [(tmp_path / name).read_text() for name in ("old", "new")] == ["written"] * 2


def test_the_mode_of_an_existing_file_stays(tmp_path: Path) -> None:
    """A new file has the mode of any new file of the process."""
    old, new, ordinary = (tmp_path / name for name in ("old", "new", "ordinary"))
    old.touch()
    old.chmod(0o664)
    ordinary.touch()

    for path in (old, new):
        with output(path) as file:
            file.write(b"written")

    assert stat.S_IMODE(old.stat().st_mode) == 0o664
    assert new.stat().st_mode == ordinary.stat().st_mode


def test_the_owner_of_an_existing_file_stays(tmp_path: Path) -> None:
    """A command that root runs takes no file from its user."""
    path = tmp_path / "file"
    path.touch()
    owner = (1234, 2345) if os.geteuid() == 0 else (-1, os.getgroups()[-1])
    os.chown(path, *owner)
    before = path.stat()

    with output(path) as file:
        file.write(b"written")

    assert (path.stat().st_uid, path.stat().st_gid) == (before.st_uid, before.st_gid)


def test_a_fifo_is_written_into(tmp_path: Path) -> None:
    """Its reader receives the bytes, and it is a FIFO afterwards."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()))
    reader.start()

    with output(path) as file:
        file.write(b"written")
    reader.join()

    assert received == [b"written"]
    assert path.is_fifo()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_standard_output_is_written_into(tmp_path: Path, name: str, kind: str) -> None:
    """A pipe, or a file that has content already, which stays."""
    program = (
        "import pathlib; from siliconflow_batch.state.atomic_file import output\n"
        "print('before')\n"
        f"with output(pathlib.Path({name!r})) as file: file.write(b'written\\n')\n"
        "print('after')\n"
    )
    path = tmp_path / "file"
    path.write_text("old\n" if kind == "file" else "")
    with path.open("a") as file:
        target = file if kind == "file" else subprocess.PIPE
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, stdout=target, check=True)  # noqa: S603 - a fixed program

    received = path.read_bytes() if kind == "file" else done.stdout
    start = b"old\n" if kind == "file" else b""
    assert received == start + b"before\nwritten\nafter\n"


def test_a_full_device_is_named() -> None:
    """The message has the path and the reason, and the device stays one."""
    path = Path("/dev/full")
    with pytest.raises(FileNotWritten, match=r"^Cannot write /dev/full: No space left on device\."):
        write_lines(path, [line()])

    assert path.is_char_device()


@pytest.mark.parametrize("size", [0, 40])
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, size: int) -> None:
    """The old file is as it was, and no other file is left."""
    path = tmp_path / "file"
    path.write_text("old")

    with full_disk(size), pytest.raises(FileNotWritten, match=f"^Cannot write {path}: File too"):
        write_lines(path, [line()] * 1000)

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file", "old")]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Before anything is read or written."""
    folder = tmp_path / "missing"

    with pytest.raises(ArgumentInvalid, match=f"the folder {folder} does not exist"):
        write_lines(folder / "file", iter(lambda: pytest.fail("a line was read"), None))


def test_impossible_targets_are_refused(tmp_path: Path) -> None:
    """A folder, a loop of links, a file used as a folder."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "loop", tmp_path / "file" / "x"):
        with pytest.raises(ArgumentInvalid, match="Cannot write"), output(path):
            pytest.fail("it was opened")
