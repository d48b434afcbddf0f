"""
The download of a file: in pieces, or to a path on disk.

Rule 1: after an interruption the rest is requested with a range where the server supports it;
otherwise the bytes that were already received are dropped.
Rule 2: bytes are written to a file beside the target, which replaces the target when complete.
Rule 3: the key is sent to the base URL only, never to another URL.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

from ..errors import ArgumentInvalid, DownloadTruncated, TransportError, UnreadableAnswer
from ..parameters import checked_id
from . import responses
from .settings import Settings

OK, PARTIAL = 200, 206
NOT_PLAIN = (406, 415)  # `Accept-Encoding: identity` is refused
PIECE = 1 << 18  # bytes
Progress = Callable[[int, int | None], None]


class Transfer:
    """
    One file, over as many responses as it needs.

    `url` and `headers` are those of the next request; `total` is the length in bytes, if known.
    """

    def __init__(self, reference: str, settings: Settings) -> None:
        if isinstance(reference, str) and reference.startswith(("http://", "https://")):
            self.url, self._own_headers = reference, {}
        else:
            self.url = f"{settings.base_url}/files/{quote(checked_id(reference))}/content"
            self._own_headers = settings.headers()
        self.received = 0
        self.total: int | None = None
        self.ended = False
        self._repeated = 0  # bytes to come that were received before
        self._etag: str | None = None
        self._is_plain = True
        self._interruptions, self._most_interruptions = 0, settings.retries.attempts
        self._mark = 0  # `received` when interruptions were last counted from zero

    @property
    def headers(self) -> dict[str, str]:
        headers = {**self._own_headers}
        if self._is_plain:  # a compressed body cannot be resumed in the middle
            headers["Accept-Encoding"] = "identity"
        if self.received and self._etag:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": self._etag}
        return headers

    def accepts(self, response: Any) -> bool:
        """Whether the body of the response is the file, or the rest of it."""
        headers = response.headers
        if response.status_code == PARTIAL and self.received:
            self._repeated = 0
            return str(headers.get("content-range", "")).startswith(f"bytes {self.received}-")
        if response.status_code != OK:
            return False
        plain = "content-encoding" not in headers  # else the length is not that of the file
        etag, length = headers.get("etag", ""), headers.get("content-length", "")
        strong = etag if plain and etag and not etag.startswith("W/") else None
        total = int(length) if plain and length.isdecimal() else None
        if self.received and (strong, total) != (self._etag, self.total):
            return False  # the file has changed
        self._etag, self.total, self._repeated = strong, total, self.received
        return True

    def add(self, piece: bytes) -> bytes:
        """Counts a piece, and returns the part of it that was not received before."""
        repeated = min(self._repeated, len(piece))
        self._repeated -= repeated
        self.received += len(piece) - repeated
        return piece[repeated:]

    def interrupted(self, error: TransportError) -> None:
        """Counts an interruption; raises `error` if there are too many for what was received."""
        if self.received - self._mark >= PIECE:
            self._interruptions, self._mark = 0, self.received
        self._interruptions += 1
        if self._interruptions >= self._most_interruptions:
            raise error

    def refuse(self, response: Any) -> None:
        """
        Raises the exception for a response that was not accepted, after its body was read.

        Returns if the next request may be accepted, because it allows compression.
        """
        if self._is_plain and response.status_code in NOT_PLAIN:
            self._is_plain = False
            return
        if self.received and response.status_code in (OK, PARTIAL):
            raise DownloadTruncated(self.received)
        responses.raise_for_status(response)
        reason = f"unexpected status {response.status_code}"
        raise responses.api_error(UnreadableAnswer, response, reason)


class Part:
    """A file beside `target`: `finish` moves it to `target`, otherwise it is deleted."""

    def __init__(self, target: Path) -> None:
        self._target = target
        try:
            self._file: IO[bytes] = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed in __exit__
                dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
            )
        except OSError as error:
            raise ArgumentInvalid(f"Cannot write {target}: {error.strerror}.") from error
        self.write = self._file.write

    def finish(self) -> Path:
        self._file.close()
        Path(self._file.name).replace(self._target)
        return self._target

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)
