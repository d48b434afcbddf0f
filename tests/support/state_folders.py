"""State folders that cannot be written, and processes that use one and are killed."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

NOBODY = 65534


@contextlib.contextmanager
def full_disk(size: int = 0) -> Iterator[None]:
    """No file can grow beyond `size` bytes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def read_only_folder() -> Iterator[Path]:
    """A folder in which this process may create nothing, even if it is started by root."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        if root:
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)


def start(program: str, *arguments: str) -> "subprocess.Popen[str]":
    """Starts a Python program, with a pipe for its input and one for its output."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(  # noqa: S603 - a program of the tests
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def run_until_killed(program: str, *arguments: str) -> None:
    """Runs a Python program that kills itself with SIGKILL."""
    with start(program, *arguments) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def run(program: str, *arguments: str) -> str:
    """Runs a Python program to its end, which must be success; returns what it prints."""
    with start(program, *arguments) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    return output
