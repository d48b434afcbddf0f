"""A state folder for each test."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "state"))
    return tmp_path / "state"
