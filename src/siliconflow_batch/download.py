"""
Files from the service to the disk: whole, or not at all.

Rule 1: bytes go to a file beside the target, which takes its place when it is complete.
Rule 2: what came before an interruption is kept for the next attempt, where the server can resume.
Rule 3: a URL of another place gets no key.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import httpx

from . import answers
from .connection import Settings
from .errors import ArgumentInvalid, DownloadTruncated, UnreadableAnswer
from .flows import checked_id

OK, PARTIAL = 200, 206


class Download:
    """One file on its way to `target`; `url` and `headers` are what to ask for next."""

    def __init__(
        self,
        reference: str,
        target: Path,
        settings: Settings,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self.target = target
        self.received = 0
        self._on_progress = on_progress
        self._total: int | None = None
        self._validator: str | None = None
        if reference.startswith(("http://", "https://")):
            self.url, self._own = reference, {}
        else:
            self.url = f"{settings.base_url}/files/{quote(checked_id(reference))}/content"
            self._own = settings.headers()
        try:
            self._part: IO[bytes] = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed in __exit__
                dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
            )
        except OSError as error:
            raise ArgumentInvalid(f"{target} cannot be written: {error.strerror}.") from error

    @property
    def headers(self) -> dict[str, str]:
        # Compressed bytes could not be taken up in the middle.
        headers = {**self._own, "Accept-Encoding": "identity"}
        if self.received and self._validator:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": self._validator}
        return headers

    def accepts(self, response: httpx.Response) -> bool:
        """Whether the body of this answer is to be written; False where it is a refusal."""
        if response.status_code == PARTIAL and self.received:
            return True
        if response.status_code != OK:
            return False
        self.received = 0
        self._part.seek(0)
        self._part.truncate()
        length = response.headers.get("content-length", "")
        self._total = int(length) if length.isdecimal() else None
        tag = response.headers.get("etag", "")
        self._validator = tag if tag and not tag.startswith("W/") else None
        return True

    def write(self, chunk: bytes) -> None:
        self._part.write(chunk)
        self.received += len(chunk)
        if self._on_progress is not None:
            self._on_progress(self.received, self._total)

    def ended(self, error: httpx.HTTPError) -> DownloadTruncated:
        return DownloadTruncated(self.received)

    def finish(self) -> Path:
        self._part.close()
        Path(self._part.name).replace(self.target)
        return self.target

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._part.close()
        Path(self._part.name).unlink(missing_ok=True)


def refusal(response: httpx.Response) -> None:
    """Raises for an answer that was not accepted, once its body was read."""
    answers.refuse(response)
    raise answers.make(UnreadableAnswer, response, f"{response.status_code} unasked for")
