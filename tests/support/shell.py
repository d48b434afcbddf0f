"""The console script, called in this process, in a process of its own, or on a terminal."""

import contextlib
import io
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from attrs import define

from siliconflow_batch import console

SCRIPT = str(Path(sys.executable).with_name("siliconflow-batch"))
# A background shell ignores SIGINT, and its child processes inherit that.
LAUNCH = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] else signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])
"""


@define
class Result:
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        return [row.split("\t") for row in self.out.splitlines()]


Shell = Callable[..., Result]


def start(*arguments: str, nohup: bool = False, **options: Any) -> "subprocess.Popen[str]":
    """Starts the console script as a process; its output goes to pipes by default."""
    # Unbuffered output would hide errors of the last flush.
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    options.setdefault("env", environment)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", LAUNCH, "nohup" * nohup, SCRIPT, *arguments]
    return subprocess.Popen(command, text=True, **{**pipes, **options})  # noqa: S603


def wait_for_exit(process: "subprocess.Popen[str]") -> Result:
    out, err = process.communicate()
    return Result(process.returncode, out or "", err or "")


def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition that another thread or process makes true."""
    while not condition():
        time.sleep(0.001)


def call_on_terminal(terminal: "Terminal", *arguments: str, stdout: bool = False) -> Result:
    """Calls the console script in this process, with stderr or both streams on a terminal."""
    output = io.StringIO()
    with (
        os.fdopen(os.dup(terminal.slave), "w") as stream,
        contextlib.redirect_stderr(stream),
        contextlib.redirect_stdout(stream if stdout else output),
    ):
        status = console.main(arguments)
    return Result(status, output.getvalue(), "")


class Terminal:
    """A pseudo-terminal; `shown` is all output that was read from it."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._master)
        os.close(self.slave)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def read_until(self, text: str) -> None:
        """Reads until a text is shown."""
        start = len(self.shown)
        while text not in self.shown[start:]:
            self.shown += os.read(self._master, 65_536).decode()

    def read_rest(self) -> None:
        """Reads the remaining output; call it when the process has ended."""
        os.write(self.slave, b"<end>")
        self.read_until("<end>")
