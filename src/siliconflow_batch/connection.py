"""
How the generated client reaches the service: the key, the timeouts, and what every answer passes.

Rule 1: the key is sent to the base URL alone and shown nowhere.
Rule 2: every answer passes `answers.refuse` before the generated code sees it.
"""

import os
import secrets
from typing import Any

import httpx
from attrs import define, field

from siliconflow_batch_api import AuthenticatedClient

from . import answers
from .errors import ArgumentInvalid, KeyMissing, RateLimited, ServiceUnavailable, TransportError
from .flows import Call

CHINA = "https://api.siliconflow.cn/v1"
INTERNATIONAL = "https://api.siliconflow.com/v1"
TIMEOUT = httpx.Timeout(60, connect=10)
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# The generated code sends every form with this one, which a file can contain.
BOUNDARY = "multipart/form-data; boundary=+++"


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


def failure(error: httpx.HTTPError | httpx.InvalidURL, what: str) -> TransportError:
    """The exception of this package for one of the transport's."""
    told = str(error) or type(error).__name__
    return TransportError(
        f"{what}: {told}\n\nCheck the connection, and that the base URL is right.",
        sent=not isinstance(error, UNSENT),
    )


class Http(httpx.Client):
    """httpx, with a boundary of its own for each form."""

    def build_request(self, *arguments: Any, **options: Any) -> httpx.Request:
        return super().build_request(*arguments, **_own_boundary(options))


class AsyncHttp(httpx.AsyncClient):
    """The same, for event loops."""

    def build_request(self, *arguments: Any, **options: Any) -> httpx.Request:
        return super().build_request(*arguments, **_own_boundary(options))


def _own_boundary(options: dict[str, Any]) -> dict[str, Any]:
    headers = options.get("headers") or {}
    if headers.get("Content-Type") == BOUNDARY:
        own = f"multipart/form-data; boundary={secrets.token_hex(16)}"
        options["headers"] = {**headers, "Content-Type": own}
    return options


def generated(given: Settings) -> AuthenticatedClient:
    """The generated client, without a connection yet; its repr is not for showing."""
    return AuthenticatedClient(
        base_url=given.base_url, token=given.key, raise_on_unexpected_status=True
    )


def http(given: Settings) -> Http:
    return Http(
        base_url=given.base_url,
        headers=given.headers(),
        timeout=given.timeout,
        event_hooks={"response": [_seen]},
    )


def async_http(given: Settings) -> AsyncHttp:
    return AsyncHttp(
        base_url=given.base_url,
        headers=given.headers(),
        timeout=given.timeout,
        event_hooks={"response": [_seen_async]},
    )


def _seen(response: httpx.Response) -> None:
    response.read()
    answers.latest.set(response)
    answers.refuse(response)


async def _seen_async(response: httpx.Response) -> None:
    await response.aread()
    answers.latest.set(response)
    answers.refuse(response)


def arguments_of(call: Call) -> dict[str, Any]:
    return dict(call.arguments() if callable(call.arguments) else call.arguments)


def label(call: Call) -> str:
    return call.operation.__name__.rpartition(".")[2].replace("_", " ")
