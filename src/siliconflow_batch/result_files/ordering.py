"""
The result files of a batch, and their records in the order of the input file.
"""

import contextlib
import json
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from ..errors import ArgumentInvalid
from ..input_files.sources import InputFile
from ..objects import Batch
from . import reading, results
from .results import Result

BOTH = ("output", "error")
BOM = b"\xef\xbb\xbf"


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder for downloads."""
    with tempfile.TemporaryDirectory(prefix="siliconflow-batch-") as name:
        yield Path(name)


def checked_order(order: str | None) -> None:
    if order not in (None, "input"):
        raise ArgumentInvalid(f"Invalid order {order!r}: pass 'input', or leave it out.")


def references(batch: Batch, kinds: Iterable[str]) -> list[tuple[str, str]]:
    """
    The result files that a batch has, as ("output" or "error", URL or id).

    Raises `ArgumentInvalid` if the batch has none yet.
    """
    files = {"output": batch.output_file_id, "error": batch.error_file_id}
    if not batch.is_final and not any(files.values()):
        raise ArgumentInvalid(
            f"Batch {batch.id!r} is {batch.status} and has no results yet; wait for it first."
        )
    return [(kind, reference) for kind in kinds if (reference := files[kind])]


def input_of(batch: Batch) -> str:
    """The id of the input file; raises `ArgumentInvalid` if the service does not name it."""
    if batch.input_file_id is None:
        raise ArgumentInvalid(f"Batch {batch.id!r} names no input file; pass the file as `source`.")
    return batch.input_file_id


def warn_of_order(error: Exception) -> None:
    """Warns that results come in their own order, because the input cannot be downloaded."""
    reason = str(error).partition("\n")[0]
    warnings.warn(
        f"The results are in the order of the result files: {reason} Pass the input as `source`.",
        stacklevel=4,
    )


def in_order(paths: list[Path], source: InputFile | None) -> Iterator[Result]:
    """
    The records of result files in the order of the input file, then those that it does not name.

    Without a `source`, in the order of the files. The files are called "output" and "error". Only
    the position of each record is kept in memory.
    """
    if source is None:
        for path in paths:
            yield from reading.read(path, path.name)
        return
    positions: dict[str, list[tuple[Path, int, int]]] = {}
    for path in paths:
        for result, offset in _with_offsets(path):
            positions.setdefault(result.custom_id, []).append((path, offset, result.line))
    with contextlib.ExitStack() as stack:
        files = {path: stack.enter_context(path.open("rb")) for path in paths}
        for custom_id in chain(custom_ids(source), tuple(positions)):
            for path, offset, line in positions.pop(custom_id, ()):
                files[path].seek(offset)
                raw = files[path].readline().rstrip(b"\r\n")
                yield results.parse(raw, line, path.name)


def _with_offsets(path: Path) -> Iterator[tuple[Result, int]]:
    """The records of a result file, and the offset of each in bytes."""
    offset = 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, 1):
            if not raw.isspace():
                yield results.parse(raw, line), offset
            offset += len(raw)


def custom_ids(source: InputFile) -> Iterator[str]:
    """The custom_ids of an input file, in its order; invalid lines are skipped."""
    return (id for id, _ in input_lines(source))


def input_lines(source: InputFile) -> Iterator[tuple[str, bytes]]:
    """The lines of an input file, each with its custom_id; lines without one are skipped."""
    with source.open() as file:
        for raw in map(_without_bom, file):
            with contextlib.suppress(ValueError, RecursionError):
                line = json.loads(raw)
                if isinstance(line, dict) and isinstance(line.get("custom_id"), str):
                    yield line["custom_id"], raw


def _without_bom(raw: bytes) -> bytes:
    return raw.removeprefix(BOM)
