"""
The lines of an input file that have no answer, to be submitted again.

Rule: a line that may have an answer is not submitted again, because every line is paid for.
"""

from collections.abc import Iterator

from ..errors import ArgumentInvalid
from ..input_files.sources import InputFile
from ..objects import Batch
from .ordering import input_lines
from .results import Result


class Unanswered:
    """
    The lines of `source` that failed or have no result, unchanged and in their order.

    Add the results of the batch first; only their custom_ids are kept. Raises `ArgumentInvalid` if
    the batch says too little: it is not final, or answered lines are in no file.
    """

    def __init__(self, batch: Batch, source: InputFile) -> None:
        if not batch.is_final:
            raise ArgumentInvalid(f"Batch {batch.id!r} is {batch.status}; wait for it first.")
        is_named = batch.error_file_id or batch.status.lower() != "completed"
        if batch.output_file_id is None and (batch.counts.completed or not is_named):
            raise ArgumentInvalid(
                f"Batch {batch.id!r} names no output file, so it is unknown which lines have an "
                "answer. Retrieve it again later."
            )
        self._batch, self._source = batch, source
        self._is_answered: dict[str, bool] = {}

    def add(self, result: Result) -> None:
        id = result.custom_id
        if id:  # a record that cannot be read has none
            self._is_answered[id] = result.ok or self._is_answered.get(id, False)

    def lines(self) -> Iterator[bytes]:
        """The lines; raises `ArgumentInvalid` if the file is not the input of the batch."""
        known = self._is_answered
        if known and not any(id in known for id, _ in input_lines(self._source)):
            raise ArgumentInvalid(
                f"No custom_id of {self._source.label} is in the results of batch "
                f"{self._batch.id!r}: pass the input file of the batch."
            )
        return (raw for id, raw in input_lines(self._source) if not known.get(id, False))
