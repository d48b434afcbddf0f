"""
How a batch runs: lines answered, results written, transitions taken.

Rule 1: a batch is settled up to the present when it is looked at; only a backend works in between.
Rule 2: lines are answered in the order of the input, so that how far a batch has come is a number.
Rule 3: results are written behind what is known to be written: a crash repeats no line.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field

from ..inputs.inspection import read_lines
from ..state.storage import Storage
from . import completions, lifecycle
from .lifecycle import Batch, Pace

Line = dict[str, Any]
AT_A_TIME = 100


@define(slots=False)
class Execution:
    """
    `backed` leaves the lines to a backend; the batches in `busy` have lines there.
    """

    storage: Storage
    pace: Pace
    backed: bool = False
    busy: set[str] = field(factory=set)

    def settle(self, batch: Batch, now: float) -> bool:
        """Takes every step of `batch` that is due by `now`, and says whether there was one."""
        before = (batch.status, batch.done)
        while (upcoming := self.upcoming(batch)) is not None:
            event, at = upcoming
            if not self.backed:
                self._answer(batch, min(at, now))
            if at > now or (event == "drain" and batch.id in self.busy):
                break
            if event == "expire":
                self._expire(batch)
            lifecycle.move(batch, event, at)
            if batch.final:
                self.publish(batch, at)
        return (batch.status, batch.done) != before

    def upcoming(self, batch: Batch) -> tuple[str, float] | None:
        started = batch.stamps.get("in_progress")
        answered = batch.answered
        if started is not None and not self.backed:
            answered = started + self.pace.running
        return lifecycle.next_event(batch, self.pace, answered)

    def reply(self, batch: Batch, request: Line, id: str, at: int) -> Line:
        """The result of one line, when no backend is asked."""
        return completions.answer(request, batch.model, id, at)

    def left(self, batch: Batch) -> "itertools.chain[tuple[Line, str, int]]":
        """The lines without a result: each request, its id, and the offset behind it."""
        source = self.storage.files[batch.input_file_id].path
        numbered = enumerate(read_lines(source, batch.offset), batch.done)
        return itertools.chain(
            (orjson.loads(raw), completions.line_id(batch.id, number), behind)
            for number, (raw, behind) in numbered
        )

    def record(self, batch: Batch, results: list[Line], offset: int) -> None:
        """Writes the results of the next lines, which end at `offset` in the input."""
        sorted_out: dict[bool, list[bytes]] = {True: [], False: []}
        for line in results:
            sorted_out[completions.succeeded(line)].append(orjson.dumps(line) + b"\n")
        batch.output_bytes = self._append(batch, "output", batch.output_bytes, sorted_out[True])
        batch.error_bytes = self._append(batch, "error", batch.error_bytes, sorted_out[False])
        batch.completed += len(sorted_out[True])
        batch.failed += len(sorted_out[False])
        batch.offset = offset

    def trim(self, batch: Batch) -> None:
        """Cuts off what a crash left behind what is known to be written."""
        known = {"output": batch.output_bytes, "error": batch.error_bytes}
        for kind, size in known.items():
            path = self._path(batch, kind)
            if path.exists() and path.stat().st_size > size:
                os.truncate(path, size)

    def publish(self, batch: Batch, at: float) -> None:
        """Makes files of the results; one without a line does not exist."""
        if batch.completed:
            batch.output_file_id = self._publish(batch, "output", at)
        if batch.failed:
            batch.error_file_id = self._publish(batch, "error", at)

    def _answer(self, batch: Batch, until: float) -> None:
        """Answers the lines that are due by `until` and not answered yet."""
        due = lifecycle.lines_due(batch, self.pace, until) - batch.done
        at = int(until)
        self._take(batch, due, lambda request, id: self.reply(batch, request, id, at))

    def _expire(self, batch: Batch) -> None:
        self._take(batch, batch.total - batch.done, completions.expired)

    def _take(self, batch: Batch, count: int, result: Callable[[Line, str], Line]) -> None:
        """Records the next `count` lines, a few at a time: a line can be large."""
        left = itertools.islice(self.left(batch), max(count, 0))
        while taken := list(itertools.islice(left, AT_A_TIME)):
            results = [result(request, id) for request, id, _ in taken]
            self.record(batch, results, taken[-1][2])

    def _publish(self, batch: Batch, kind: str, at: float) -> str:
        return self.storage.keep_result(batch.account, self._path(batch, kind), at).id

    def _append(self, batch: Batch, kind: str, known: int, lines: list[bytes]) -> int:
        if not lines:
            return known
        with self._path(batch, kind).open("ab") as file:
            file.truncate(known)  # an earlier attempt may have written and not been counted
            file.writelines(lines)
            return file.tell()

    def _path(self, batch: Batch, kind: str) -> Path:
        return self.storage.folder / f"{batch.id}_{kind}.jsonl"
