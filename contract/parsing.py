"""
A downloaded vendor document, read with suspicion.

Rule 1: whatever the bytes are, the outcome is a document or `Unreadable`.
Rule 2: size, depth and aliases are measured before anything is built from them.
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

BYTES = 1024 * 1024
VALUES = 200_000
DEPTH = 60
TOO_DEEP = f"it is nested deeper than {DEPTH} levels"
TOO_MANY = f"it holds more than {VALUES:,} values, counting what its aliases stand for"

DECLARED = re.compile(r"""openapi["']?[ \t]*:""")

SAVE_THE_PAGE = (
    "Download the page's OpenAPI document, as YAML, as JSON, or as the Markdown page around it."
)


@attrs.frozen
class Unreadable(Exception):
    """
    The file is no document that could be compared.
    """

    path: str
    reason: str
    advice: str = SAVE_THE_PAGE

    def __str__(self) -> str:
        return f"cannot read {self.path}: {self.reason}\n\n{self.advice}"


def _nodes(value: object) -> Iterable[object]:
    if isinstance(value, yaml.MappingNode):
        return [node for pair in value.value for node in pair]
    if isinstance(value, yaml.SequenceNode):
        return list(value.value)
    return ()


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _measure(root: object, children: Callable[[object], Iterable[object]]) -> None:
    """
    Raises `ValueError` for a tree too deep or too large; an alias counts as all it stands for.
    """
    waiting, seen = [(root, 1)], 1
    while waiting:
        value, depth = waiting.pop()
        below = list(children(value))
        seen += len(below)
        if depth > DEPTH:
            raise ValueError(TOO_DEEP)
        if seen > VALUES:
            raise ValueError(TOO_MANY)
        waiting.extend((child, depth + 1) for child in below)


def _plain(value: Any) -> Any:
    """
    What JSON could hold: YAML has keys that are no strings (a bare 200), dates and NaN.
    """
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
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
            _measure(node, _nodes)
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    _measure(value, _children)
    return _plain(value)


def _blocks(text: str) -> list[str]:
    """
    The bodies of a Markdown page's YAML and JSON blocks.
    """
    blocks: list[str] = []
    fence, lines = "", []  # type: tuple[str, list[str]]
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        ticks = bare[: len(bare) - len(bare.lstrip("`"))]
        if fence and len(ticks) >= len(fence) and bare == ticks:
            blocks.append("".join(lines))
            fence = ""
        elif fence:
            lines.append(line)
        elif len(ticks) >= 3 and bare[len(ticks) :].lstrip().startswith(("yaml", "yml", "json")):
            fence, lines = ticks, []
    return blocks


def _problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return TOO_DEEP
    return " ".join(str(error).split()) or type(error).__name__


def _document(path: str, text: str) -> Document:
    blocks = [block for block in _blocks(text) if DECLARED.search(block)]
    if len(blocks) > 1:
        advice = "Save each block as a file of its own."
        raise Unreadable(path, f"it holds {len(blocks)} OpenAPI blocks, not one.", advice)
    try:
        value = _parse(blocks[0] if blocks else text)
    except Exception as error:  # hostile scalars break the loader in many ways: !!bool x, !!int x
        if not DECLARED.search(text):
            raise Unreadable(path, "there is no OpenAPI document in it.") from error
        raise Unreadable(path, f"{_problem(error)}.") from error
    if isinstance(value, Mapping) and "swagger" in value:
        raise Unreadable(path, "it is a Swagger 2 document, not OpenAPI 3.")
    if not isinstance(value, Mapping) or "openapi" not in value:
        raise Unreadable(path, "there is no OpenAPI document in it.")
    return value


def read_download(file: Path) -> Document:
    """
    The OpenAPI document in the file; raises `Unreadable`.
    """
    path = str(file)
    try:
        with file.open("rb") as stream:
            content = stream.read(BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(path, f"{reason}.", "Name a file that was downloaded.") from error
    if len(content) > BYTES:
        raise Unreadable(path, f"it is larger than {BYTES:,} bytes.")
    try:
        document = _document(path, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"byte {error.start} is not UTF-8.") from error
    if not any(operations(document)):
        raise Unreadable(path, "its `paths` hold no operation.")
    return document
