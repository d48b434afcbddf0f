"""
The httpx clients that requests are sent with, unless the caller passes one.

Rule 1: a mistake in the environment that httpx reads (proxies, certificates) is `ArgumentInvalid`
and names the variable.
Rule 2: this machine is reached without a proxy.
Rule 3: no cookie is kept: the service authenticates by key, and httpx sends ASCII alone.
"""

import os
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TypeVar

import httpx

from ..errors import ArgumentInvalid
from .addresses import host_of, is_local

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)
LOCAL = ("all://localhost", "all://*.localhost", "all://127.0.0.1", "all://[::1]")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SOCKS = "socks"


def open_client(kind: type[Client], base_url: str) -> Client:
    """A new client for a base URL; raises `ArgumentInvalid` if the environment has a mistake."""
    local = [*LOCAL, *([f"all://{_bracketed(host_of(base_url))}"] if is_local(base_url) else [])]
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not os.environ.get("SSL_CERT_FILE") and not Path(folder).is_dir():
        raise ArgumentInvalid(_about_certificates(NotADirectoryError("it is no folder")))
    try:
        return kind(cookies=cookies, mounts=dict.fromkeys(local))
    except OSError as error:  # SSLError, too
        raise ArgumentInvalid(_about_certificates(error)) from error
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ArgumentInvalid(_about_proxies(error)) from None


def _about_certificates(error: OSError) -> str:
    reason = error.strerror or str(error)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # httpx reads the first one that is set
        if value := os.environ.get(name):
            advice = "Correct or unset the variable."
            return f"Cannot read the certificates of {name}={value!r}: {reason}.\n\n{advice}"
    return f"Cannot read the certificates of this machine: {reason}."


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


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
