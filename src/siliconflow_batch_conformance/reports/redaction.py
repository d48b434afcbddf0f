"""
Keys, taken out of everything that is reported, however a service may have written them.

Rule: a character of a key counts in any of the ways in which JSON, URLs and HTML write it, also
where one is wrapped into another.
"""

import re
from functools import cache
from typing import Any, TypeVar

import attrs

HIDDEN = "…"
T = TypeVar("T")


def redacted(value: T, secrets: tuple[str, ...]) -> T:
    """A copy of a string, bytes, attrs object, dict, list or tuple in which no secret is left."""
    pattern = _pattern(secrets)
    return value if pattern is None else _copy(value, pattern)


def _copy(value: Any, pattern: re.Pattern[bytes]) -> Any:
    match value:
        case str():
            raw = pattern.sub(HIDDEN.encode(), value.encode("utf-8", "surrogatepass"))
            return raw.decode("utf-8", "surrogatepass")
        case bytes():
            return pattern.sub(HIDDEN.encode(), value)
        case dict():
            return {_copy(name, pattern): _copy(each, pattern) for name, each in value.items()}
        case list() | tuple():
            return type(value)(_copy(each, pattern) for each in value)
        case _ if attrs.has(type(value)):
            names = [field.name for field in attrs.fields(type(value))]
            return type(value)(**{name: _copy(getattr(value, name), pattern) for name in names})
        case _:
            return value


@cache
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[bytes] | None:
    # A secret that begins with another one goes first, or its end would be left.
    ordered = sorted(filter(None, secrets), key=len, reverse=True)
    if not ordered:
        return None
    return re.compile(b"|".join(b"".join(map(_ways, secret)) for secret in ordered))


def _ways(character: str) -> bytes:
    """A pattern for one character of a secret: itself, or what stands for it."""
    number = ord(character)
    plain = re.escape(character.encode())
    in_url = b"".join(rb"%%(?:25)*%02x" % byte for byte in character.encode())
    ways = [
        rb"\\*" + plain,  # JSON escapes " \ and, at its pleasure, /
        rb"\\+u%04x" % number,
        in_url,
        rb"&#0*%d;" % number,
        rb"&#x0*%x;" % number,
    ]
    if character == " ":
        ways.append(rb"\+")
    return b"(?:" + ways[0] + b"|(?i:" + b"|".join(ways[1:]) + b"))"
