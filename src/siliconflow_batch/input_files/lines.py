"""Request lines as JSON, and files of them."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ArgumentInvalid
from ..state.atomic_file import output

# Valid in JSON, but str.splitlines ends a line at each of them.
LINE_SEPARATORS = "\u0085\u2028\u2029"


def write_lines(path: str | os.PathLike[str], lines: Iterable[Mapping[str, Any]]) -> int:
    """
    Writes lines to a file, and returns how many.

    The file is replaced only when it is complete; a device or a FIFO is written into. Raises
    `ArgumentInvalid` for a line that is not JSON, if there are no lines, or for a folder that does
    not exist, and `FileNotWritten` if the disk is full.
    """
    number = 0
    with output(Path(path)) as file:
        for number, line in enumerate(lines, 1):
            file.write(encoded(number, line))
        if not number:
            raise ArgumentInvalid("`lines` is empty; the file was not written.")
    return number


def encoded(number: int, line: Mapping[str, Any]) -> bytes:
    """Line `number` of a file, in UTF-8; raises `ArgumentInvalid` if it is not JSON."""
    try:
        text = json.dumps(dict(line), ensure_ascii=False, allow_nan=False, default=_json_number)
        for separator in LINE_SEPARATORS:
            text = text.replace(separator, f"\\u{ord(separator):04x}")
        return text.encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentInvalid(f"Cannot write line {number} as JSON: {error}.") from error


def plain(value: Any) -> Any:
    """A number of numpy as one of Python; anything else unchanged."""
    is_number = hasattr(value, "dtype") and getattr(value, "ndim", None) == 0
    return value.item() if is_number else value


def _json_number(value: Any) -> Any:
    number = plain(value)
    if number is value:
        raise TypeError(f"{type(value).__name__} is not JSON")
    return number
