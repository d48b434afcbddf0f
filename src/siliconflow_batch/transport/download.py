"""
Files from the service: piece by piece, or to the disk whole or not at all.

Rule 1: what came before an interruption is not lost: the rest is asked for where the server can
resume, and what comes twice is dropped where it cannot.
Rule 2: bytes go to a file beside the target, which takes its place when it is complete.
Rule 3: a URL of another place gets no key.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn, Self
from urllib.parse import quote

from ..errors import ArgumentInvalid, DownloadTruncated, TransportError, UnreadableAnswer
from ..flows import checked_id
from . import responses
from .connection import Settings

OK, PARTIAL = 200, 206
PIECE = 1 << 18  # bytes
Progress = Callable[[int, int | None], None]


class Transfer:
    """
    One file on its way here, over as many answers as it takes; `url` and `headers` are what to ask
    for next, `total` is its length in bytes where that is known.
    """

    def __init__(self, reference: str, settings: Settings) -> None:
        if reference.startswith(("http://", "https://")):
            self.url, self._own = reference, {}
        else:
            self.url = f"{settings.base_url}/files/{quote(checked_id(reference))}/content"
            self._own = settings.headers()
        self.received = 0
        self.total: int | None = None
        self.ended = False
        self._twice = 0  # bytes to come that were received before
        self._tag: str | None = None
        self._setbacks, self._most, self._mark = 0, settings.retries.attempts, 0

    @property
    def headers(self) -> dict[str, str]:
        # Compressed bytes could not be taken up in the middle.
        headers = {**self._own, "Accept-Encoding": "identity"}
        if self.received and self._tag:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": self._tag}
        return headers

    def accepts(self, response: Any) -> bool:
        """Whether the body of this answer is the file, or its rest; False where it is a refusal."""
        headers = response.headers
        if response.status_code == PARTIAL and self.received:
            self._twice = 0
            return str(headers.get("content-range", "")).startswith(f"bytes {self.received}-")
        if response.status_code != OK:
            return False
        plain = "content-encoding" not in headers  # else lengths are not those of the file
        tag, length = headers.get("etag", ""), headers.get("content-length", "")
        strong = tag if plain and tag and not tag.startswith("W/") else None
        total = int(length) if plain and length.isdecimal() else None
        if self.received and (strong, total) != (self._tag, self.total):
            return False  # another file by now
        self._tag, self.total, self._twice = strong, total, self.received
        return True

    def fresh(self, piece: bytes) -> bytes:
        """What of a piece had not come before."""
        known = min(self._twice, len(piece))
        self._twice -= known
        self.received += len(piece) - known
        return piece[known:]

    def broken(self, error: TransportError) -> None:
        """Takes note of an interruption; raises it when they come too often for what they bring."""
        if self.received - self._mark >= PIECE:
            self._setbacks, self._mark = 0, self.received
        self._setbacks += 1
        if self._setbacks >= self._most:
            raise error


class Part:
    """A file beside `target`, which takes its place when it is finished and else is gone."""

    def __init__(self, target: Path) -> None:
        self._target = target
        try:
            self._file: IO[bytes] = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed in __exit__
                dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
            )
        except OSError as error:
            raise ArgumentInvalid(f"{target} cannot be written: {error.strerror}.") from error
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


def refuse(response: Any, transfer: Transfer) -> NoReturn:
    """Raises for an answer that was not accepted, once its body was read."""
    if transfer.received and response.status_code in (OK, PARTIAL):
        raise DownloadTruncated(transfer.received)
    responses.refuse(response)
    raise responses.make(UnreadableAnswer, response, f"{response.status_code} unasked for")
