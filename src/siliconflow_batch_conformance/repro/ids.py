"""
Ids of a recorded run, where they stand, and what they are called in another run.

Rule: nothing but the standard library: scripts that repeat a failure carry this file with them.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote


def pattern(ids: Iterable[str]) -> re.Pattern[str]:
    """Finds ids where they stand alone, not as a part of longer words."""
    words = "|".join(re.escape(id) for id in sorted(ids, key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z0-9_-])(?:{words})(?![A-Za-z0-9_-])" if words else r"(?!)")


def renamed(value: Any, ids: dict[str, str]) -> Any:
    """A JSON value with other ids in its strings."""
    if isinstance(value, str):
        return pattern(ids).sub(lambda found: ids[found[0]], value)
    if isinstance(value, list):
        return [renamed(item, ids) for item in value]
    if isinstance(value, dict):
        return {renamed(name, ids): renamed(item, ids) for name, item in value.items()}
    return value


def dig(value: Any, field: str) -> Any:
    """What is at `data.0.id`; None where there is no such place."""
    for name in field.split("."):
        if isinstance(value, list) and name.isdecimal():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def variable(sender: str) -> str:
    """Where a sender's key comes from: SILICONFLOW_API_KEY, …_KEY_2, …_KEY_3."""
    number = {"own": "", "stranger": "2"}.get(sender, sender.rpartition("-")[2].upper())
    return "SILICONFLOW_API_KEY" + (f"_{number}" if number else "")


def renamed_bytes(body: bytes, ids: dict[str, str]) -> bytes:
    """Any bytes with other ids in them."""
    latin = {_latin(id): _latin(now) for id, now in ids.items()}
    return bytes(renamed(_latin(body), latin).encode("latin-1"))


def quoted(id: str) -> str:
    """An id as it stands in paths and queries."""
    return quote(id, safe="")


def _latin(text: str | bytes) -> str:
    return (text.encode() if isinstance(text, str) else text).decode("latin-1")
