"""
The download of a file in pieces.

Rule 1: after an interruption the rest is requested with a range where the server supports it;
otherwise the bytes that were already received are dropped.
Rule 2: the key is sent to the base URL only, never to another URL.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urljoin

from ..errors import DownloadTruncated, SiliconFlowError, TransportError
from ..parameters import checked_id
from . import responses
from .addresses import check_result_url, origin_of
from .settings import Settings

OK, PARTIAL = 200, 206
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 10
NOT_PLAIN = (406, 415)  # `Accept-Encoding: identity` is refused
PIECE = 1 << 18  # bytes
Progress = Callable[[int, int | None], None]


class Transfer:
    """
    One file, over as many responses as it needs.

    `total` is the length in bytes, if known.
    """

    def __init__(self, reference: str, settings: Settings) -> None:
        self._settings = settings
        if isinstance(reference, str) and "://" in reference:
            check_result_url(reference, settings.base_url)
            self._first = self._url = reference
        else:
            path = f"/files/{quote(checked_id(reference))}/content"
            self._first = self._url = settings.base_url + path
        self._has_key = self._first is not reference
        self._redirects = 0
        self.received = 0
        self.total: int | None = None
        self.ended = False
        self._repeated = 0  # bytes to come that were received before
        self._etag: str | None = None
        self._is_plain = True
        self._interruptions, self._most_interruptions = 0, settings.retries.attempts
        self._mark = 0  # `received` when interruptions were last counted from zero

    def request(self) -> dict[str, Any]:
        """The next request, without its method; the key goes to the base URL alone."""
        is_own = origin_of(self._url) == origin_of(self._settings.base_url)
        return {
            "url": self._url,
            "headers": self.headers,
            "timeout": self._settings.seconds,
            "follow_redirects": False,
            "auth": self._settings.authorization if self._has_key and is_own else None,
        }

    @property
    def headers(self) -> dict[str, str]:
        # A compressed body cannot be resumed in the middle.
        headers = {"Accept-Encoding": "identity"} if self._is_plain else {}
        if self.received and self._etag:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": self._etag}
        return headers

    def follows(self, response: Any) -> bool:
        """
        Whether another request follows: to the target of a redirect, which is checked as well, or
        one that allows compression.
        """
        if self._is_plain and response.status_code in NOT_PLAIN:
            self._is_plain = False
            return True
        location = response.headers.get("location")
        if response.status_code not in REDIRECTS or not location:
            return False
        self._redirects += 1
        if self._redirects > MOST_REDIRECTS:
            raise TransportError("download: too many redirects", sent=True)
        self._url = urljoin(self._url, location)
        check_result_url(self._url, self._settings.base_url)
        return True

    def restart(self) -> None:
        """Begins at the first URL again."""
        self._url, self._redirects = self._first, 0

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

    def refusal(self, response: Any) -> SiliconFlowError:
        """The exception for a response that was not accepted, after its body was read."""
        if self.received and response.status_code in (OK, PARTIAL):
            return DownloadTruncated(self.received)
        error = responses.refusal(response)
        error.is_link = not self._has_key
        return self._settings.authorization.without_key(error)
