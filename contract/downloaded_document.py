"""
Reads a downloaded vendor document, which may contain anything.

Rule 1: every file is either parsed or refused with `DocumentUnreadable`.
Rule 2: size, depth and aliases are limited before any value is built.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import yaml

from contract.document import Document, operations

MAX_BYTES = 1024 * 1024
MAX_VALUES = 200_000
MAX_DEPTH = 60
TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"
TOO_MANY = f"it has more than {MAX_VALUES:,} values, with aliases expanded"

OPENAPI_KEY = re.compile(r"""openapi["']?[ \t]*:""")

ADVICE = "Download the page's OpenAPI document as YAML or JSON, or the whole page as Markdown."


@attrs.frozen
class DocumentUnreadable(Exception):
    """The file contains no OpenAPI document that could be compared."""

    path: str
    reason: str
    advice: str = ADVICE

    def __str__(self) -> str:
        return f"cannot read {self.path}: {self.reason}\n\n{self.advice}"


def _child_nodes(value: object) -> Iterable[object]:
    if isinstance(value, yaml.MappingNode):
        return [node for pair in value.value for node in pair]
    if isinstance(value, yaml.SequenceNode):
        return list(value.value)
    return ()


def _child_values(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_size(root: object, children: Callable[[object], Iterable[object]]) -> None:
    """Raises `ValueError` when a tree is too deep or, with aliases expanded, too large."""
    waiting, count = [(root, 1)], 1
    while waiting:
        value, depth = waiting.pop()
        nested = list(children(value))
        count += len(nested)
        if depth > MAX_DEPTH:
            raise ValueError(TOO_DEEP)
        if count > MAX_VALUES:
            raise ValueError(TOO_MANY)
        waiting.extend((child, depth + 1) for child in nested)


def _as_json(value: Any) -> Any:
    """Convert what JSON lacks and YAML has: keys such as 200, dates, NaN, integers of any size."""
    if isinstance(value, Mapping):
        return {_key(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > 64:
        return hex(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _key(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


def _parse(text: str) -> Any:
    if text.lstrip().startswith("{"):
        value = json.loads(text)
    else:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            _check_size(node, _child_nodes)
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    _check_size(value, _child_values)
    return _as_json(value)


def _code_blocks(text: str) -> list[str]:
    """The contents of the YAML and JSON code blocks of a Markdown page."""
    blocks: list[str] = []
    fence, lines = "", []  # type: tuple[str, list[str]]
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        ticks = stripped[: len(stripped) - len(stripped.lstrip("`"))]
        if fence and len(ticks) >= len(fence) and stripped == ticks:
            blocks.append("".join(lines))
            fence = ""
        elif fence:
            lines.append(line)
        elif len(ticks) >= 3 and stripped[len(ticks) :].lstrip().startswith(
            ("yaml", "yml", "json")
        ):
            fence, lines = ticks, []
    return blocks


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return TOO_DEEP
    return " ".join(str(error).split()) or type(error).__name__


def _document(path: str, text: str) -> Document:
    blocks = [block for block in _code_blocks(text) if OPENAPI_KEY.search(block)]
    if len(blocks) > 1:
        advice = "Save each block in a separate file."
        raise DocumentUnreadable(
            path, f"it has {len(blocks)} OpenAPI blocks instead of one.", advice
        )
    try:
        value = _parse(blocks[0] if blocks else text)
    except Exception as error:  # a tag such as !!bool on any text makes the loader raise anything
        if not OPENAPI_KEY.search(text):
            raise DocumentUnreadable(path, "it contains no OpenAPI document.") from error
        raise DocumentUnreadable(path, f"{_reason(error)}.") from error
    if isinstance(value, Mapping) and "swagger" in value:
        raise DocumentUnreadable(path, "it is a Swagger 2 document, not OpenAPI 3.")
    if not isinstance(value, Mapping) or "openapi" not in value:
        raise DocumentUnreadable(path, "it contains no OpenAPI document.")
    return value


def read_downloaded_document(file: Path) -> Document:
    """Raises `DocumentUnreadable`, which says what to do."""
    path = str(file)
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentUnreadable(path, f"{reason}.", "Pass a downloaded file.") from error
    if len(content) > MAX_BYTES:
        raise DocumentUnreadable(path, f"it is larger than {MAX_BYTES:,} bytes.")
    try:
        document = _document(path, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DocumentUnreadable(path, f"byte {error.start} is not valid UTF-8.") from error
    if not any(operations(document)):
        raise DocumentUnreadable(path, "its `paths` contain no operation.")
    return document
