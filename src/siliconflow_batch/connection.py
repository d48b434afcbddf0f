"""
A generated client that is safe to use: finite timeouts, no key in its repr, no silent None.
"""

import os

import httpx

from siliconflow_batch_api import AuthenticatedClient

CHINA = "https://api.siliconflow.cn/v1"
INTERNATIONAL = "https://api.siliconflow.com/v1"
TIMEOUT = httpx.Timeout(60, connect=10)


class Connection(AuthenticatedClient):
    """The generated client, without the key in its repr."""

    def __repr__(self) -> str:
        return f"Connection({self._base_url!r})"


def connect(
    key: str | None = None, base_url: str | None = None, timeout: httpx.Timeout = TIMEOUT
) -> Connection:
    """
    A client for the generated operations; a context manager, sync and async.

    `key` is by default SILICONFLOW_API_KEY of the environment, `base_url` SILICONFLOW_BASE_URL or
    the China site. A status that the contract does not name raises `UnexpectedStatus`.

    Raises `ValueError` when there is no key, or one that no header can carry.
    """
    found = (os.environ.get("SILICONFLOW_API_KEY", "") if key is None else key).strip()
    if not found or not found.isprintable() or not found.isascii():
        raise ValueError(
            "There is no usable API key. Set SILICONFLOW_API_KEY, or pass key=…; "
            "keys are made at https://cloud.siliconflow.cn/account/ak."
        )
    return Connection(
        base_url=base_url or os.environ.get("SILICONFLOW_BASE_URL") or CHINA,
        token=found,
        timeout=timeout,
        raise_on_unexpected_status=True,
    )
