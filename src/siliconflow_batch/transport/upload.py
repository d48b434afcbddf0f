"""
The upload of an input file: opened here, rewound for each attempt, never held in memory as a whole.
"""

import hashlib
import io
from pathlib import Path
from typing import Any, BinaryIO, Self

from siliconflow_batch_api import models
from siliconflow_batch_api.types import File

from .. import operations
from ..errors import ArgumentInvalid
from ..steps import Call
from .download import Progress

PIECE = 1 << 20  # bytes


class Upload:
    """
    A path, bytes, or a binary file, which is read from its current position.

    A file that cannot be rewound is sent once.
    """

    def __init__(
        self,
        source: str | Path | bytes | BinaryIO,
        name: str | None,
        on_progress: Progress | None = None,
    ) -> None:
        self._owned = isinstance(source, str | Path | bytes)
        self._file = _opened(source)
        if isinstance(source, str | Path):
            name = name or Path(source).name
        # The name of a file on disk may have bytes that are not UTF-8.
        self._name = (name or "requests.jsonl").encode(errors="replace").decode()
        self._start = self._file.tell() if self._file.seekable() else None
        self._on_progress = on_progress

    def call(self) -> Call:
        return Call(operations.upload_file, self._arguments, repeatable=self._start is not None)

    def _arguments(self) -> dict[str, Any]:
        if self._start is not None:
            self._file.seek(self._start)
        reading: Any = _Reading(self._file, self._start or 0, self._on_progress)
        payload = File(payload=reading, file_name=self._name)
        return {"body": models.UploadFileRequest(purpose="batch", file=payload)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owned:
            self._file.close()


def _opened(source: str | Path | bytes | BinaryIO) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, str | Path):
        try:
            return Path(source).open("rb")
        except OSError as error:
            raise ArgumentInvalid(f"Cannot read {source}: {error.strerror}.") from error
    if isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
        raise ArgumentInvalid(
            f"Cannot upload {source!r}: pass a path, bytes, or a file opened in binary mode."
        )
    return source


def content_digest(source: str | Path | bytes) -> str:
    """The SHA-256 of a file or of bytes, in hexadecimal."""
    with _opened(source) as file:
        digest = hashlib.sha256()
        while piece := file.read(PIECE):
            digest.update(piece)
        return digest.hexdigest()


class _Reading:
    """
    A file from `start` on, as httpx reads it.

    httpx reads pieces of 64 kB. They are larger here, because an event loop has a cost per piece.
    """

    def __init__(self, file: BinaryIO, start: int, on_progress: Progress | None) -> None:
        self._file, self._start, self._on_progress = file, start, on_progress
        self._sent, self._total = 0, None
        if file.seekable():
            self._total = file.seek(0, io.SEEK_END) - start
            file.seek(start)

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size if size < 0 else max(size, PIECE))
        if self._on_progress is not None and piece:
            self._sent += len(piece)
            self._on_progress(self._sent, self._total)
        return piece

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET:
            offset += self._start
        return self._file.seek(offset, whence) - self._start
