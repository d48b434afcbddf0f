"""
The httpx clients that requests are sent with, unless the caller passes one.

Rule 1: a mistake in the environment that httpx reads (proxies, certificates) is `ArgumentInvalid`
and names the variable.
Rule 2: this machine is reached without a proxy.
Rule 3: no cookie is kept: the service authenticates by key, and httpx sends ASCII alone.
"""

import os
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx

from ..errors import ArgumentInvalid

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)
LOCAL = ("all://localhost", "all://*.localhost", "all://127.0.0.1", "all://[::1]")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SOCKS = "socks"


def open_client(kind: type[Client], **options: Any) -> Client:
    """A new client; raises `ArgumentInvalid` if the environment has a mistake."""
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    try:
        return kind(cookies=cookies, mounts=dict.fromkeys(LOCAL), **options)
    except OSError as error:  # SSLError, too
        raise ArgumentInvalid(_about_certificates(error)) from error
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ArgumentInvalid(_about_proxies(error)) from None


def _about_certificates(error: OSError) -> str:
    variables = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    if not variables:
        return f"Cannot read the certificates of this machine: {error}."
    shown = " and ".join(f"{name}={os.environ[name]!r}" for name in variables)
    reason = error.strerror or str(error)
    return f"Cannot read the certificates of {shown}: {reason}.\n\nCorrect or unset the variable."


def _about_proxies(error: Exception) -> str:
    """What is wrong with the proxies, without the password that the address of one may have."""
    for name, value in _proxy_variables():
        scheme = value.partition("://")[0].lower()
        if isinstance(error, ImportError) and scheme.startswith(SOCKS):
            return (
                f"{name} names a SOCKS proxy, which needs the extra `socks`.\n\n"
                "Install it: pip install 'siliconflow-batch[socks]'"
            )
        try:
            httpx.Proxy(value if "://" in value else f"http://{value}")
        except (ValueError, httpx.InvalidURL):
            hint = " For a SOCKS proxy, use socks5://." if scheme == SOCKS else ""
            return f"{name} is not the address of a proxy: {_reason(value)}.{hint}"
    name = next((name for name in ("NO_PROXY", "no_proxy") if os.environ.get(name)), "NO_PROXY")
    return f"{name}={os.environ.get(name, '')!r} has an entry that is no host or address."


def _reason(value: str) -> str:
    scheme, separator, _ = value.partition("://")
    if separator and scheme.lower() not in ("http", "https", "socks5", "socks5h"):
        return f"its scheme is {scheme!r}"
    return "it is no URL"


def _proxy_variables() -> list[tuple[str, str]]:
    names = [name for upper in PROXIES for name in (upper, upper.lower())]
    return [(name, os.environ[name]) for name in names if os.environ.get(name)]
