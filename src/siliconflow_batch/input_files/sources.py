"""
What an input file can be made of: a path, bytes, an open file, or an iterable of lines.

Rule: an input is read at least twice, to be checked and to be sent. What can be read only once is
copied first, to a temporary file that is gone when it is closed.
"""

import contextlib
import io
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias, cast

from attrs import define

from ..errors import ArgumentInvalid, FileNotWritten, InputFileInvalid, LineFault
from ..parameters import checked_path
from .lines import encoded

MOST_BYTES = 10**9  # of an input file, as the service documents
PIECE = 1 << 20  # bytes
NAME = "requests.jsonl"  # of what has no name of its own
ACCEPTED = "pass a path, bytes, a file opened in binary mode, or an iterable of lines"


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


Line: TypeAlias = Mapping[str, Any] | bytes | str
Source: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | Readable | Iterable[Line]
)


@define(frozen=True)
class InputFile:
    """
    An input that can be read again, from where it begins.

    `label` names it in messages, `name` is the name of its upload. `is_copy`: it was a pipe, or
    something else that can be read only once.
    """

    label: str
    name: str
    is_copy: bool
    _place: Path | IO[bytes]
    _start: int = 0

    @contextlib.contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The file at its beginning; raises `ArgumentInvalid` if it cannot be read."""
        if isinstance(self._place, Path):
            with _reading(self.label):
                file = self._place.open("rb")
            with file:
                yield file
        else:
            with _reading(self.label):
                self._place.seek(self._start)
            yield self._place


@contextlib.contextmanager
def opened(source: Source, *, name: str | None = None) -> Iterator[InputFile]:
    """
    The input file of a source, for as long as the block lasts. `name` replaces its own.

    An open file is read from its current position. Raises `ArgumentInvalid` for anything else than
    a `Source`, and if it cannot be read; `InputFileInvalid` if a copy would be too large, and
    `FileNotWritten` if the disk has no room for it.
    """
    label = name or _label(source)
    if (kept := _kept(source, label, name)) is not None:
        yield kept
        return
    with contextlib.ExitStack() as stack:
        with _writing(label):
            copy = stack.enter_context(tempfile.TemporaryFile(prefix="siliconflow-batch-"))
        size = 0
        for piece in _pieces(source, label):
            size += len(piece)
            if size > MOST_BYTES:
                reason = f"the input has more than {MOST_BYTES:,} bytes; split it"
                raise InputFileInvalid([LineFault(label, 0, "", reason)])
            with _writing(label):
                copy.write(piece)
        with _writing(label):
            copy.flush()
        yield InputFile(label, name or NAME, True, copy)


def downloaded(path: Path) -> InputFile:
    """An input file that was downloaded to a path."""
    return InputFile(path.name, path.name, False, path)


def _kept(source: Source, label: str, name: str | None) -> InputFile | None:
    """The input file of what can be read again; None for anything else."""
    if isinstance(source, bytes | bytearray | memoryview):
        return InputFile(label, name or NAME, False, io.BytesIO(source))
    if isinstance(source, str | os.PathLike):
        path = _path(source)
        with _reading(label):
            is_regular = stat.S_ISREG(path.stat().st_mode)
        # The name of a file on disk may have bytes that are not UTF-8.
        own = path.name.encode(errors="replace").decode()
        return InputFile(label, name or own, False, path) if is_regular else None
    if isinstance(source, io.BytesIO) or _is_file_on_disk(source):
        file = cast(IO[bytes], source)
        with _reading(label):
            start = file.tell()
            if start and not file.read(1):
                raise ArgumentInvalid(f"{label} is at its end; go back with seek(0).")
        own = Path(label).name if isinstance(getattr(file, "name", None), str) else NAME
        return InputFile(label, name or own, False, file, start)
    return None


def _is_file_on_disk(source: object) -> bool:
    """Whether it is what `open` returns for a regular file, which a pipe or gzip stream is not."""
    raw = getattr(source, "raw", source)
    is_plain = isinstance(source, io.BufferedReader | io.BufferedRandom | io.FileIO)
    if not is_plain or not isinstance(raw, io.FileIO) or raw.closed:
        return False
    return stat.S_ISREG(os.fstat(raw.fileno()).st_mode)


def _pieces(source: Source, label: str) -> Iterator[bytes]:
    """The bytes of a source that can be read once."""
    if isinstance(source, str | os.PathLike):
        with _reading(label):
            file = _path(source).open("rb")
        with file:
            yield from _read(file, label)
    elif isinstance(source, io.TextIOBase):
        raise ArgumentInvalid(f"{label} is open as text; open it in binary mode.")
    elif hasattr(source, "read"):
        yield from _read(cast(Readable, source), label)
    elif _is_table(source) or not isinstance(source, Iterable):
        raise ArgumentInvalid(f"Cannot read {type(source).__name__!r}: {ACCEPTED}.")
    else:
        for number, line in enumerate(source, 1):
            yield _line(number, line)


def _read(file: Readable, label: str) -> Iterator[bytes]:
    while True:
        with _reading(label):
            piece = file.read(PIECE)
        if not isinstance(piece, bytes | bytearray | memoryview):
            kind = type(piece).__name__
            raise ArgumentInvalid(f"Cannot read {label}: it returned a {kind} instead of bytes.")
        if not piece:
            return
        yield bytes(piece)


def _is_table(source: object) -> bool:
    """Whether an iteration yields names instead of lines, or the parts of an upload."""
    is_upload = isinstance(source, tuple) and bool(source) and isinstance(source[0], str)
    return isinstance(source, Mapping) or hasattr(source, "columns") or is_upload


def _line(number: int, line: object) -> bytes:
    """A line as bytes; one that is a text or bytes stays as it is, and gets its end."""
    if isinstance(line, Mapping):
        return encoded(number, line)
    raw = line.encode(errors="surrogatepass") if isinstance(line, str) else line
    if not isinstance(raw, bytes):
        kind = type(line).__name__
        raise ArgumentInvalid(f"Line {number} is of type {kind}; pass a dict, bytes or a str.")
    return raw if raw.endswith(b"\n") else raw + b"\n"


def _path(source: str | os.PathLike[str]) -> Path:
    if isinstance(source, str) and (source.lstrip().startswith('{"') or "\n" in source):
        raise ArgumentInvalid("`source` is a text, not a path; pass its bytes: source.encode().")
    return checked_path("source", source)


def _label(source: object) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and name else "input"


@contextlib.contextmanager
def _reading(label: str) -> Iterator[None]:
    """Raises what goes wrong in the block as `ArgumentInvalid`."""
    try:
        yield
    except ArgumentInvalid:
        raise
    except Exception as error:  # a stream may raise anything, as a damaged gzip stream does
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ArgumentInvalid(f"Cannot read {label}: {reason}.") from error


@contextlib.contextmanager
def _writing(label: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        copy = f"a copy of {label} in {tempfile.gettempdir()}"
        raise FileNotWritten(copy, error.strerror) from error
