"""The console script: its commands, and missing extras."""

import importlib
from typing import Any

import pytest

from siliconflow_batch import console


def test_an_unknown_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The error names the command and lists all commands."""
    assert console.main(["simulat"]) == 2

    error = capsys.readouterr().err
    assert "unknown command 'simulat'" in error
    assert "simulate" in error
    assert "conformance" in error


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """--help lists the commands; without arguments the same is printed."""
    assert console.main(arguments) == 0

    assert "usage: siliconflow-batch" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["simulate", "conformance"])
def test_a_missing_extra(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error contains the pip command that installs the dependencies."""
    _, extra, _ = console.COMMANDS[name]

    def import_module(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named 'uvicorn' ({name})", name="uvicorn")

    monkeypatch.setattr(importlib, "import_module", import_module)

    assert console.main([name]) == 2
    assert f"pip install 'siliconflow-batch[{extra}]'" in capsys.readouterr().err
