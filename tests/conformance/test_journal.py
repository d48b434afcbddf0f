"""The journal: creations recorded before they are sent."""

import json
import os
import stat
from pathlib import Path

import pytest

from siliconflow_batch.errors import StateUnusable
from siliconflow_batch_conformance.service.journal import Journal
from support.journaled_runs import JournaledService, raise_disk_full


class TestJournal:
    def test_a_creation_is_on_disk_before_its_token_is_used(
        self, service: JournaledService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The record is synced before `intend` returns."""
        synced: list[bytes] = []
        with service.journal() as journal:
            monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.pread(file, 9999, 0)))
            token = journal.intend().token

        assert [json.loads(raw)["token"] for raw in synced] == [token]

    def test_a_full_disk_prevents_the_creation(
        self, service: JournaledService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A creation that cannot be recorded is refused."""
        with service.journal() as journal:
            monkeypatch.setattr(os, "fsync", raise_disk_full)

            with pytest.raises(StateUnusable, match=r"(?s)No space left.*\sSet SILICONFLOW_STATE"):
                journal.intend()
            assert journal.open_creations() == []

    def test_an_unusable_state_folder_is_named(
        self, service: JournaledService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which state_folder, why, and what to set."""
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "file"))

        with pytest.raises(StateUnusable, match=r"(?s)Cannot write .*file: .*SILICONFLOW_STATE"):
            service.journal()

    def test_it_is_private_and_contains_no_key(
        self, service: JournaledService, state_folder: Path
    ) -> None:
        """Files have mode 0600, folders 0700; neither names nor contents reveal the key."""
        before = os.umask(0)
        try:
            with service.journal("sk-secret-key") as journal:
                journal.intend()
        finally:
            os.umask(before)

        for path in [state_folder, *state_folder.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
            assert "secret-key" not in str(path)
            assert path.is_dir() or b"secret-key" not in path.read_bytes()

    def test_a_truncated_file_is_read(self, service: JournaledService, state_folder: Path) -> None:
        """A file cut off anywhere, even with garbage appended, yields its complete records."""
        with service.journal() as first:
            first.record_batch(first.intend().token, "batch_a")
            first.record_batch(first.intend().token, "batch_b")
        whole = first.path.read_bytes()

        garbage = (b"", b"\0\0\0", b"\xff\xfe{", b"[1]", b'\n"x"\n5\n{"event": 1}')
        counts = set()
        for size in range(len(whole) + 1):
            first.path.write_bytes(whole[:size] + garbage[(len(whole) - size) % 5])
            counts.add(self._reopen(service))
        first.path.write_bytes(whole)

        assert counts == {(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)}
        assert self._reopen(service) == (2, 2)

    def _reopen(self, service: JournaledService) -> tuple[int, int]:
        """The number of creations that another run reads, and how many of them have ids."""
        with service.journal() as journal:
            found = [other for other in journal.others() if isinstance(other, Journal)]
            creations = [creation for other in found for creation in other.creations.values()]
            ids = [creation.batch for creation in creations if creation.batch]
            assert ids == ["batch_a", "batch_b"][: len(ids)]
            return len(creations), len(ids)

    def test_a_truncated_line_does_not_affect_the_next_record(
        self, service: JournaledService
    ) -> None:
        """A record appended after half of one starts on a new line."""
        with service.journal() as first:
            first.intend()
            token = first.intend().token
        first.path.write_bytes(first.path.read_bytes()[:-5])

        with service.journal() as second:
            for other in second.others():
                assert isinstance(other, Journal)
                (creation,) = other.open_creations()
                other.record_batch(creation.token, "batch_c")
        with service.journal() as third:
            (batches,) = [
                [creation.batch for creation in other.creations.values()]
                for other in third.others()
                if isinstance(other, Journal)
            ]

        assert batches == ["batch_c"]
        assert token != creation.token

    def test_a_file_that_was_just_created_is_kept(self, service: JournaledService) -> None:
        """An empty, unlocked file may belong to a run that is about to lock it."""
        with service.journal() as journal:
            young, old = (journal.path.with_name(f"{name}.jsonl") for name in ("young", "old"))
            young.touch()
            old.touch()
            os.utime(old, (0, 0))

            service.clean_up(journal)

        assert (young.exists(), old.exists()) == (True, False)
