"""
Reads result files: a stream of bytes or a file on disk, line by line.

Rule: only the byte `\\n` ends a record; U+2028 and similar characters are data.
"""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from .results import Result, parse


class Splitter:
    """
    Splits a stream of bytes into lines, without their ends (`\\n` or `\\r\\n`).

    The time is linear in the length of the stream, whatever the sizes of its chunks.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Returns the lines that `chunk` completes."""
        if b"\n" not in chunk:
            self._rest += chunk
            return []
        pieces = chunk.split(b"\n")
        if self._rest:
            self._rest += pieces[0]
            pieces[0] = bytes(self._rest)
        self._rest = bytearray(pieces.pop())
        return [piece.removesuffix(b"\r") for piece in pieces]

    def close(self) -> list[bytes]:
        """Returns the last line if the stream did not end with `\\n`."""
        return self.feed(b"\n") if self._rest else []


class Reader:
    """Parses the stream of the "output" or "error" file, whatever the sizes of its chunks."""

    def __init__(self, file: str = "output") -> None:
        self._splitter = Splitter()
        self._file, self._lines = file, 0

    def feed(self, chunk: bytes) -> Iterator[Result]:
        """Yields the results that `chunk` completes."""
        return self._parsed(self._splitter.feed(chunk))

    def close(self) -> Iterator[Result]:
        """Yields the last result if the stream did not end with `\\n`."""
        return self._parsed(self._splitter.close())

    def _parsed(self, lines: list[bytes]) -> Iterator[Result]:
        for raw in lines:
            self._lines += 1
            if raw and not raw.isspace():
                yield parse(raw, self._lines, self._file)


def read(path: str | PathLike[str], file: str = "output") -> Iterator[Result]:
    """Yields the results of an "output" or "error" file on disk, in its order."""
    with Path(path).open("rb") as stream:
        for line, raw in enumerate(stream, 1):
            if not raw.isspace():
                yield parse(raw.rstrip(b"\r\n"), line, file)
