"""
Replaces the ids of a recorded run by those of another run.

Rule: this module imports the standard library only, because scripts contain it.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote


def pattern(ids: Iterable[str]) -> re.Pattern[str]:
    """Matches ids that are not part of a longer word."""
    alternatives = "|".join(re.escape(id) for id in sorted(ids, key=len, reverse=True))
    return re.compile(
        rf"(?<![A-Za-z0-9_-])(?:{alternatives})(?![A-Za-z0-9_-])" if alternatives else r"(?!)"
    )


def renamed(value: Any, ids: dict[str, str]) -> Any:
    """A copy of a JSON value with ids in its strings and keys replaced."""
    if isinstance(value, str):
        return pattern(ids).sub(lambda match: ids[match[0]], value)
    if isinstance(value, list):
        return [renamed(item, ids) for item in value]
    if isinstance(value, dict):
        return {renamed(name, ids): renamed(item, ids) for name, item in value.items()}
    return value


def dig(value: Any, field: str) -> Any:
    """The value at a path such as `data.0.id`; None if there is none."""
    for name in field.split("."):
        if isinstance(value, list) and name.isdecimal():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def variable(sender: str) -> str:
    """The environment variable of a sender's key: SILICONFLOW_API_KEY, …_KEY_2, …_KEY_3."""
    number = {"own": "", "stranger": "2"}.get(sender, sender.rpartition("-")[2].upper())
    return "SILICONFLOW_API_KEY" + (f"_{number}" if number else "")


def renamed_bytes(body: bytes, ids: dict[str, str]) -> bytes:
    """A copy of any bytes with ids replaced."""
    latin = {_latin(id): _latin(new) for id, new in ids.items()}
    return bytes(renamed(_latin(body), latin).encode("latin-1"))


def quoted(id: str) -> str:
    """An id, percent-encoded for paths and queries."""
    return quote(id, safe="")


def _latin(text: str | bytes) -> str:
    return (text.encode() if isinstance(text, str) else text).decode("latin-1")
