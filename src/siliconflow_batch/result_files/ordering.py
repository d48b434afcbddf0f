"""
Pages to a list, and results to the order of their input.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import define, field

from siliconflow_batch_api import models

from ..errors import ArgumentInvalid
from ..objects import Batch
from . import results
from .results import Result


@define
class Pages:
    """
    A walk over pages. It ends where pages repeat themselves, as on a service without paging.
    """

    after: str | None = None
    more: bool = True
    _seen: set[str] = field(factory=set)

    def take(self, page: models.BatchPage) -> list[Batch]:
        """The batches of a page that were not met before."""
        fresh = [batch for batch in page.data if batch.id not in self._seen]
        self._seen.update(batch.id for batch in fresh)
        self.more = bool(page.has_more and fresh and page.last_id)
        self.after = page.last_id
        return [Batch(batch) for batch in fresh]


def checked_order(order: str | None) -> None:
    if order not in (None, "input"):
        raise ArgumentInvalid(f"The order is {order!r}; it is 'input' or left out.")


def references(batch: Batch, kinds: Iterable[str]) -> list[tuple[str, str]]:
    """The result files that a batch has; `ArgumentInvalid` while they are still to come."""
    found = {"output": batch.output_file_id, "error": batch.error_file_id}
    if not batch.is_final and not any(found.values()):
        raise ArgumentInvalid(
            f"Batch {batch.id!r} is {batch.status} and has no results yet; wait for it first."
        )
    return [(kind, reference) for kind in kinds if (reference := found[kind])]


def in_order(paths: list[Path], source: Path) -> Iterator[Result]:
    """
    The records of result files in the order of the input, and behind them what it does not name.

    Holds where each record is, not the records.
    """
    places: dict[str, list[tuple[Path, int]]] = {}
    for path in paths:
        for result, offset in _placed(path):
            places.setdefault(result.custom_id, []).append((path, offset))
    with contextlib.ExitStack() as opened:
        files = {path: opened.enter_context(path.open("rb")) for path in paths}
        for custom_id in [*_custom_ids(source), *places]:
            for path, offset in places.pop(custom_id, ()):
                files[path].seek(offset)
                yield results.parse(files[path].readline(), 0)


def _placed(path: Path) -> Iterator[tuple[Result, int]]:
    """The records of a result file, and where each begins."""
    offset = 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, 1):
            if not raw.isspace():
                yield results.parse(raw, line), offset
            offset += len(raw)


def _custom_ids(source: Path) -> Iterator[str]:
    """The ids of an input file, in its order; what is no line of input has none."""
    with source.open("rb") as file:
        for raw in file:
            with contextlib.suppress(ValueError):
                line = json.loads(raw)
                if isinstance(line, dict) and isinstance(line.get("custom_id"), str):
                    yield line["custom_id"]
