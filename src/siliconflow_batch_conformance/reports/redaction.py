"""
Removes keys from reports, in every encoding that a service may have used.

Rule: each character of a key is matched as it is, and in the escapes of JSON, URLs and HTML, even
nested ones.
"""

import re
from functools import cache
from typing import Any, TypeVar

import attrs

HIDDEN = "…"
T = TypeVar("T")


def redacted(value: T, secrets: tuple[str, ...]) -> T:
    """A copy of a string, bytes, attrs object, dict, list or tuple without the secrets."""
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
    # The longest first: a secret may begin with another one.
    ordered = sorted(filter(None, secrets), key=len, reverse=True)
    if not ordered:
        return None
    return re.compile(b"|".join(b"".join(map(_encodings, secret)) for secret in ordered))


def _encodings(character: str) -> bytes:
    """A pattern for one character of a secret, as it is or escaped."""
    number = ord(character)
    plain = re.escape(character.encode())
    in_url = b"".join(rb"%%(?:25)*%02x" % byte for byte in character.encode())
    encodings = [
        rb"\\*" + plain,  # JSON escapes " and \, and optionally /
        rb"\\+u%04x" % number,
        in_url,
        rb"&#0*%d;" % number,
        rb"&#x0*%x;" % number,
    ]
    if character == " ":
        encodings.append(rb"\+")
    return b"(?:" + encodings[0] + b"|(?i:" + b"|".join(encodings[1:]) + b"))"
