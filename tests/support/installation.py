"""
Builds the wheel and installs it into new environments.

Rule: the source tree is out of reach: the wheel is built from a copy, and commands run in an empty
folder without PYTHONPATH.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
# Variables that could lead a command back to the source tree or to this test run.
DROPPED_VARIABLES = re.compile("PYTHON|PYTEST|SILICONFLOW|MYPY|COV|VIRTUAL_ENV")


@attrs.frozen
class Environment:
    """A virtual environment, and the folder in which its commands run."""

    folder: Path
    work_folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs a command of the environment to its end."""
        return subprocess.run(  # noqa: S603 - the tests choose the command
            [self.folder / "bin" / command, *arguments],
            cwd=self.work_folder,
            env=clean_variables(),
            capture_output=True,
            text=True,
            check=False,
        )


def clean_variables() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not DROPPED_VARIABLES.match(name)}


def build_wheel(source: Path, output: Path) -> Path:
    """Copies the tracked files to `source` and builds the wheel in `output`."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z"]
    tracked = subprocess.run(git, stdout=subprocess.PIPE, check=True)  # noqa: S603
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(output)],
        cwd=source,
        env=clean_variables(),
        check=True,
    )
    (wheel,) = output.glob("*.whl")
    return wheel


def locked_versions() -> str:
    """
    The versions in requirements.lock, as pip constraints.

    Without the hashes: pip accepts hashes for every package or for none, and the lock has no hash
    of the wheel.
    """
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    lines = (line.removesuffix("\\").rstrip() for line in lock.splitlines())
    return "".join(f"{line}\n" for line in lines if not line.startswith(" "))


def create_environment(folder: Path, requirement: str) -> Environment:
    """Creates an environment in `folder` and installs a requirement with the locked versions."""
    environment = Environment(folder / "environment", folder / "work")
    environment.work_folder.mkdir()
    constraints = folder / "constraints.txt"
    constraints.write_text(locked_versions(), encoding="utf-8")
    create = [sys.executable, "-m", "venv", str(environment.folder)]
    subprocess.run(create, env=clean_variables(), check=True)  # noqa: S603
    install = ("-m", "pip", "install", "--quiet", "--no-compile", "--constraint")
    result = environment.run("python", *install, constraints, requirement)
    if result.returncode != 0:
        raise RuntimeError(f"pip install {requirement} failed:\n{result.stderr}")
    return environment
