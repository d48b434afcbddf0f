"""Files of records: what is on disk, and who has the lock."""

import errno
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from siliconflow_batch.errors import ArgumentInvalid, SiliconFlowError, StateUnusable
from siliconflow_batch.state.locked_file import LockedFile, state
from support.state_folders import full_disk, read_only_folder, run, start

HOLD = """
import os, sys
from siliconflow_batch.state.locked_file import LockedFile
file = LockedFile.create("runs", name="a")
file.append({"number": 1})
"""
HOLD_UNTIL_KILLED = HOLD + "print(os.getpid(), flush=True); sys.stdin.read()"
HOLD_AND_FORK = (
    HOLD
    + """
import signal
reader, writer = os.pipe()
if child := os.fork():
    os.read(reader, 1)  # the child has closed its copy
    print(child, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
file.remove()
os.write(writer, b"x")
os.close(1)
signal.pause()
"""
)
# Every process locks the file, deletes it or not, and reports a lock that another one has, too.
CONTEND = """
import os, sys
from siliconflow_batch.state.locked_file import LockedFile, state

def use(number):
    held = 0
    while held < 60:
        if (file := LockedFile.open("runs", name="a")) is None:
            continue
        os.close(os.open(state() / "held", os.O_CREAT | os.O_EXCL))
        os.unlink(state() / "held")
        held += 1
        (file.close if (held + number) % 3 == 0 else file.remove)()

children = []
for number in range(12):
    if child := os.fork():
        children.append(child)
        continue
    try:
        use(number)
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)
print([os.waitpid(child, 0)[1] for child in children])
"""


class TestAppend:
    def test_a_record_is_synced_before_it_returns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What `append` has written is on disk."""
        file = LockedFile.create("runs", name="a")
        synced: list[bytes] = []
        monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.pread(fd, 99, 0)))

        file.append({"number": 1})

        assert synced == [b'\n{"number": 1}']

    def test_new_folders_are_synced(
        self, state_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The name of the file and those of the new folders are on disk before the first record."""
        synced = []
        monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))

        LockedFile.create("runs", name="a")

        above = [state_folder.parent, state_folder, state_folder / "runs"]
        assert synced == [folder.stat().st_ino for folder in above]

    @pytest.mark.parametrize("room", [0, 5])
    def test_a_full_disk_is_refused(self, room: int) -> None:
        """A record that does not fit raises; what fits later is read, without the first part."""
        file = LockedFile.create("runs", name="a")
        with full_disk(room), pytest.raises(StateUnusable, match=r"runs/a: .*(large|full)"):
            file.append({"number": 1})

        file.append({"number": 2})

        assert [*file.read()] == [{"number": 2}]

    def test_files_are_private(self, state_folder: Path) -> None:
        """Files have mode 0600 and folders 0700, whatever the umask."""
        before = os.umask(0)
        try:
            LockedFile.create("runs", name="a")
        finally:
            os.umask(before)

        for path in [state_folder, *state_folder.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


class TestLock:
    def test_one_holder_at_a_time(self) -> None:
        """A file that is open cannot be opened or resumed, in the same process either."""
        file = LockedFile.create("runs", name="a")

        during = LockedFile.open("runs", name="a"), LockedFile.resume(file.path)
        file.append({"number": 1})
        file.close()
        after = LockedFile.open("runs", name="a")

        assert during == (None, None)
        assert after is not None
        assert [*after.read()] == [{"number": 1}]

    def test_another_process_is_kept_out_until_it_is_killed(self, state_folder: Path) -> None:
        """`kill -9` frees the file, and its records stay."""
        path = state_folder / "runs" / "a"
        with start(HOLD_UNTIL_KILLED) as process:
            assert process.stdout is not None
            process.stdout.readline()
            during = LockedFile.resume(path), LockedFile.open("runs", name="a")
            process.kill()
        after = LockedFile.resume(path)

        assert during == (None, None)
        assert after is not None
        assert [*after.read()] == [{"number": 1}]

    def test_a_forked_child_does_not_have_it(self, state_folder: Path) -> None:
        """It can neither delete its parent's file nor keep the lock after the parent is killed."""
        with start(HOLD_AND_FORK) as process:
            assert process.stdout is not None
            child = int(process.stdout.readline())
            process.wait()
            resumed = LockedFile.resume(state_folder / "runs" / "a")
            os.kill(child, signal.SIGKILL)

        assert resumed is not None

    def test_deletion_and_creation_never_give_it_to_two(self) -> None:
        """Of twelve processes that lock, delete and create the file 60 times, one has it."""
        assert run(CONTEND) == f"{[0] * 12}\n"

    def test_a_file_deleted_by_others_is_created_again(self) -> None:
        """A holder whose file was deleted does not keep the next one out."""
        file = LockedFile.create("runs", name="a")
        file.path.unlink()

        assert LockedFile.open("runs", name="a") is not None

    def test_a_removed_file_leaves_nothing(self, state_folder: Path) -> None:
        """No lock file stays next to it."""
        LockedFile.create("runs", name="a").remove()

        assert [*(state_folder / "runs").iterdir()] == []

    def test_an_empty_new_file_is_not_resumed(self, state_folder: Path) -> None:
        """Its creator may be about to lock it."""
        LockedFile.create("runs", name="a").close()
        path = state_folder / "runs" / "a"

        young = LockedFile.resume(path)
        os.utime(path, (0, 0))
        old = LockedFile.resume(path)

        assert young is None
        assert old is not None

    def test_a_file_system_without_locks_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No soft lock takes the place of the real one, because `kill -9` would leave it."""
        import fcntl

        def refuse(*_: int) -> None:
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(fcntl, "flock", refuse)

        with pytest.raises(StateUnusable, match="Function not implemented"):
            LockedFile.open("runs", name="a")


class TestWithoutTheExtra:
    @pytest.mark.parametrize("use", [LockedFile.create, LockedFile.open])
    def test_it_is_named(
        self, use: object, state_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without filelock, the error names the extra, and nothing is created."""
        monkeypatch.setitem(sys.modules, "filelock", None)

        with pytest.raises(ArgumentInvalid, match=r"pip install 'siliconflow-batch\[state\]'"):
            use("runs", name="a")  # type: ignore[operator]

        assert not state_folder.exists()


class TestStateFolder:
    @pytest.mark.parametrize(
        ("own", "xdg", "expected"),
        [
            ("/own", "/xdg", "/own"),
            ("", "/xdg", "/xdg/siliconflow-batch"),
            ("", "", "/home/me/.local/state/siliconflow-batch"),
            ("", "relative", "/home/me/.local/state/siliconflow-batch"),
        ],
    )
    def test_it_follows_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, own: str, xdg: str, expected: str
    ) -> None:
        """SILICONFLOW_STATE comes first, then an absolute XDG_STATE_HOME, then the home folder."""
        monkeypatch.setenv("SILICONFLOW_STATE", own)
        monkeypatch.setenv("XDG_STATE_HOME", xdg)
        monkeypatch.setenv("HOME", "/home/me")

        assert state() == Path(expected)

    def test_a_relative_one_is_in_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file stays where it is if the working directory changes afterwards."""
        monkeypatch.setenv("SILICONFLOW_STATE", "here")
        monkeypatch.chdir(tmp_path)
        file = LockedFile.create("runs", name="a")

        monkeypatch.chdir("/")
        file.append({"number": 1})

        assert file.path == tmp_path / "here" / "runs" / "a"
        assert file.path.exists()

    def test_a_read_only_one_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Which folder, why, and what to set."""
        with read_only_folder() as folder:
            monkeypatch.setenv("SILICONFLOW_STATE", str(folder))

            with pytest.raises(StateUnusable) as raised:
                LockedFile.open("runs", name="a")

        assert isinstance(raised.value, SiliconFlowError)
        assert str(raised.value) == (
            f"Cannot write {folder}/runs: Permission denied\n\n"
            "Every batch is recorded there before it is created. "
            "Set SILICONFLOW_STATE to a folder that can be written."
        )

    def test_a_file_in_its_place_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file cannot be the state folder."""
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "file"))

        with pytest.raises(StateUnusable, match=r"Cannot write .*/file"):
            LockedFile.open("runs", name="a")

    def test_no_home_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A user without a home folder has to set SILICONFLOW_STATE."""

        def home() -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.delenv("SILICONFLOW_STATE")
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.setattr(Path, "home", home)

        with pytest.raises(StateUnusable, match=r"~/.local/state: Could not determine home"):
            LockedFile.open("runs", name="a")
