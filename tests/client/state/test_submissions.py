"""What a submission has done so far, and who may continue it."""

import json
import os
import pickle
import stat
import time
from pathlib import Path

import pytest

from siliconflow_batch.cli.exits import exit_status
from siliconflow_batch.errors import ArgumentInvalid, StateUnusable
from siliconflow_batch.state.digests import account_digest, digest
from siliconflow_batch.state.submissions import Submission, SubmissionBusy, SubmissionFile
from support.state_folders import full_disk, read_only_folder, run, run_until_killed, start

NOW = 1_741_685_413.0
DAY = 86_400
STEPS = ("began", "uploaded", "creating", "created")
SUBMIT = f"""
import os, signal, sys
from siliconflow_batch.state.submissions import SubmissionFile

def reach(step):
    if step == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)

file = SubmissionFile.open("account", "name", "request", token="t", clock=lambda: {NOW})
print(os.getpid(), flush=True)
reach("began")
file.record(file_id="file-1", uploaded_at={NOW + 1})
reach("uploaded")
file.record(creating={NOW + 2})
reach("creating")
file.record(batch_id="batch_a")
reach("created")
sys.stdin.read()
"""
# Each process submits unless another one has it or has done so already; it prints what it sends.
CONTEND = """
import os
from siliconflow_batch.state.submissions import SubmissionBusy, SubmissionFile

def submit():
    while True:
        try:
            with SubmissionFile.open("account", "name", "request") as file:
                if file.submission.batch_id is None:
                    os.write(1, b"sent ")
                    file.record(creating=1.0)
                    file.record(batch_id="batch_a")
                return
        except SubmissionBusy:
            pass

children = []
for _ in range(12):
    if not (child := os.fork()):
        submit()
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""


def opened(request: str = "request", *, name: str = "name", now: float = NOW) -> SubmissionFile:
    return SubmissionFile.open(
        "account", name, request, token="t", source="prompts.jsonl", clock=lambda: now
    )


def begun(**facts: object) -> Submission:
    return Submission("t", "request", NOW, **facts)  # type: ignore[arg-type]


class TestRecord:
    def test_a_new_submission_knows_its_token(self) -> None:
        """The token given is used; without one, each submission has its own."""
        with opened() as file:
            submission = file.submission
        tokens = {SubmissionFile.open("account", name, "r").submission.token for name in "ab"}

        assert submission == begun(source="prompts.jsonl")
        assert len(tokens) == 2
        assert all(len(token) == 32 for token in tokens)

    def test_the_next_process_continues(self) -> None:
        """It reads every fact; the first token, time and `creating` are kept."""
        with opened() as file:
            file.record(file_id="file-1", uploaded_at=NOW + 1)
            file.record(creating=NOW + 2)
            file.record(creating=NOW + 9, batch_id="batch_a")

        with SubmissionFile.open("account", "name", "request", token="other") as file:
            assert file.submission == begun(
                source="prompts.jsonl",
                file_id="file-1",
                uploaded_at=NOW + 1,
                creating=NOW + 2,
                batch_id="batch_a",
            )

    def test_a_second_upload_replaces_the_first(self) -> None:
        """With its time, even if that is unknown."""
        with opened() as file:
            file.record(file_id="file-1", uploaded_at=NOW + 1)
            file.record(file_id="file-2")
        with opened() as file:
            submission = file.submission

        assert (submission.file_id, submission.uploaded_at) == ("file-2", None)

    def test_a_fact_is_synced_before_it_returns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What `record` has written is on disk."""
        synced: list[bytes] = []
        with opened() as file:
            monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.pread(fd, 9999, 0)))
            file.record(creating=NOW)

        assert [json.loads(raw.split(b"\n")[-1])["submission"]["creating"] for raw in synced] == [
            NOW
        ]

    def test_a_forgotten_submission_begins_again(self, state_folder: Path) -> None:
        """`forget` deletes the file."""
        with opened() as file:
            file.record(creating=NOW)
            file.forget()
            left = [*(state_folder / "submissions" / "account").iterdir()]

        assert left == []
        assert opened().submission.creating is None

    def test_another_request_is_refused(self) -> None:
        """The error names the earlier submission; that one is not changed."""
        with opened() as file:
            file.record(batch_id="batch_a")
        with pytest.raises(ArgumentInvalid) as raised:
            opened("another request")

        assert str(raised.value) == (
            "The idempotency key belongs to another submission of 'prompts.jsonl', begun on "
            f"2025-03-11 09:30:13 UTC and recorded in {file.path}. Nothing was sent.\n\n"
            "Use another key, or repeat that submission with the same content and options."
        )
        assert opened().submission.batch_id == "batch_a"

    def test_names_and_accounts_are_apart(self) -> None:
        """Each has its own submission."""
        with opened() as file:
            file.record(creating=NOW)
            others = [
                SubmissionFile.open("account", "other", "request"),
                SubmissionFile.open("other", "name", "request"),
            ]

        assert [other.submission.creating for other in others] == [None, None]

    def test_the_file_is_private(self, state_folder: Path) -> None:
        """Files have mode 0600 and folders 0700."""
        opened()

        for path in [state_folder, *state_folder.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


class TestProcesses:
    @pytest.mark.parametrize("number", range(len(STEPS)))
    def test_what_a_killed_process_has_recorded_is_there(self, number: int) -> None:
        """After `kill -9` at any step the next process has every fact up to that step."""
        facts: list[dict[str, object]] = [
            {},
            {"file_id": "file-1", "uploaded_at": NOW + 1},
            {"creating": NOW + 2},
            {"batch_id": "batch_a"},
        ]
        expected = {name: fact for step in facts[: number + 1] for name, fact in step.items()}

        run_until_killed(SUBMIT, STEPS[number])

        assert opened().submission == begun(**expected)

    def test_a_busy_submission_names_its_process(self) -> None:
        """The last one, and its machine; the lock is free as soon as that process is killed."""
        run_until_killed(SUBMIT, "began")
        with start(SUBMIT, "never") as process:
            assert process.stdout is not None
            pid = int(process.stdout.readline())
            with pytest.raises(SubmissionBusy) as raised:
                opened()
            process.kill()
        opened()

        assert raised.value.pid == pid
        assert str(raised.value) == (
            f"Process {pid} on {os.uname().nodename} is submitting the same input. Nothing was "
            "sent.\n\nWait until it ends, then submit again: that continues what is unfinished."
        )
        assert exit_status(raised.value) == 2
        assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)  # noqa: S301

    def test_a_process_that_has_recorded_nothing_yet_is_not_named(self) -> None:
        """A file without a record says nothing of its holder."""
        with opened() as file:
            file.path.write_bytes(b"")

            with pytest.raises(SubmissionBusy, match=r"^Another process is submitting"):
                opened()

    def test_one_of_many_processes_submits(self) -> None:
        """Of twelve processes that submit the same input, exactly one sends it."""
        assert run(CONTEND) == f"sent {[0] * 12}\n"


class TestUnusableFolder:
    def test_a_full_disk_prevents_the_submission(self, state_folder: Path) -> None:
        """Nothing is left of a submission that could not be recorded."""
        with full_disk(20), pytest.raises(StateUnusable, match="Set SILICONFLOW_STATE") as raised:
            opened()

        assert exit_status(raised.value) == 2
        assert [*(state_folder / "submissions" / "account").iterdir()] == []

    def test_a_full_disk_leaves_the_submission_as_it_was(self) -> None:
        """A fact that is not on disk is not in `submission`, and an id recorded later is."""
        with opened() as file:
            with full_disk(file.path.stat().st_size + 20), pytest.raises(StateUnusable):
                file.record(file_id="file-1")
            before = file.submission
            file.record(batch_id="batch_a")

        assert before == begun(source="prompts.jsonl")
        assert opened().submission.batch_id == "batch_a"

    def test_a_read_only_folder_prevents_the_submission(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The folder is named."""
        with read_only_folder() as folder:
            monkeypatch.setenv("SILICONFLOW_STATE", str(folder))

            with pytest.raises(StateUnusable, match=f"Cannot write {folder}/submissions: Perm"):
                opened()


class TestMemory:
    def test_old_entries_are_deleted(self, state_folder: Path) -> None:
        """They were not opened for 30 days, and no batch of unknown id may exist."""
        facts = {
            "done": {"creating": NOW, "batch_id": "batch_a"},
            "not sent": {"file_id": "file-1"},
            "unresolved": {"creating": NOW},
        }
        for name, fact in facts.items():
            with opened(name=name) as file:
                file.record(**fact)  # type: ignore[arg-type]
            os.utime(file.path, (NOW, NOW))
        damaged = file.path.with_name("damaged.jsonl")
        damaged.write_bytes(b"\x01")
        os.utime(damaged, (NOW, NOW))

        def names(now: float) -> set[str]:
            opened(name="new", now=now).close()
            return {path.stem for path in damaged.parent.iterdir()}

        assert names(NOW + 30 * DAY) == {*facts, "damaged", "new"}
        assert names(NOW + 30 * DAY + 1) == {"unresolved", "damaged", "new"}

    def test_use_keeps_an_entry(self) -> None:
        """Opening an entry counts."""
        with opened() as file:
            file.record(batch_id="batch_a")
        os.utime(file.path, (NOW, NOW))

        opened(now=NOW).close()
        opened(name="new", now=time.time() + 29 * DAY).close()

        assert file.path.exists()

    def test_an_entry_in_use_is_kept(self) -> None:
        """However old it is."""
        with opened() as file:
            os.utime(file.path, (NOW, NOW))
            opened(name="new", now=NOW + 31 * DAY).close()

            assert file.path.exists()


class TestSecrets:
    def test_the_file_reveals_nothing(self, state_folder: Path) -> None:
        """Neither names nor contents have the API key or the idempotency key."""
        account = account_digest("https://a.invalid/v1", "sk-secret")
        name = digest("secret-job")
        with SubmissionFile.open(account, name, digest("body")) as file:
            file.record(file_id="file-1", creating=NOW)

        assert "secret" not in str(file.path)
        assert b"secret" not in file.path.read_bytes()
        assert file.path == state_folder / "submissions" / account / f"{name}.jsonl"
