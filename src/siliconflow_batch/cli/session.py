"""
One call of the program: what it says and to whom, its client, and the worst that happened.

Rule 1: stdout has the results, stderr everything else; with `--json` both have JSON alone.
Rule 2: the key comes from the environment or from a hidden prompt, and is never printed.
Rule 3: what goes wrong with one file or batch is said, and the others are still seen to.
"""

import contextlib
import getpass
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any

from attrs import define, field
from rich.console import Console
from rich.text import Text
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from .. import AsyncSiliconFlowBatch, SiliconFlowBatch
from ..errors import KeyMissing, SiliconFlowError
from . import exits
from .messages import facts, parts, safe, to_json

PROGRAM = "siliconflow-batch"
KEY = "SILICONFLOW_API_KEY"


@define
class Session:
    """
    `arguments` are those of the call. `onward` is what to say, and which command to name, when the
    call is interrupted; where it is empty, the same call goes on.
    """

    arguments: list[str]
    json: bool = False
    base_url: str | None = None
    worst: int = exits.DONE
    onward: list[tuple[str, tuple[str, ...]]] = field(factory=list)
    key: str | None = field(default=None, repr=False)
    console: Console = field(factory=lambda: Console(stderr=True, highlight=False))

    @property
    def live(self) -> bool:
        """Whether somebody watches progress."""
        return not self.json and sys.stderr.isatty() and not self.console.is_dumb_terminal

    def put(self, text: str) -> None:
        """A line of results; at once, for whoever reads them as they come."""
        if self.live and sys.stdout.isatty():  # bars may be drawn on the same terminal
            self.console.print(Text(text), soft_wrap=True)
            return
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()

    def put_json(self, value: Any) -> None:
        self.put(to_json(value, ascii_only=not _is_utf8(sys.stdout.encoding)))

    def tell(self, text: str, style: str = "") -> None:
        """Lines for people, which are not interpreted; nothing with `--json`."""
        if self.json:
            return
        lines = "\n".join(safe(line) for line in text.splitlines())
        if self.live:  # bars may be drawn, which the console knows to keep below
            self.console.print(Text(lines, style), soft_wrap=True)
        else:
            sys.stderr.write(lines + "\n")

    def fail(self, error: Exception, about: str = "") -> None:
        """Says what went wrong, and remembers how bad it is."""
        self.worst = max(self.worst, exits.code(error))
        said, advice, following = parts(error)
        command = self.command(*following) if following else ""
        if self.json:
            more = {"advice": advice, "next": [command] if command else []}
            self._tell_json(facts(error, about) | {k: v for k, v in more.items() if v})
            return
        named = f"{about}: " if about and about not in said else ""
        self.tell(f"{PROGRAM}: {named}{said}", "bold")
        if advice:
            self.tell(advice)
        if command:
            self.tell(f"  {command}")

    @contextlib.contextmanager
    def each(self, about: str) -> Iterator[None]:
        """What goes wrong in here is said, and does not end the call."""
        try:
            yield
        except BrokenPipeError:
            raise
        except (SiliconFlowError, OSError) as error:
            self.fail(error, about)

    def interrupted(self) -> None:
        """Says how to go on."""
        self.worst = exits.INTERRUPTED
        again = shlex.join([PROGRAM, *self.arguments])
        onward = [(text, self.command(*following)) for text, following in self.onward]
        onward = onward or [("go on with the same command:", again)]
        if self.json:
            found = facts(exits.Interrupted("; ".join(text for text, _ in onward)), "")
            self._tell_json(found | {"next": [command for _, command in onward]})
            return
        self.tell(f"{PROGRAM}: interrupted; what the service has begun goes on.", "bold")
        for text, command in onward:
            self.tell(f"{text}\n  {command}")

    def command(self, *arguments: str) -> str:
        """A command line of this program, for the same site."""
        site = ["--base-url", self.base_url] if self.base_url else []
        return shlex.join([PROGRAM, *arguments, *site])

    def client(self, base_url: str | None) -> SiliconFlowBatch:
        self.base_url = base_url
        self.key = self.key or _typed_key()
        return SiliconFlowBatch(self.key, base_url)

    def async_client(self, base_url: str | None) -> AsyncSiliconFlowBatch:
        self.base_url = base_url
        self.key = self.key or _typed_key()
        return AsyncSiliconFlowBatch(self.key, base_url)

    def _tell_json(self, found: dict[str, Any]) -> None:
        sys.stderr.write(to_json({"error": found}, ascii_only=True) + "\n")


def _typed_key() -> str | None:
    """The key that somebody types; None where the environment has one, or nobody is there."""
    if os.environ.get(KEY, "").strip() or sys.stdin is None or not sys.stdin.isatty():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would be shown
            return getpass.getpass(f"{KEY} (not shown): ")
    except (EOFError, getpass.GetPassWarning) as error:
        raise KeyMissing from error


def _is_utf8(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "") == "utf8"


@contextlib.contextmanager
def retries_told(session: Session) -> Iterator[None]:
    """What is tried again is said in a line each, not logged."""

    def tell(details: RetryDetails) -> None:
        said = parts(details.caused_by)[0]
        session.tell(f"{said}; trying again in {details.wait_for:.1f} s")

    before = get_on_retry_hooks()
    set_on_retry_hooks([tell])
    try:
        yield
    finally:
        set_on_retry_hooks(before)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """
    Being told to end (SIGTERM), or that the terminal is gone (SIGHUP), interrupts as Ctrl-C does.

    What is ignored stays ignored, as under nohup.
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
    # An event loop has a handler of its own while it runs, which ends its tasks in order.
    handler = signal.getsignal(signal.SIGINT)
    known = handler if callable(handler) else signal.default_int_handler
    known(signal.SIGINT, frame)
