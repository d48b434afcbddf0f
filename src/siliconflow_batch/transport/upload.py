"""
An input file on its way up: opened here, rewound for each attempt, never read whole.
"""

import io
from pathlib import Path
from typing import Any, BinaryIO, Self

from siliconflow_batch_api import models
from siliconflow_batch_api.types import File

from .. import operations
from ..errors import ArgumentInvalid
from ..flows import Call, Flow
from .download import Progress

PIECE = 1 << 20  # bytes


class Upload:
    """A path, bytes, or a binary file from where it stands; what cannot be rewound is sent once."""

    def __init__(
        self,
        source: str | Path | bytes | BinaryIO,
        name: str | None,
        on_progress: Progress | None = None,
    ) -> None:
        self._opened = isinstance(source, str | Path | bytes)
        if isinstance(source, bytes):
            self._file: BinaryIO = io.BytesIO(source)
        elif isinstance(source, str | Path):
            try:
                self._file = Path(source).open("rb")  # noqa: SIM115 - closed in __exit__
            except OSError as error:
                raise ArgumentInvalid(f"{source} cannot be read: {error.strerror}.") from error
            name = name or Path(source).name
        else:
            self._file = source
        self._name = name or "requests.jsonl"
        self._start = self._file.tell() if self._file.seekable() else None
        self._on_progress = on_progress

    def flow(self) -> Flow:
        repeatable = self._start is not None
        return (
            yield Call(
                operations.upload_file, models.UploadFileResponse, self._arguments, repeatable
            )
        )

    def _arguments(self) -> dict[str, Any]:
        if self._start is not None:
            self._file.seek(self._start)
        reading: Any = _Reading(self._file, self._start or 0, self._on_progress)
        payload = File(payload=reading, file_name=self._name)
        return {"body": models.UploadFileRequest(purpose="batch", file=payload)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened:
            self._file.close()


class _Reading:
    """
    A file from some place on, as httpx reads it: from the beginning, in pieces of 64 kB, which are
    larger here, because each costs an event loop a turn.
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
