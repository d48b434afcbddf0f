"""What a run writes down before it creates anything."""

import json
import os
import stat
from pathlib import Path

import pytest

from siliconflow_batch_conformance.service.journal import Journal, digest
from siliconflow_batch_conformance.service.locked_file import StateUnusable, state
from support.journaled_runs import KEY, Site, full_disk


class TestJournal:
    def test_it_is_on_the_disk_before_the_token_is_told(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever holds a token may lose power: fsync came after the record."""
        synced: list[bytes] = []
        with site.journal() as journal:
            monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.pread(file, 9999, 0)))
            token = journal.intend().token

        assert [json.loads(raw)["token"] for raw in synced] == [token]

    def test_without_a_disk_nothing_is_intended(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What cannot be written down is not created."""
        with site.journal() as journal:
            monkeypatch.setattr(os, "fsync", full_disk)

            with pytest.raises(StateUnusable, match=r"No space left.* Set SILICONFLOW_STATE"):
                journal.intend()
            assert journal.left_open() == []

    def test_a_folder_that_cannot_be_is_told(
        self, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which folder, why, and what to set."""
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "file"))

        with pytest.raises(StateUnusable, match=r"file cannot be written.*SILICONFLOW_STATE"):
            site.journal()

    def test_others_cannot_read_it_and_no_key_is_in_it(self, site: Site, folder: Path) -> None:
        """0600 in folders of 0700; names and contents hold a digest at most."""
        before = os.umask(0)
        try:
            with site.journal("sk-not-to-be-told") as journal:
                journal.intend()
        finally:
            os.umask(before)

        for path in [folder, *folder.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
            assert "not-to-be-told" not in str(path)
            assert path.is_dir() or b"not-to-be-told" not in path.read_bytes()

    def test_a_base_url_in_its_spellings_is_one(self, site: Site, folder: Path) -> None:
        """A slash, a case and a default port make no other service; a path and a host do."""
        spellings = ["https://a.invalid/v1", "https://A.invalid/v1/", "https://a.invalid:443/v1"]
        others = ["https://a.invalid/v2", "https://b.invalid/v1", "http://a.invalid/v1"]

        def places(urls: list[str]) -> set[Path]:
            return {_closed(Journal.open(url, digest(KEY))).path.parent for url in urls}

        assert len(places(spellings)) == 1
        assert len(places(spellings + others)) == 4
        assert _closed(Journal.open(spellings[0], digest("sk-2"))).path.parent not in places(others)

    def test_what_a_crash_leaves_of_a_file_is_read(self, site: Site, folder: Path) -> None:
        """Cut anywhere, with rubbish behind, it gives what was whole, and is written on."""
        with site.journal() as first:
            first.made(first.intend().token, "batch_a")
            first.made(first.intend().token, "batch_b")
        whole = first.path.read_bytes()

        rubbish = (b"", b"\0\0\0", b"\xff\xfe{", b"[1]", b'\n"x"\n5\n{"event": 1}')
        counts = set()
        for size in range(len(whole) + 1):
            first.path.write_bytes(whole[:size] + rubbish[(len(whole) - size) % 5])
            counts.add(self._reopen(site))
        first.path.write_bytes(whole)

        assert counts == {(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)}
        assert self._reopen(site) == (2, 2)

    def _reopen(self, site: Site) -> tuple[int, int]:
        """How many entries another run finds, and how many of them with ids."""
        with site.journal() as journal:
            found = [other for other in journal.others() if other is not None]
            entries = [entry for other in found for entry in other.entries.values()]
            ids = [entry.batch for entry in entries if entry.batch]
            assert ids == ["batch_a", "batch_b"][: len(ids)]
            return len(entries), len(ids)

    def test_a_torn_line_does_not_swallow_the_next_one(self, site: Site) -> None:
        """A record that is added behind half of one begins a line of its own."""
        with site.journal() as first:
            first.intend()
            token = first.intend().token
        first.path.write_bytes(first.path.read_bytes()[:-5])

        with site.journal() as second:
            for other in second.others():
                assert other is not None
                (entry,) = other.left_open()
                other.made(entry.token, "batch_c")
        with site.journal() as third:
            (batches,) = [
                [entry.batch for entry in other.entries.values()]
                for other in third.others()
                if other is not None
            ]

        assert batches == ["batch_c"]
        assert token != entry.token

    def test_a_file_that_is_just_being_made_stays(self, site: Site) -> None:
        """Between its making and its lock a file is nobody's, and nobody takes it."""
        with site.journal() as journal:
            young, old = (journal.path.with_name(f"{name}.jsonl") for name in ("young", "old"))
            young.touch()
            old.touch()
            os.utime(old, (0, 0))

            site.clean_up(journal)

        assert (young.exists(), old.exists()) == (True, False)


def _closed(journal: Journal) -> Journal:
    journal.close()
    return journal


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
    def test_where_it_is(
        self, monkeypatch: pytest.MonkeyPatch, own: str, xdg: str, expected: str
    ) -> None:
        """The caller's own, or where such things are kept; a relative XDG path does not count."""
        monkeypatch.setenv("SILICONFLOW_STATE", own)
        monkeypatch.setenv("XDG_STATE_HOME", xdg)
        monkeypatch.setenv("HOME", "/home/me")

        assert state() == Path(expected)
