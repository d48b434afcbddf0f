"""The console script: finding a command, or saying what is missing."""

import importlib
from typing import Any

import pytest

from siliconflow_batch import console


def test_an_unknown_command_is_named_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mistyped command gets the list."""
    assert console.main(["simulat"]) == 2

    said = capsys.readouterr().err
    assert "no command 'simulat'" in said
    assert "simulate" in said
    assert "conformance" in said


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_is_no_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """--help prints the commands, and so does nothing at all."""
    assert console.main(arguments) == 0

    assert "usage: siliconflow-batch" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["simulate", "conformance"])
def test_a_missing_extra_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command whose dependencies are not installed says what to install."""
    _, extra, _ = console.COMMANDS[name]

    def without(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named 'uvicorn' ({name})", name="uvicorn")

    monkeypatch.setattr(importlib, "import_module", without)

    assert console.main([name]) == 2
    assert f"pip install 'siliconflow-batch[{extra}]'" in capsys.readouterr().err
