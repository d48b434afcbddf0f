"""Programs that the tests need: skipped without them, but not in CI."""

from pathlib import Path

import pytest

from support.required_tools import required_tool


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_an_installed_tool_is_found(empty_path: Path) -> None:
    """The first name on the PATH counts."""
    tool = empty_path / "second"
    tool.touch(mode=0o755)

    assert required_tool("first", "second") == str(tool)


def test_a_missing_tool_fails_in_ci(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CI set, the test fails and names the packages to install."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium shellcheck"):
        required_tool("shellcheck")


def test_a_missing_tool_skips_elsewhere(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CI, the test is skipped."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="shellcheck is not on the PATH"):
        required_tool("shellcheck")
