"""
How requests reach the service: its address, the key, the timeouts, and an httpx client.

Rule 1: the key is sent to the base URL alone, and is in no repr, log or exception.
Rule 2: a request is the one that the generated client builds; only its address, headers and
timeouts are added here.
"""

import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

import httpx
from attrs import define

from ..errors import (
    APIError,
    ArgumentInvalid,
    CertificateRefused,
    DownloadTruncated,
    TransportError,
)
from ..steps import Call, Reply
from . import responses
from .download import Transfer
from .http_clients import open_client
from .settings import Settings

CLOSED = "The client is closed; open a new one."
CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"  # in the message of Python's ssl module
CERTIFICATE_ADVICE = (
    "If a proxy of your company signs connections with its own certificate, set SSL_CERT_FILE to a "
    "file that has it, in PEM format. Otherwise check the clock and the base URL."
)
# The generated client sends every form with this boundary, which can occur in a file.
BOUNDARY = "multipart/form-data; boundary=+++"


class Connection:
    """
    An httpx or httpx2 client, and what it needs to reach the service.

    The key, the address and the timeouts go with each request, so `http_client` needs none of them
    and sends none of them elsewhere.
    """

    def __init__(self, settings: Settings, http_client: Any = None) -> None:
        self._owned, self._settings = http_client is None, settings
        self.http = self._open() if http_client is None else http_client
        self.failures = Failures.of(self.http, "Client")

    def send(self, call: Call) -> Reply:
        request = _addressed(call, self._settings)
        try:
            with self.http.stream(**request) as response:
                forget_cookies(self.http, response)
                response.read()
        except self.failures.exceptions as error:
            raise self.failures.transport_error(error, call.name) from without_frames(error)
        except KeyboardInterrupt:
            self._renew()
            raise
        except Exception as error:  # of the input file, of `on_progress`, or of httpx
            raise _closed(without_frames(error)) from None
        return _read(response, self._settings)

    def pieces(self, transfer: Transfer) -> Iterator[bytes]:
        """The new bytes of one response."""
        try:
            while not transfer.ended:
                with self.http.stream("GET", **transfer.request()) as response:
                    forget_cookies(self.http, response)
                    if transfer.follows(response):
                        continue
                    if not transfer.accepts(response):
                        response.read()
                        raise transfer.refusal(response)
                    for piece in response.iter_bytes():
                        yield transfer.add(piece)
                    transfer.ended = True
        except self.failures.exceptions as error:
            cause = without_frames(error)
            raise self.failures.transport_error(error, "download", transfer.received) from cause
        except KeyboardInterrupt:
            self._renew()
            raise
        except RuntimeError as error:
            raise _closed(error) from None

    def close(self) -> None:
        """Closes the httpx client, unless it was passed as `http_client`."""
        if self._owned:
            self.http.close()

    def _open(self) -> Any:
        return open_client(httpx.Client, self._settings.base_url)

    def _renew(self) -> None:
        """Replaces a client whose request was interrupted: it may hold a lock for ever."""
        if self._owned:
            self.http = self._open()


class AsyncConnection:
    """A `Connection` for one event loop."""

    def __init__(self, settings: Settings, http_client: Any = None) -> None:
        self.http = (
            open_client(httpx.AsyncClient, settings.base_url)
            if http_client is None
            else http_client
        )
        self.failures = Failures.of(self.http, "AsyncClient")
        self._owned = http_client is None
        self._settings = settings

    async def send(self, call: Call) -> Reply:
        request = _addressed(call, self._settings)
        try:
            async with self.http.stream(**request) as response:
                forget_cookies(self.http, response)
                await response.aread()
        except self.failures.exceptions as error:
            raise self.failures.transport_error(error, call.name) from without_frames(error)
        except Exception as error:  # of the input file, of `on_progress`, or of httpx
            raise _closed(without_frames(error)) from None
        return _read(response, self._settings)

    async def pieces(self, transfer: Transfer) -> AsyncIterator[bytes]:
        """The new bytes of one response."""
        try:
            while not transfer.ended:
                async with self.http.stream("GET", **transfer.request()) as response:
                    forget_cookies(self.http, response)
                    if transfer.follows(response):
                        continue
                    if not transfer.accepts(response):
                        await response.aread()
                        raise transfer.refusal(response)
                    async for piece in response.aiter_bytes():
                        yield transfer.add(piece)
                    transfer.ended = True
        except self.failures.exceptions as error:
            cause = without_frames(error)
            raise self.failures.transport_error(error, "download", transfer.received) from cause
        except RuntimeError as error:
            raise _closed(error) from None

    async def close(self) -> None:
        """Closes the httpx client, unless it was passed as `http_client`."""
        if self._owned:
            await self.http.aclose()


def forget_cookies(http: Any, response: Any) -> None:
    """Removes the cookies that a response set from the jar of a caller's client."""
    for one in (*response.history, response):
        if "set-cookie" in one.headers:
            for cookie in one.cookies.jar:
                with contextlib.suppress(KeyError):
                    http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


@define(frozen=True)
class Failures:
    """The exceptions of an HTTP client's library, which is httpx or has the same names."""

    library: Any

    @classmethod
    def of(cls, client: object, name: str) -> Self:
        """Raises `ArgumentInvalid` unless the class of `client` is called `name`."""
        for base in type(client).__mro__:
            library = sys.modules[base.__module__.partition(".")[0]]
            if base.__name__ == name and hasattr(library, "HTTPError"):
                return cls(library)
        raise ArgumentInvalid(f"Invalid http_client {client!r}: pass an httpx.{name}.")

    @property
    def exceptions(self) -> tuple[type[Exception], ...]:
        # UnicodeError: the service named a page with half of a surrogate pair.
        return self.library.HTTPError, self.library.InvalidURL, UnicodeError

    def transport_error(
        self, error: Exception, operation: str, received: int | None = None
    ) -> TransportError:
        """The `TransportError` for `error`; `received` counts the bytes of a download."""
        library = self.library
        text = str(error) or type(error).__name__
        if received is not None and isinstance(error, library.RemoteProtocolError):
            return DownloadTruncated(received)
        if CERTIFICATE in text:
            return CertificateRefused(f"{operation}: {text}\n\n{CERTIFICATE_ADVICE}", sent=False)
        unsent = (library.ConnectError, library.ConnectTimeout, library.PoolTimeout)
        return TransportError(
            f"{operation}: {text}\n\nCheck the connection and the base URL.",
            sent=not isinstance(error, unsent),
        )


def _closed(error: Exception) -> Exception:
    """httpx raises a RuntimeError for a closed client, and other libraries for other mistakes."""
    is_closed = isinstance(error, RuntimeError) and "closed" in str(error)
    return ArgumentInvalid(CLOSED) if is_closed else error


def without_frames(error: Exception) -> Exception:
    """The exception alone: the frames below httpx hold the headers, and so the key."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _read(response: Any, settings: Settings) -> Reply:
    try:
        return responses.read(response)
    except APIError as error:
        raise settings.authorization.without_key(error) from None


def _addressed(call: Call, settings: Settings) -> dict[str, Any]:
    """A generated request with its address, its key, its timeouts and a random boundary."""
    request = call.request()
    headers = dict(request.get("headers", {}))
    if call.closes_connection:
        headers["Connection"] = "close"
    if headers.get("Content-Type") == BOUNDARY:
        headers["Content-Type"] = f"multipart/form-data; boundary={secrets.token_hex(16)}"
    return {
        **request,
        "url": settings.base_url + request["url"],
        "headers": headers,
        "timeout": settings.seconds,
        "follow_redirects": False,
        "auth": settings.authorization,
    }
