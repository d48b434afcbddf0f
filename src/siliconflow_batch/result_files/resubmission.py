"""The lines of an input file that have no answer, to be submitted again."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import ArgumentInvalid
from ..objects import Batch
from .ordering import input_lines
from .results import Result


def failed_lines(batch: Batch, results: Iterable[Result], source: Path) -> Iterator[bytes]:
    """
    The lines of `source` that failed or have no result, unchanged and in their order.

    Raises `ArgumentInvalid` if the results say too little: the batch is not final, answered lines
    are in no file, or the file is not the input of the batch.
    """
    if not batch.is_final:
        raise ArgumentInvalid(f"Batch {batch.id!r} is {batch.status}; wait for it first.")
    is_named = batch.error_file_id or batch.status != "completed"
    if batch.output_file_id is None and (batch.counts.completed or not is_named):
        raise ArgumentInvalid(
            f"Batch {batch.id!r} names no output file, so it is unknown which lines have an "
            "answer. Retrieve it again later."
        )
    answered, seen = set(), set()
    for result in results:
        seen.add(result.custom_id)
        if result.ok:
            answered.add(result.custom_id)
    if seen and not any(id in seen for id, _ in input_lines(source)):
        raise ArgumentInvalid(
            f"No custom_id of {source} is in the results of batch {batch.id!r}: pass the input "
            "file of the batch."
        )
    return (raw for id, raw in input_lines(source) if id not in answered)
