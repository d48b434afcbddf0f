"""
One invocation of the program: its output, its client and its exit status.

Rule 1: results are written to stdout and everything else to stderr; with `--json` both are JSON.
Rule 2: the key is read from the environment or from a hidden prompt, and is never printed.
Rule 3: an error of one file or batch is reported, and the others are still processed.
"""

import contextlib
import getpass
import logging
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from attrs import define, field
from rich.console import Console
from rich.text import Text

from .. import AsyncSiliconFlowBatch, Patience, SiliconFlowBatch
from ..errors import KeyMissing, SiliconFlowError
from ..transport.logs import log
from . import exits
from .messages import facts, parts, safe, to_json

PROGRAM = "siliconflow-batch"
KEY = "SILICONFLOW_API_KEY"


@define
class Session:
    """
    The state of an invocation with these `arguments`.

    `next_steps` are messages and commands to print if it is interrupted; by default, the same
    command.
    """

    arguments: list[str]
    json: bool = False
    base_url: str | None = None
    exit_status: int = exits.SUCCESS
    next_steps: list[tuple[str, tuple[str, ...]]] = field(factory=list)
    key: str | None = field(default=None, repr=False)
    hide: Callable[[str], str] = str  # replaces the key in a text
    console: Console = field(factory=lambda: Console(stderr=True, highlight=False))

    @property
    def live(self) -> bool:
        """Whether progress bars are drawn."""
        return not self.json and sys.stderr.isatty() and not self.console.is_dumb_terminal

    def print_result(self, text: str) -> None:
        """Prints a line to stdout and flushes it."""
        text = self.hide(text)
        if self.live and sys.stdout.isatty():  # progress bars may be on the same terminal
            self.console.print(Text(text), soft_wrap=True)
            return
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()

    def print_json(self, value: Any) -> None:
        self.print_result(to_json(value, ascii_only=not _is_utf8(sys.stdout.encoding)))

    def print_note(self, text: str, style: str = "") -> None:
        """Prints lines to stderr, unless the output is JSON."""
        if self.json:
            return
        lines = "\n".join(safe(line) for line in self.hide(text).splitlines())
        if self.live:  # keeps progress bars below the text
            self.console.print(Text(lines, style), soft_wrap=True)
        else:
            sys.stderr.write(lines + "\n")

    def discard_output(self) -> None:
        """Makes further output to stdout, whose reader has gone, no error."""
        with contextlib.suppress(OSError, ValueError):  # a test may have replaced stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def report_error(self, error: Exception, about: str = "") -> None:
        """Prints an error about a file or batch, and raises the exit status accordingly."""
        self.exit_status = max(self.exit_status, exits.exit_status(error))
        message, advice, arguments = parts(error)
        command = self.command(*arguments) if arguments else ""
        if self.json:
            more = {"advice": advice, "next": [command] if command else []}
            self._print_error_json(facts(error, about) | {k: v for k, v in more.items() if v})
            return
        subject = f"{about}: " if about and about not in message else ""
        self.print_note(f"{PROGRAM}: {subject}{message}", "bold")
        if advice:
            self.print_note(advice)
        if command:
            self.print_note(f"  {command}")

    @contextlib.contextmanager
    def report_errors(self, about: str) -> Iterator[None]:
        """Reports errors in the block instead of raising them."""
        try:
            yield
        except BrokenPipeError:
            raise
        except (SiliconFlowError, OSError) as error:
            self.report_error(error, about)

    def report_interruption(self) -> None:
        """Prints how to continue."""
        self.exit_status = exits.INTERRUPTED
        again = shlex.join([PROGRAM, *self.arguments])
        steps = [(text, self.command(*arguments)) for text, arguments in self.next_steps]
        steps = steps or [("To continue, run the same command:", again)]
        if self.json:
            error = facts(exits.Interrupted("; ".join(text for text, _ in steps)), "")
            self._print_error_json(error | {"next": [command for _, command in steps]})
            return
        self.print_note(f"{PROGRAM}: interrupted; batches continue.", "bold")
        for text, command in steps:
            self.print_note(f"{text}\n  {command}")

    def command(self, *arguments: str) -> str:
        """A command line of this program with the same base URL."""
        site = ["--base-url", self.base_url] if self.base_url else []
        return shlex.join([PROGRAM, *arguments, *site])

    def client(self, base_url: str | None, patience: Patience | None = None) -> SiliconFlowBatch:
        self.base_url = base_url
        self.key = self.key or _prompt_for_key()
        client = SiliconFlowBatch(self.key, base_url, patience=patience)
        self.hide = client._settings.authorization.hide
        return client

    def async_client(self, base_url: str | None) -> AsyncSiliconFlowBatch:
        self.base_url = base_url
        self.key = self.key or _prompt_for_key()
        client = AsyncSiliconFlowBatch(self.key, base_url)
        self.hide = client._settings.authorization.hide
        return client

    def _print_error_json(self, error: dict[str, Any]) -> None:
        sys.stderr.write(self.hide(to_json({"error": error}, ascii_only=True)) + "\n")


def _prompt_for_key() -> str | None:
    """Prompts for the key; None if it is in the environment, or without a terminal."""
    if os.environ.get(KEY, "").strip() or sys.stdin is None or not sys.stdin.isatty():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # the key would be visible
            return getpass.getpass(f"{KEY} (not shown): ")
    except (EOFError, getpass.GetPassWarning) as error:
        raise KeyMissing from error


def _is_utf8(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "") == "utf8"


class _Notes(logging.Handler):
    """Prints each record of the package's log as a note."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        self._session.print_note(record.getMessage())


@contextlib.contextmanager
def reported_log(session: Session) -> Iterator[None]:
    """Prints what the package logs: retries, and creations in doubt."""
    handler = _Notes(session)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """
    Makes SIGTERM and SIGHUP interrupt the program like Ctrl-C.

    Signals that are ignored, as under nohup, stay ignored.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_: int, frame: FrameType | None) -> None:
    # A running event loop has its own handler, which cancels its tasks.
    handler = signal.getsignal(signal.SIGINT)
    handle = handler if callable(handler) else signal.default_int_handler
    handle(signal.SIGINT, frame)
