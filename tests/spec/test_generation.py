"""
generated/ contains the output of the generator and nothing else.
"""

import shutil
from pathlib import Path

import pytest

from contract.generation import GENERATED, PACKAGE, generate


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


class TestGeneration:
    def test_is_up_to_date(self, tmp_path: Path) -> None:
        """generated/ equals a new generation byte for byte, with the same files."""
        generate(tmp_path / "generated")

        assert files(GENERATED) == files(tmp_path / "generated")

    def test_has_the_typing_marker(self) -> None:
        """The package contains `py.typed`, so that type checkers read its annotations."""
        assert (GENERATED / PACKAGE / "py.typed").is_file()

    @pytest.mark.parametrize("edit", ["change", "add", "remove"])
    def test_manual_edit_is_detected(self, tmp_path: Path, edit: str) -> None:
        """A file that is changed, added or removed makes the comparison fail."""
        shutil.copytree(GENERATED, tmp_path / "generated")
        module = tmp_path / "generated" / PACKAGE / "errors.py"

        if edit == "change":
            module.write_bytes(module.read_bytes() + b"\n")
        elif edit == "add":
            module.with_name("more.py").touch()
        else:
            module.unlink()

        assert files(GENERATED) != files(tmp_path / "generated")
