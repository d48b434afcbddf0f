"""
Running a batch: its lines are processed, its results written, its status moved on.

Rule 1: a batch is brought up to date when it is looked at; only a backend works in between.
Rule 2: lines are processed in the order of the input, so progress is a single number.
Rule 3: results are appended after the last recorded byte, so a crash repeats no line.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field

from ..files.inspection import read_lines
from ..files.storage import Storage
from ..hooks import Hook
from . import completions, lifecycle
from .lifecycle import Batch, Pace

Line = dict[str, Any]
CHUNK = 100  # lines held in memory at a time


@define
class Execution:
    """
    With `backed`, a backend processes the lines; `busy` are the batches with lines in flight there.
    """

    storage: Storage
    pace: Pace
    backed: bool = False
    busy: set[str] = field(factory=set)

    def settle(self, batch: Batch, now: float) -> bool:
        """Applies every event of `batch` that is due by `now`; returns whether it changed."""
        before = (batch.status, batch.done)
        while (upcoming := self.upcoming(batch)) is not None:
            event, at = upcoming
            if not self.backed:
                self._process_due(batch, min(at, now))
            if at > now or (event == "drain" and batch.id in self.busy):
                break
            if event == "expire":
                self._expire(batch)
            lifecycle.move(batch, event, at)
            if batch.final:
                self.publish(batch, at)
        return (batch.status, batch.done) != before

    @Hook
    def upcoming(self, batch: Batch) -> tuple[str, float] | None:
        """The next event and its time; None if the batch has ended."""
        started = batch.stamps.get("in_progress")
        answered = batch.answered
        if started is not None and not self.backed:
            answered = started + self.pace.running
        return lifecycle.next_event(batch, self.pace, answered)

    @Hook
    def reply(self, batch: Batch, request: Line, id: str, at: int) -> Line:
        """The result of one line, without a backend."""
        return completions.result(request, batch.model, id, at)

    def pending(self, batch: Batch) -> Iterator[tuple[Line, str, int]]:
        """Yields each line without a result: the request, its id, and where the line ends."""
        source = self.storage.files[batch.input_file_id].path
        numbered = enumerate(read_lines(source, batch.offset), batch.done)
        return (
            (orjson.loads(raw), completions.line_id(batch.id, number), end)
            for number, (raw, end) in numbered
        )

    def record(self, batch: Batch, results: list[Line], offset: int) -> None:
        """Writes the results of the next lines, which end at `offset` in the input."""
        written: dict[bool, list[bytes]] = {True: [], False: []}
        for line in results:
            written[completions.succeeded(line)].append(orjson.dumps(line) + b"\n")
        batch.output_bytes = self._append(batch, "output", batch.output_bytes, written[True])
        batch.error_bytes = self._append(batch, "error", batch.error_bytes, written[False])
        batch.completed += len(written[True])
        batch.failed += len(written[False])
        batch.offset = offset

    def trim(self, batch: Batch) -> None:
        """Cuts off results that were written but not recorded before a crash."""
        recorded = {"output": batch.output_bytes, "error": batch.error_bytes}
        for kind, size in recorded.items():
            path = self._path(batch, kind)
            if path.exists() and path.stat().st_size > size:
                os.truncate(path, size)

    @Hook
    def publish(self, batch: Batch, at: float) -> None:
        """Adds the result files; a file without lines is not added."""
        if batch.completed:
            batch.output_file_id = self._publish(batch, "output", at)
        if batch.failed:
            batch.error_file_id = self._publish(batch, "error", at)

    def _process_due(self, batch: Batch, until: float) -> None:
        due = lifecycle.lines_due(batch, self.pace, until) - batch.done
        at = int(until)
        self._process(batch, due, lambda request, id: self.reply(batch, request, id, at))

    def _expire(self, batch: Batch) -> None:
        self._process(batch, batch.total - batch.done, completions.expired)

    def _process(self, batch: Batch, count: int, reply: Callable[[Line, str], Line]) -> None:
        """Records the next `count` lines, a chunk at a time because lines can be large."""
        pending = itertools.islice(self.pending(batch), max(count, 0))
        while chunk := list(itertools.islice(pending, CHUNK)):
            results = [reply(request, id) for request, id, _ in chunk]
            self.record(batch, results, chunk[-1][2])

    def _publish(self, batch: Batch, kind: str, at: float) -> str:
        return self.storage.keep_result(batch.account, self._path(batch, kind), at).id

    def _append(self, batch: Batch, kind: str, size: int, lines: list[bytes]) -> int:
        if not lines:
            return size
        with self._path(batch, kind).open("ab") as file:
            file.truncate(size)  # an earlier attempt may have written without recording
            file.writelines(lines)
            return file.tell()

    def _path(self, batch: Batch, kind: str) -> Path:
        return self.storage.folder / f"{batch.id}_{kind}.jsonl"
