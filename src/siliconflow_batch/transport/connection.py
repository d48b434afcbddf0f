"""
How the generated client reaches the service: the key, the timeouts, and what every answer passes.

Rule 1: the key is sent to the base URL alone and shown nowhere.
Rule 2: every answer passes `answers.refuse` before the generated code sees it.
"""

import os
import secrets
import sys
from typing import Any, Self

import httpx
import msgspec
from attrs import define, field

from siliconflow_batch_api import AuthenticatedClient

from ..errors import (
    ArgumentInvalid,
    DownloadTruncated,
    KeyMissing,
    RateLimited,
    ServiceUnavailable,
    TransportError,
)
from ..flows import Call
from . import responses

CHINA = "https://api.siliconflow.cn/v1"
INTERNATIONAL = "https://api.siliconflow.com/v1"
TIMEOUT = httpx.Timeout(60, connect=10)
# The generated code sends every form with this one, which a file can contain.
BOUNDARY = "multipart/form-data; boundary=+++"

_decode = msgspec.json.Decoder().decode


@define(frozen=True)
class Retries:
    """
    How often and for how long a request is sent: `attempts` in all, within `seconds`; pauses grow
    from `first` to `longest` seconds, with jitter, unless the server says how long.
    """

    attempts: int = 6
    seconds: float = 120.0
    first: float = 0.5
    longest: float = 20.0

    def arguments(self) -> dict[str, Any]:
        return {
            "attempts": self.attempts,
            "timeout": self.seconds,
            "wait_initial": self.first,
            "wait_max": self.longest,
            "wait_jitter": self.first,
        }

    def again(self, error: Exception, repeatable: bool) -> bool | float:
        """Whether to send a request again, or after how many seconds."""
        if isinstance(error, TransportError):
            return repeatable or not error.sent
        if isinstance(error, RateLimited) or (repeatable and isinstance(error, ServiceUnavailable)):
            pause = error.retry_after
            return True if pause is None else pause <= self.seconds and max(pause, 0.001)
        return False


@define(frozen=True)
class Settings:
    """Where, with which key, and how patiently."""

    base_url: str
    key: str = field(repr=False)
    timeout: httpx.Timeout = TIMEOUT
    retries: Retries = field(factory=Retries)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def seconds(self) -> tuple[float | None, float | None, float | None, float | None]:
        """The timeouts to connect, read, write and get a connection, for any library."""
        timeout = self.timeout
        return timeout.connect, timeout.read, timeout.write, timeout.pool


def settings(
    key: str | None,
    base_url: str | None,
    timeout: httpx.Timeout | float | None,
    retries: Retries | None,
) -> Settings:
    """Fills in from the environment; raises `KeyMissing` or `ArgumentInvalid`."""
    found = (os.environ.get("SILICONFLOW_API_KEY", "") if key is None else key).strip()
    if not found or not found.isascii() or not found.isprintable() or " " in found:
        raise KeyMissing
    url = base_url or os.environ.get("SILICONFLOW_BASE_URL") or CHINA
    if not url.startswith(("https://", "http://")):
        raise ArgumentInvalid(f"The base URL is {url!r}; it must begin with https://.")
    given = httpx.Timeout(timeout) if isinstance(timeout, int | float) else timeout
    return Settings(url.rstrip("/"), found, given or TIMEOUT, retries or Retries())


class Http:
    """
    What the generated client for threads sends its requests through: an httpx or httpx2 client.

    The key, the address and the timeout go with each request, so that a client of the caller's
    needs none of them and gives none of them to anybody else.
    """

    def __init__(self, given: Settings, client: Any = None) -> None:
        self.client = httpx.Client() if client is None else client
        self._owned = client is None
        self._given = given
        self.failures = Failures.of(self.client, "Client")

    def request(self, **options: Any) -> Any:
        return _passed(self.client.request(**_addressed(options, self._given)))

    def close(self) -> None:
        """Closes what was opened here; a client that was given is its owner's to close."""
        if self._owned:
            self.client.close()


class AsyncHttp:
    """The same, for event loops."""

    def __init__(self, given: Settings, client: Any = None) -> None:
        self.client = httpx.AsyncClient() if client is None else client
        self._owned = client is None
        self._given = given
        self.failures = Failures.of(self.client, "AsyncClient")

    async def request(self, **options: Any) -> Any:
        return _passed(await self.client.request(**_addressed(options, self._given)))

    async def close(self) -> None:
        """Closes what was opened here; a client that was given is its owner's to close."""
        if self._owned:
            await self.client.aclose()


@define(frozen=True)
class Failures:
    """What a client raises when nobody answers; `library` is httpx, or another with its names."""

    library: Any

    @classmethod
    def of(cls, client: object, name: str) -> Self:
        """Raises `ArgumentInvalid` for what is no client of that name."""
        for kind in type(client).__mro__:
            library = sys.modules[kind.__module__.partition(".")[0]]
            if kind.__name__ == name and hasattr(library, "HTTPError"):
                return cls(library)
        raise ArgumentInvalid(f"http_client must be an httpx.{name}, not {client!r}.")

    @property
    def any(self) -> tuple[type[Exception], ...]:
        return self.library.HTTPError, self.library.InvalidURL

    def named(self, error: Exception, what: str, received: int | None = None) -> TransportError:
        """The exception of this package; `received` is how far a download had come."""
        library = self.library
        if received is not None and isinstance(error, library.RemoteProtocolError):
            return DownloadTruncated(received)
        unsent = (library.ConnectError, library.ConnectTimeout, library.PoolTimeout)
        told = str(error) or type(error).__name__
        return TransportError(
            f"{what}: {told}\n\nCheck the connection, and that the base URL is right.",
            sent=not isinstance(error, unsent),
        )


def _addressed(options: dict[str, Any], given: Settings) -> dict[str, Any]:
    """A generated request on its way to the service alone, with a boundary of its own."""
    headers = {**options.get("headers", {}), **given.headers()}
    if headers.get("Content-Type") == BOUNDARY:
        headers["Content-Type"] = f"multipart/form-data; boundary={secrets.token_hex(16)}"
    return {
        **options,
        "url": given.base_url + options["url"],
        "headers": headers,
        "timeout": given.seconds,
        "follow_redirects": False,
        "auth": None,
    }


def _passed(response: Any) -> Any:
    """An answer that is no refusal; its JSON is read by msgspec, in half the time on long pages."""
    responses.latest.set(response)
    responses.refuse(response)
    usual = response.json

    def json() -> Any:
        try:
            return _decode(response.content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return usual()

    response.json = json
    return response


def generated(given: Settings) -> AuthenticatedClient:
    """The generated client, without a connection yet; its repr is not for showing."""
    return AuthenticatedClient(
        base_url=given.base_url, token=given.key, raise_on_unexpected_status=True
    )


def arguments_of(call: Call) -> dict[str, Any]:
    return dict(call.arguments() if callable(call.arguments) else call.arguments)


def label(call: Call) -> str:
    return call.operation.__name__.rpartition(".")[2].replace("_", " ")
