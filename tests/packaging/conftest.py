import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.installation import Environment, build_wheel, create_environment


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment with the wheel and its required dependencies only."""
    folder = tmp_path_factory.mktemp("base")
    yield create_environment(folder, str(wheel))
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment with the wheel and all its extras."""
    folder = tmp_path_factory.mktemp("full")
    yield create_environment(folder, f"{wheel}[cli,simulator,conformance]")
    shutil.rmtree(folder)
