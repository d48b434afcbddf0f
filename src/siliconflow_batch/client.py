"""
The client for threads. `async_client` is the same for event loops.

Rule: `flows` decides what to do; this module does it. Docstrings are in `base_client`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from . import flows
from .base_client import BaseClient
from .creations import search
from .creations.list_walk import PAGE, Walk
from .creations.orders import BatchSettings
from .errors import (
    APIError,
    ArgumentInvalid,
    CreateOutcomeUnknown,
    ListIncomplete,
    SiliconFlowError,
    TransportError,
)
from .input_files import validation
from .input_files.sources import InputFile, Source, downloaded, opened
from .objects import Batch, File
from .parameters import checked_id, checked_limit, checked_path
from .result_files import ordering, reading, resubmission
from .result_files.results import Result
from .result_files.summary import Summary
from .state.atomic_file import output
from .steps import Call, Flow, Reply, Save, Step
from .transport.connection import Connection
from .transport.download import Progress, Transfer
from .transport.upload import upload_call

Value = TypeVar("Value")


class SiliconFlowBatch(BaseClient):
    """
    The SiliconFlow Batch API. It is a context manager, and threads may share one.
    """

    def _connect(self, http_client: Any) -> None:
        self._connection = Connection(self._settings, http_client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def upload(
        self,
        source: Source,
        *,
        name: str | None = None,
        on_progress: Progress | None = None,
    ) -> File:
        with (
            opened(source, name=name) as input_file,
            upload_call(input_file, on_progress=on_progress) as call,
        ):
            file = self._run(flows.upload(call))
        self._memory.add_file(file)
        return file

    def files(self, limit: int | None = None) -> Iterator[File]:
        shown, reason = self._run(flows.files(limit))
        yield from shown
        if reason:
            raise ListIncomplete(reason)

    def create(
        self,
        input_file_id: str,
        *,
        window: str | int = "24h",
        metadata: Mapping[str, str] | None = None,
        model: str | None = None,
        idempotency_key: str | None = None,
    ) -> Batch:
        settings = BatchSettings(window, metadata, model)
        file_id, is_keyed = checked_id(input_file_id), idempotency_key is not None
        with self._recorded(idempotency_key, settings, file_id) as record:
            order = self._order(settings, record, file_id=file_id, is_keyed=is_keyed)
            self._run(self._flow(order))
            return self._made(order)

    def submit(
        self,
        source: Source,
        *,
        model: str | None = None,
        window: str | int = "24h",
        metadata: Mapping[str, str] | None = None,
        name: str | None = None,
        on_progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> Batch:
        settings = BatchSettings(window, metadata, model)
        with opened(source, name=name) as file:
            checked = validation.validate(file, model=model)
            with self._recorded(idempotency_key, settings, checked.sha256) as record:
                order = self._order(
                    settings,
                    record,
                    source=lambda: upload_call(file, checked, on_progress),
                    is_keyed=idempotency_key is not None,
                )
                self._run(self._flow(order))
                return self._made(order)

    def retrieve(self, batch: Batch | str) -> Batch:
        return self._run(flows.retrieve(batch))

    def cancel(self, batch: Batch | str) -> Batch:
        return self._run(flows.cancel(batch))

    def batches(self, limit: int = PAGE) -> Iterator[Batch]:
        walk = Walk(checked_limit(limit))
        while not walk.end:
            yield from self._run(walk.next())
        walk.raise_unless_complete()

    def find(self, token: str, input_file_id: str | None = None) -> Batch | None:
        return self._run(search.find(token, input_file_id))

    def wait(
        self,
        batch: Batch | str,
        *,
        timeout: float | None = None,
        interval: float = 5.0,
        longest: float = 60.0,
        on_update: Callable[[Batch], None] | None = None,
        check: bool = True,
    ) -> Batch:
        flow = flows.wait(
            batch,
            timeout=timeout,
            interval=interval,
            longest=longest,
            on_update=on_update,
            known=self._memory.batches,
        )
        ended = self._run(flow)
        if check:
            ended.raise_unless_completed()
        return ended

    def download(
        self, reference: str, target: str | Path, *, on_progress: Progress | None = None
    ) -> Path:
        with output(checked_path("target", target)) as file:
            transfer = Transfer(reference, self._settings)
            for piece in self._pieces(transfer):
                file.write(piece)
                if on_progress is not None:
                    on_progress(transfer.received, transfer.total)
        return Path(target)

    def results(
        self,
        batch: Batch | str,
        *,
        order: str | None = None,
        source: Source | None = None,
        check: bool = True,
    ) -> Iterator[Result]:
        ordering.checked_order(order)
        summary = Summary()
        with nullcontext() if source is None else opened(source) as file:
            batch = self._run(flows.with_results(batch, self._patience))
            if order is None:
                if file is not None:
                    summary.expect(ordering.custom_ids(file))
                for result in self._records(batch):
                    yield summary.add(result)
            else:
                with ordering.folder() as folder:
                    paths = [
                        self.download(reference, folder / kind)
                        for kind, reference in ordering.references(batch, ordering.BOTH)
                    ]
                    file = file or self._input(batch, folder / "input")
                    if file is not None:
                        summary.expect(ordering.custom_ids(file))
                    for result in ordering.in_order(paths, file):
                        yield summary.add(result)
        summary.end(batch)
        if check:
            summary.raise_unless_complete(batch)

    def errors(self, batch: Batch | str) -> Iterator[Result]:
        batch = self._run(flows.with_results(batch, self._patience))
        for result in self._records(batch):
            if not result.ok:
                yield result

    def failed_lines(self, batch: Batch | str, source: Source) -> Iterator[bytes]:
        with opened(source) as file:
            batch = self._run(flows.with_results(batch, self._patience))
            unanswered = resubmission.Unanswered(batch, file)
            for result in self._records(batch):
                unanswered.add(result)
            yield from unanswered.lines()

    def _input(self, batch: Batch, target: Path) -> InputFile | None:
        """The downloaded input of a batch; None, with a warning, if it cannot be downloaded."""
        try:
            return downloaded(self.download(ordering.input_of(batch), target))
        except (APIError, ArgumentInvalid) as error:
            ordering.warn_of_order(error)
            return None

    def _records(self, batch: Batch) -> Iterator[Result]:
        """The results as they arrive, first those of the output file."""
        for kind, reference in ordering.references(batch, ordering.BOTH):
            reader = reading.Reader(kind)
            for piece in self._pieces(Transfer(reference, self._settings)):
                yield from reader.feed(piece)
            yield from reader.close()

    def _pieces(self, transfer: Transfer) -> Iterator[bytes]:
        """The bytes of a file as they arrive, resumed after interruptions."""
        while not transfer.ended:
            for attempt in self._attempts():
                with attempt:
                    transfer.restart()
                    pieces = self._connection.pieces(transfer)
                    first = next(pieces, b"")
            yield first
            try:
                yield from pieces
            except TransportError as error:
                transfer.interrupted(error)

    def _run(self, flow: Flow[Value]) -> Value:
        """Carries out the steps of a flow, and returns its value."""
        try:
            step = next(flow)
            while True:
                try:
                    reply = self._take(step)
                except BaseException as error:  # a flow says what an interruption leaves open
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as end:
            value: Value = end.value
            return value
        except (APIError, CreateOutcomeUnknown) as error:
            raise self._settings.authorization.without_key(error) from None

    def _take(self, step: Step) -> Reply | None:
        if isinstance(step, Call):
            return self._send(step)
        if isinstance(step, Save):
            step.record.record(**step.fields)
            return None
        time.sleep(step.seconds)
        return None

    def _send(self, call: Call) -> Reply:
        try:
            return self._connection.send(call)
        except SiliconFlowError as error:
            first = [error]
        # Without stamina a call takes a tenth less CPU, so it is used only after a failure.
        for attempt in self._attempts(call.repeatable):
            with attempt:
                if first:
                    raise first.pop()
                return self._connection.send(call)
        raise AssertionError  # stamina returns or raises
