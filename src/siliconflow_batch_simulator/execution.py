"""
How a batch runs: lines answered, results written, transitions taken.

Rule 1: a batch is settled up to the present when it is looked at; nothing runs in between.
Rule 2: every line of the input is written to one of the two result files at most once.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from attrs import define

from . import answers, lifecycle
from .lifecycle import Batch, Pace
from .lines import read_lines
from .storage import Storage

Result = Callable[[dict[str, Any], str], dict[str, Any]]


@define(slots=False)
class Execution:
    storage: Storage
    pace: Pace

    def settle(self, batch: Batch, now: float) -> None:
        """Takes every step of `batch` that is due by `now`."""
        while (upcoming := lifecycle.next_event(batch, self.pace)) is not None:
            event, at = upcoming
            self.answer(batch, min(at, now))
            if at > now:
                return
            if event == "expire":
                self._record(batch, batch.total, answers.expired)
            lifecycle.move(batch, event, at)
            if batch.final:
                self.publish(batch, at)

    def answer(self, batch: Batch, until: float) -> None:
        """Answers the lines that are due by `until` and not answered yet."""
        due = lifecycle.lines_due(batch, self.pace, until)
        at = int(until)
        self._record(batch, due, lambda request, id: answers.answer(request, batch.model, id, at))

    def publish(self, batch: Batch, at: float) -> None:
        """Makes files of the results; one without a line does not exist."""
        if batch.completed:
            batch.output_file_id = self._publish(batch, "output", at)
        if batch.failed:
            batch.error_file_id = self._publish(batch, "error", at)

    def _publish(self, batch: Batch, kind: str, at: float) -> str:
        return self.storage.keep_result(batch.account, self._path(batch, kind), at).id

    def _record(self, batch: Batch, upto: int, result: Result) -> None:
        """Writes results until `upto` lines of the input have one."""
        done = batch.completed + batch.failed
        if upto <= done:
            return
        outputs: list[bytes] = []
        errors: list[bytes] = []
        source = self.storage.files[batch.input_file_id].path
        lines = itertools.islice(read_lines(source, batch.offset), upto - done)
        for number, (raw, behind) in enumerate(lines, done):
            line = result(orjson.loads(raw), answers.line_id(batch.id, number))
            succeeded = line["response"] is not None and line["response"]["status_code"] == 200
            (outputs if succeeded else errors).append(orjson.dumps(line) + b"\n")
            batch.offset = behind
        self._append(batch, "output", outputs)
        self._append(batch, "error", errors)
        batch.completed += len(outputs)
        batch.failed += len(errors)

    def _append(self, batch: Batch, kind: str, lines: list[bytes]) -> None:
        if lines:
            with self._path(batch, kind).open("ab") as file:
                file.writelines(lines)

    def _path(self, batch: Batch, kind: str) -> Path:
        return self.storage.folder / f"{batch.id}_{kind}.jsonl"
