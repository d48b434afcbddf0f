"""The file of known deviations: what is read, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from siliconflow_batch_conformance import requirements
from siliconflow_batch_conformance.deviations import LEDGER, Entry, LedgerInvalid, read

TARGET = "https://api.siliconflow.cn/v1"
LAST_DAY = date(2026, 3, 31)
GOOD = """\
https://api.siliconflow.cn/v1:
  - requirement: LIST-3
    kind: deviation
    reason: paging is not built yet
    evidence: the batch guide
    expires: 2026-03-31
"""


class TestLedger:
    def test_the_packaged_ledger_is_valid(self) -> None:
        """The ledger in the package can be read and has no entries."""
        assert read(LEDGER, requirements.load()) == []

    def test_an_entry_is_read(self, tmp_path: Path) -> None:
        """An entry has its fields and its place in the file."""
        (read_entry,) = self._read(tmp_path, GOOD)

        assert read_entry == Entry(
            TARGET,
            "LIST-3",
            "deviation",
            "paging is not built yet",
            "the batch guide",
            LAST_DAY,
            f"deviations.yaml, line 2, entry 1 of {TARGET}",
        )

    def test_an_empty_ledger_is_valid(self, tmp_path: Path) -> None:
        """An empty file, and one with an empty mapping, have no entries."""
        assert self._read(tmp_path, "") == self._read(tmp_path, "# nothing\n{}\n") == []

    def test_one_requirement_may_deviate_on_two_targets(self, tmp_path: Path) -> None:
        """The same requirement may have an entry for each target."""
        other = GOOD.replace("siliconflow.cn", "siliconflow.com")

        assert len(self._read(tmp_path, GOOD + other)) == 2

    @pytest.mark.parametrize(
        ("old", "new", "line", "message"),
        [
            ("LIST-3", "LIST-99", 2, "unknown requirement 'LIST-99'; see --list"),
            ("kind: deviation", "kind: known", 2, "unknown kind 'known'; use deviation or flaky"),
            ("2026-03-31", "2026-02-30", 2, "expires must be a date such as 2026-03-31"),
            ("2026-03-31", "2026-03-31 10:00:00", 2, "expires must be a date"),
            ("2026-03-31", "never", 2, "expires must be a date"),
            ("    evidence: the batch guide\n", "", 2, "missing evidence"),
            ("the batch guide", "", 2, "'evidence' needs a text"),
            ("the batch guide", "null", 2, "'evidence' needs a text"),
            ("the batch guide", '"  "', 2, "'evidence' needs a text"),
            ("the batch guide", "[a, b]", 2, "'evidence' needs a text"),
            ("evidence:", "proof:", 2, "unknown field 'proof'; use requirement, kind"),
            ("kind:", "reason:", 4, "duplicate key 'reason'; remove one"),
            (GOOD, GOOD + GOOD, 7, "duplicate key"),
            (GOOD, GOOD + GOOD.partition("\n")[2], 7, "LIST-3 already has an entry at deviations"),
            (GOOD, GOOD + GOOD.replace("v1", "v1/", 1), 8, "line 2, entry 1 of"),
            (GOOD, "- LIST-3\n", 1, "a ledger maps targets to lists of entries"),
            (GOOD, "'*': LIST-3\n", 1, "'*' needs a list of entries"),
            (GOOD, "'*':\n  - LIST-3\n", 2, "an entry has the fields requirement, kind"),
            (GOOD, "'*':\n  - [a]: b\n", 2, "an entry has the fields"),
            (
                "https://api.siliconflow.cn",
                "https://",
                1,
                "invalid target 'https:///v1'; use a base URL",
            ),
            ("siliconflow.cn", "siliconflow.cn:x", 1, "invalid target"),
            ("siliconflow.cn/v1", "siliconflow.cn/v1?a=b", 1, "invalid target"),
            ("api.siliconflow.cn", "sk-key@api.siliconflow.cn", 1, "invalid target"),
            ("https://api.siliconflow.cn/v1", "**", 1, "cannot be read"),
            ("  - requirement", " - - : requirement", 2, ""),
            ("    kind", "  kind", 3, "cannot be read"),
        ],
    )
    def test_an_invalid_ledger_is_refused(
        self, tmp_path: Path, old: str, new: str, line: int, message: str
    ) -> None:
        """The error names the line, the problem and what to do."""
        assert old in GOOD

        with pytest.raises(LedgerInvalid) as invalid:
            self._read(tmp_path, GOOD.replace(old, new, 1))

        assert f"line {line}" in str(invalid.value)
        assert message in str(invalid.value)

    def test_an_unreadable_ledger_is_refused(self, tmp_path: Path) -> None:
        """A missing file and a binary file are not empty ledgers."""
        (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

        for name in ("missing.yaml", "binary.yaml"):
            with pytest.raises(LedgerInvalid, match=rf"{name}: cannot be read"):
                read(tmp_path / name, {"LIST-3"})

    def _read(self, folder: Path, text: str) -> list[Entry]:
        path = folder / "deviations.yaml"
        path.write_text(text, encoding="utf-8")
        return read(path, {"LIST-3", "LIST-4"})
