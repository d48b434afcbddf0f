"""
Which addresses are on this machine, or in a private network.

Rule: only the text of an address is looked at; a name is not resolved.
"""

import ipaddress
import re
import socket
import unicodedata
from urllib.parse import urlsplit

from ..errors import ArgumentInvalid

# What the system's resolver reads as an IPv4 address: 127.1, 2130706433, 0x7f.0.0.1, 0177.0.0.1.
NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}", re.IGNORECASE)
# IPv6 addresses that end with an IPv4 address: NAT64, and two old forms.
TRANSLATED = [ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")]
TRANSLATED += [ipaddress.ip_network("::ffff:0:0:0/96")]
HOST = re.compile(r"[\w.-]+|[0-9a-f.]*:[0-9a-f:.]*(%[\w.-]+)?")  # a name, or an IPv6 address
PORTS = {"http": 80, "https": 443}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_local(url: str) -> bool:
    """Whether the host of a URL is this machine, by its address or as `localhost`."""
    host = host_of(url)
    address = _address(host)
    return _is_localhost(host) or (address is not None and address.is_loopback)


def check_result_url(url: str, base_url: str) -> None:
    """
    Raises `ArgumentInvalid` for the URL of a result file that may not be requested.

    It must have `http` or `https` and a host. A service elsewhere has no business on this machine
    or in a private network; a base URL that is there itself may name such addresses.
    """
    shown = url.partition("?")[0]
    scheme, host, _ = origin_of(url)
    if scheme not in ("http", "https") or not HOST.fullmatch(host):
        raise ArgumentInvalid(
            f"Cannot download {shown!r}: a result link has http or https, and a host."
        )
    if _is_private(host) and not _is_private(host_of(base_url)):
        raise ArgumentInvalid(
            f"Cannot download {shown!r}: the address is on this machine or in a private network, "
            "and the service is not."
        )


def host_of(url: str) -> str:
    """The host of a URL, as the system reads it; empty if there is none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()


def origin_of(url: str) -> tuple[str, str, int | None]:
    """The scheme, the host and the port of a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme.lower())
    except ValueError:
        return "", "", None
    return parts.scheme.lower(), host_of(url), port


def _is_private(host: str) -> bool:
    address = _address(host)
    if address is None:
        return _is_localhost(host)
    return not address.is_global or address.is_multicast or getattr(address, "is_site_local", False)


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _address(host: str) -> Address | None:
    """The address that a host is written as, the IPv4 address if it is in an IPv6 one."""
    if NUMERIC.fullmatch(host):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.packed[:15] != bytes(15) and any(address in one for one in TRANSLATED):
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
