"""
The client for event loops: the methods of `client`, awaited.

Rule: `flows` decides what to do; this module does it. Docstrings are in `base_client`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
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
from .transport.download import Progress, Transfer
from .transport.loops import LoopConnections
from .transport.upload import upload_call

Value = TypeVar("Value")


class AsyncSiliconFlowBatch(BaseClient):
    """
    The SiliconFlow Batch API for event loops: the methods of `SiliconFlowBatch`, awaited.

    It is a context manager, and several loops may share one, one after the other or at once.
    """

    def _connect(self, http_client: Any) -> None:
        self._connections = LoopConnections(self._settings, http_client)

    async def __aenter__(self) -> Self:
        self._connections.reopen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._connections.close()

    async def upload(
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
            file = await self._run(flows.upload(call))
        self._memory.add_file(file)
        return file

    async def files(self, limit: int | None = None) -> AsyncIterator[File]:
        shown, reason = await self._run(flows.files(limit))
        for file in shown:
            yield file
        if reason:
            raise ListIncomplete(reason)

    async def create(
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
            await self._run(self._flow(order))
            return self._made(order)

    async def submit(
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
                await self._run(self._flow(order))
                return self._made(order)

    async def retrieve(self, batch: Batch | str) -> Batch:
        return await self._run(flows.retrieve(batch))

    async def cancel(self, batch: Batch | str) -> Batch:
        return await self._run(flows.cancel(batch))

    async def batches(self, limit: int = PAGE) -> AsyncIterator[Batch]:
        walk = Walk(checked_limit(limit))
        while not walk.end:
            for batch in await self._run(walk.next()):
                yield batch
        walk.raise_unless_complete()

    async def find(self, token: str, input_file_id: str | None = None) -> Batch | None:
        return await self._run(search.find(token, input_file_id))

    async def wait(
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
        ended = await self._run(flow)
        if check:
            ended.raise_unless_completed()
        return ended

    async def download(
        self, reference: str, target: str | Path, *, on_progress: Progress | None = None
    ) -> Path:
        with output(checked_path("target", target)) as file:
            transfer = Transfer(reference, self._settings)
            async for piece in self._pieces(transfer):
                file.write(piece)
                if on_progress is not None:
                    on_progress(transfer.received, transfer.total)
        return Path(target)

    async def results(
        self,
        batch: Batch | str,
        *,
        order: str | None = None,
        source: Source | None = None,
        check: bool = True,
    ) -> AsyncIterator[Result]:
        ordering.checked_order(order)
        summary = Summary()
        with nullcontext() if source is None else opened(source) as file:
            batch = await self._run(flows.with_results(batch, self._patience))
            if order is None:
                if file is not None:
                    summary.expect(ordering.custom_ids(file))
                async for result in self._records(batch):
                    yield summary.add(result)
            else:
                with ordering.folder() as folder:
                    paths = [
                        await self.download(reference, folder / kind)
                        for kind, reference in ordering.references(batch, ordering.BOTH)
                    ]
                    file = file or await self._input(batch, folder / "input")
                    if file is not None:
                        summary.expect(ordering.custom_ids(file))
                    for result in ordering.in_order(paths, file):
                        yield summary.add(result)
        summary.end(batch)
        if check:
            summary.raise_unless_complete(batch)

    async def errors(self, batch: Batch | str) -> AsyncIterator[Result]:
        batch = await self._run(flows.with_results(batch, self._patience))
        async for result in self._records(batch):
            if not result.ok:
                yield result

    async def failed_lines(self, batch: Batch | str, source: Source) -> AsyncIterator[bytes]:
        with opened(source) as file:
            batch = await self._run(flows.with_results(batch, self._patience))
            unanswered = resubmission.Unanswered(batch, file)
            async for result in self._records(batch):
                unanswered.add(result)
            for line in unanswered.lines():
                yield line

    async def _input(self, batch: Batch, target: Path) -> InputFile | None:
        """The downloaded input of a batch; None, with a warning, if it cannot be downloaded."""
        try:
            return downloaded(await self.download(ordering.input_of(batch), target))
        except (APIError, ArgumentInvalid) as error:
            ordering.warn_of_order(error)
            return None

    async def _records(self, batch: Batch) -> AsyncIterator[Result]:
        """The results as they arrive, first those of the output file."""
        for kind, reference in ordering.references(batch, ordering.BOTH):
            reader = reading.Reader(kind)
            async for piece in self._pieces(Transfer(reference, self._settings)):
                for result in reader.feed(piece):
                    yield result
            for result in reader.close():
                yield result

    async def _pieces(self, transfer: Transfer) -> AsyncIterator[bytes]:
        """The bytes of a file as they arrive, resumed after interruptions."""
        while not transfer.ended:
            async for attempt in self._attempts():
                with attempt:
                    transfer.restart()
                    pieces = self._connections.of_loop().pieces(transfer)
                    first = await anext(pieces, b"")
            yield first
            try:
                async for piece in pieces:
                    yield piece
            except TransportError as error:
                transfer.interrupted(error)

    async def _run(self, flow: Flow[Value]) -> Value:
        """Carries out the steps of a flow, and returns its value."""
        try:
            step = next(flow)
            while True:
                try:
                    reply = await self._take(step)
                except BaseException as error:  # a flow says what an interruption leaves open
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as end:
            value: Value = end.value
            return value
        except (APIError, CreateOutcomeUnknown) as error:
            raise self._settings.authorization.without_key(error) from None

    async def _take(self, step: Step) -> Reply | None:
        if isinstance(step, Call):
            return await self._send(step)
        if isinstance(step, Save):
            step.record.record(**step.fields)
            return None
        await asyncio.sleep(step.seconds)
        return None

    async def _send(self, call: Call) -> Reply:
        connection = self._connections.of_loop()
        try:
            return await connection.send(call)
        except SiliconFlowError as error:
            first = [error]
        # Without stamina a call takes a tenth less CPU, so it is used only after a failure.
        async for attempt in self._attempts(call.repeatable):
            with attempt:
                if first:
                    raise first.pop()
                return await connection.send(call)
        raise AssertionError  # stamina returns or raises
