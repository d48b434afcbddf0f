"""The console script as people meet it: in this process, in one of its own, or on a terminal."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from attrs import define

SCRIPT = str(Path(sys.executable).with_name("siliconflow-batch"))
# A background shell has SIGINT ignored, and what it starts would inherit that.
LAUNCH = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] else signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])
"""


@define
class Said:
    """What a call printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        return [row.split("\t") for row in self.out.splitlines()]


Shell = Callable[..., Said]


def start(*arguments: str, nohup: bool = False, **options: Any) -> "subprocess.Popen[str]":
    """A process of its own, whose streams are pipes unless said otherwise."""
    # Unbuffered, what is left to write at the end would not be seen to break.
    buffered = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    options.setdefault("env", buffered)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", LAUNCH, "nohup" * nohup, SCRIPT, *arguments]
    return subprocess.Popen(command, text=True, **{**pipes, **options})  # noqa: S603


def ended(process: "subprocess.Popen[str]") -> Said:
    out, err = process.communicate()
    return Said(process.returncode, out or "", err or "")


def until(condition: Callable[[], bool]) -> None:
    """Returns when something has become true in another thread or process."""
    while not condition():
        time.sleep(0.001)


class Terminal:
    """A terminal that a process can be started on; `shown` is everything it ever showed."""

    def __init__(self) -> None:
        self._mine, self.theirs = pty.openpty()
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._mine)
        os.close(self.theirs)

    def type(self, text: str) -> None:
        os.write(self._mine, text.encode())

    def read_until(self, text: str) -> None:
        """Returns when a text was shown since the last time."""
        seen = len(self.shown)
        while text not in self.shown[seen:]:
            self.shown += os.read(self._mine, 65_536).decode()

    def read_rest(self) -> None:
        """Reads what was shown until now; call it when the process has ended."""
        os.write(self.theirs, b"<end>")
        self.read_until("<end>")
