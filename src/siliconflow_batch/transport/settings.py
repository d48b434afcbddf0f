"""
The address of the service, the key, and the limits of each request.
"""

import os

import httpx
from attrs import define, field

from ..errors import ArgumentInvalid, KeyMissing
from ..retries import Retries

CHINA = "https://api.siliconflow.cn/v1"
INTERNATIONAL = "https://api.siliconflow.com/v1"
TIMEOUT = httpx.Timeout(60, connect=10)


@define(frozen=True)
class Settings:
    """The address of the service, the key, and the limits of each request."""

    base_url: str
    key: str = field(repr=False)
    timeout: httpx.Timeout = TIMEOUT
    retries: Retries = field(factory=Retries)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def seconds(self) -> tuple[float | None, float | None, float | None, float | None]:
        """The timeouts to connect, read, write and get a connection, for httpx and httpx2."""
        timeout = self.timeout
        return timeout.connect, timeout.read, timeout.write, timeout.pool


def read_settings(
    key: str | None,
    base_url: str | None,
    timeout: httpx.Timeout | float | None,
    retries: Retries | None,
) -> Settings:
    """Takes the defaults from the environment; raises `KeyMissing` or `ArgumentInvalid`."""
    key = (os.environ.get("SILICONFLOW_API_KEY", "") if key is None else key).strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise KeyMissing
    url = base_url or os.environ.get("SILICONFLOW_BASE_URL") or CHINA
    if not url.startswith(("https://", "http://")):
        raise ArgumentInvalid(f"Invalid base URL {url!r}: it must begin with 'https://'.")
    if isinstance(timeout, int | float):
        timeout = httpx.Timeout(timeout)
    return Settings(url.rstrip("/"), key, timeout or TIMEOUT, retries or Retries())
