"""
The upload of an input file: rewound for each attempt, never held in memory as a whole.

Rule: a request is completed only if its file is as long as it was at the beginning, and is what was
validated. Otherwise the request breaks off, so that the service has no file.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from typing import IO, Any

from siliconflow_batch_api import models
from siliconflow_batch_api.types import File

from .. import operations
from ..errors import InputFileChanged
from ..input_files.sources import PIECE, InputFile
from ..input_files.validation import InputSummary
from ..steps import Call
from .download import Progress


@contextlib.contextmanager
def upload_call(
    source: InputFile, checked: InputSummary | None = None, on_progress: Progress | None = None
) -> Iterator[Call]:
    """The call that uploads a file. It raises `InputFileChanged` unless that is as `checked`."""
    with source.open() as file:
        reading: Any = _Reading(file, source.label, checked, on_progress)
        payload = File(payload=reading, file_name=source.name)
        body = models.UploadFileRequest(purpose="batch", file=payload)
        yield Call(operations.upload_file, {"body": body})


class _Reading:
    """
    A file from its current position on, as httpx reads it.

    httpx reads pieces of 64 kB. They are larger here, because an event loop has a cost per piece.
    """

    def __init__(
        self,
        file: IO[bytes],
        label: str,
        checked: InputSummary | None,
        on_progress: Progress | None,
    ) -> None:
        self._file, self._label, self._checked = file, label, checked
        self._on_progress = on_progress
        self._start = file.tell()
        self._size = self.seek(0, io.SEEK_END)
        self.seek(0)
        if checked is not None and checked.bytes != self._size:
            raise InputFileChanged(label)

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size if size < 0 else max(size, PIECE))
        self._sent += len(piece)
        if self._checked is not None:
            self._hash.update(piece)
        if self._sent > self._size or not (piece or self._is_whole()):
            raise InputFileChanged(self._label)
        if self._on_progress is not None and piece:
            self._on_progress(self._sent, self._size)
        return piece

    def _is_whole(self) -> bool:
        is_same = self._checked is None or self._checked.sha256 == self._hash.hexdigest()
        return is_same and self._sent == self._size

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET:  # httpx begins an attempt
            offset += self._start
            self._sent, self._hash = 0, hashlib.sha256()
        return self._file.seek(offset, whence) - self._start
