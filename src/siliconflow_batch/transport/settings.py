"""
The address of the service, the key, and the limits of each request.
"""

import os

import httpx
from attrs import define, field

from ..errors import ArgumentInvalid
from ..parameters import checked_seconds
from ..retries import Retries
from .addresses import host_of
from .authorization import Authorization

CHINA = "https://api.siliconflow.cn/v1"
INTERNATIONAL = "https://api.siliconflow.com/v1"
TIMEOUT = httpx.Timeout(60, connect=10)


@define(frozen=True)
class Settings:
    """The address of the service, the key, and the limits of each request."""

    base_url: str
    authorization: Authorization
    timeout: httpx.Timeout = TIMEOUT
    retries: Retries = field(factory=Retries)

    @property
    def seconds(self) -> tuple[float | None, float | None, float | None, float | None]:
        """The timeouts to connect, read, write and get a connection, for httpx and httpx2."""
        timeout = self.timeout
        return timeout.connect, timeout.read, timeout.write, timeout.pool


def read_settings(
    authorization: Authorization,
    base_url: str | None,
    timeout: httpx.Timeout | float | None,
    retries: Retries | None,
) -> Settings:
    """Takes the defaults from the environment; raises `KeyMissing` or `ArgumentInvalid`."""
    authorization.check()
    url = base_url or os.environ.get("SILICONFLOW_BASE_URL") or CHINA
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise ArgumentInvalid(f"Invalid base URL {url!r}: it must begin with 'https://'.")
    if not host_of(url):
        raise ArgumentInvalid(f"Invalid base URL {url!r}: it has no host.")
    if timeout is not None and not isinstance(timeout, httpx.Timeout):
        timeout = httpx.Timeout(checked_seconds("timeout", timeout))
    if retries is not None and not isinstance(retries, Retries):
        raise ArgumentInvalid(f"Invalid retries {retries!r}: pass a Retries.")
    return Settings(url.rstrip("/"), authorization, timeout or TIMEOUT, retries or Retries())
