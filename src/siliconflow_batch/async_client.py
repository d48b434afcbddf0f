"""
The client for event loops: the methods of `client`, awaited.

Rule: what it does stands in `flows`; here it is only carried out.
"""

import asyncio
import tempfile
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast
from weakref import WeakKeyDictionary

import httpx
from attrs import define

from siliconflow_batch_api import AuthenticatedClient

from . import flows
from .errors import CreateOutcomeUnknown, SiliconFlowError, TransportError
from .flows import Call, Flow, Patience, Step
from .input_files import validation
from .objects import Batch, File
from .result_files import ordering, results
from .result_files.results import Result
from .transport import connection, responses
from .transport.connection import AsyncHttp, Retries, arguments_of, label
from .transport.download import Part, Progress, Transfer, refuse
from .transport.upload import Upload


@define(frozen=True)
class Line:
    """The connections of one event loop, and the generated client that uses them."""

    http: AsyncHttp
    api: AuthenticatedClient


class AsyncSiliconFlowBatch:
    """
    The SiliconFlow Batch API for event loops: `SiliconFlowBatch`, awaited.

    One may be used in several loops, one after the other or at once; it is a context manager.
    """

    def __init__(
        self,
        key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: httpx.Timeout | float | None = None,
        retries: Retries | None = None,
        patience: Patience | None = None,
        http_client: Any = None,
    ) -> None:
        self._settings = connection.settings(key, base_url, timeout, retries)
        self._patience = patience or Patience()
        self._given = http_client
        if http_client is not None:
            AsyncHttp(self._settings, http_client)  # refuses what is none before it is needed
        self._lines: WeakKeyDictionary[AbstractEventLoop, Line] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections of the running loop; those of other loops end with them."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        if line is not None:
            await line.http.close()

    async def upload(
        self,
        source: str | Path | bytes | BinaryIO,
        *,
        name: str | None = None,
        on_progress: Progress | None = None,
    ) -> File:
        """
        Uploads an input file as it is: a path, bytes, or a binary file from where it stands.

        `on_progress` hears of the bytes sent so far, and of their number where that is known.
        """
        with Upload(source, name, on_progress) as upload:
            answer = await self._run(upload.flow())
        return File(answer.data, responses.latest.get())

    async def files(self, limit: int | None = None) -> AsyncIterator[File]:
        """The uploaded files that the service lists; `limit` at the most."""
        answer = await self._run(flows.files(limit))
        for model in answer.data.data:
            yield File(model)

    async def create(
        self,
        input_file_id: str,
        *,
        window: str | int = "24h",
        metadata: Mapping[str, str] | None = None,
        model: str | None = None,
    ) -> Batch:
        """
        Creates one batch of an uploaded file, never two: where the answer is lost, the batch is
        looked for before anything is sent again.

        `window` is in hours, from 24 to 336; `model` takes the place of the lines' own.

        Raises `CreateOutcomeUnknown` where it cannot be known whether the batch exists.
        """
        flow = flows.create(
            input_file_id,
            window=window,
            metadata=metadata,
            model=model,
            patience=self._patience,
        )
        return Batch(await self._run(flow), responses.latest.get())

    async def submit(
        self,
        source: str | Path | bytes,
        *,
        model: str | None = None,
        window: str | int = "24h",
        metadata: Mapping[str, str] | None = None,
        name: str | None = None,
        on_progress: Progress | None = None,
    ) -> Batch:
        """
        Validates an input file, uploads it and creates a batch.

        Raises `InputFileInvalid`, with nothing sent, where the file has faults.
        """
        flows.creation("file-to-come", window=window, metadata=metadata, model=model, token="")
        validation.validate(source, model=model, name=name)
        file = await self.upload(source, name=name, on_progress=on_progress)
        return await self.create(file.id, window=window, metadata=metadata, model=model)

    async def retrieve(self, batch_id: str) -> Batch:
        return Batch(await self._run(flows.retrieve(batch_id)), responses.latest.get())

    async def cancel(self, batch_id: str) -> Batch:
        """Stops a batch; requests in flight still end."""
        return Batch(await self._run(flows.cancel(batch_id)), responses.latest.get())

    async def batches(self, limit: int = flows.PAGE) -> AsyncIterator[Batch]:
        """Every batch of the account, newest first; `limit` is the size of a page."""
        pages = ordering.Pages()
        while pages.more:
            for batch in pages.take(await self._run(flows.page(pages.after, limit))):
                yield batch

    async def find(self, token: str) -> Batch | None:
        """
        The batch that a creation with this token made; None where the list shows none.

        Raises `CreateOutcomeUnknown` where the list could not be read to its end.
        """
        found, whole = await self._run(flows.find(token, since=0))
        if found is None and not whole:
            raise CreateOutcomeUnknown(token, "the list could not be read to its end")
        return None if found is None else Batch(found)

    async def wait(
        self,
        batch_id: str,
        *,
        timeout: float | None = None,
        interval: float = 5.0,
        longest: float = 60.0,
        on_update: Callable[[Batch], None] | None = None,
        check: bool = True,
    ) -> Batch:
        """
        Waits until a batch is final, in this process or in any other that has its id.

        It is looked at after `interval` seconds, then less often, up to every `longest` seconds.
        Raises `WaitTimedOut` after `timeout` seconds, and `BatchFailed`, `BatchExpired` or
        `BatchCancelled` unless `check` is False.
        """
        flow = flows.wait(
            batch_id,
            timeout=timeout,
            interval=interval,
            longest=longest,
            on_update=on_update,
        )
        batch = Batch(await self._run(flow), responses.latest.get())
        if check:
            batch.raise_unless_completed()
        return batch

    async def download(
        self, reference: str, target: str | Path, *, on_progress: Progress | None = None
    ) -> Path:
        """
        A file, by URL or id, to `target`: whole, or not at all.

        An interrupted download is taken up where it ended, where the server can; raises
        `DownloadTruncated` when it cannot be completed. `on_progress` hears of the bytes received
        so far, and of their number where that is known.
        """
        with Part(Path(target)) as part:
            transfer = Transfer(reference, self._settings)
            async for piece in self._pieces(transfer):
                part.write(piece)
                if on_progress is not None:
                    on_progress(transfer.received, transfer.total)
            return part.finish()

    async def results(
        self, batch: Batch, *, order: str | None = None, source: str | Path | None = None
    ) -> AsyncIterator[Result]:
        """
        The result of every line as it comes: first the answered ones, then the failed ones.

        With `order="input"` they come in the order of the input, which is read from `source`, or
        downloaded, as the results are before the first one. A batch whose lines all failed has no
        answers, and that is no error.
        """
        ordering.checked_order(order)
        if order is None:
            for _, reference in ordering.references(batch, ("output", "error")):
                async for result in self._records(reference):
                    yield result
            return
        with tempfile.TemporaryDirectory(prefix="siliconflow-batch-") as folder:
            paths = [
                await self.download(reference, Path(folder) / kind)
                for kind, reference in ordering.references(batch, ("output", "error"))
            ]
            if source is None:
                source = await self.download(batch.input_file_id, Path(folder) / "input")
            for result in ordering.in_order(paths, Path(source)):
                yield result

    async def errors(self, batch: Batch) -> AsyncIterator[Result]:
        """The lines that were not answered, with the reasons."""
        for _, reference in ordering.references(batch, ("error",)):
            async for result in self._records(reference):
                yield result

    async def _records(self, reference: str) -> AsyncIterator[Result]:
        reader = results.Reader()
        async for piece in self._pieces(Transfer(reference, self._settings)):
            for result in reader.feed(piece):
                yield result
        for result in reader.close():
            yield result

    async def _pieces(self, transfer: Transfer) -> AsyncIterator[bytes]:
        """The bytes of a file as they come, taken up again where they broke off."""
        while not transfer.ended:
            async for attempt in self._attempts(repeatable=True):
                with attempt:
                    pieces = self._answer(transfer)
                    first = await anext(pieces, b"")
            yield first
            try:
                async for piece in pieces:
                    yield piece
            except TransportError as error:
                transfer.broken(error)

    async def _answer(self, transfer: Transfer) -> AsyncIterator[bytes]:
        """What one request brings of a file."""
        http = self._line().http
        try:
            async with http.client.stream(
                "GET",
                transfer.url,
                headers=transfer.headers,
                timeout=self._settings.seconds,
                follow_redirects=True,
            ) as response:
                if not transfer.accepts(response):
                    await response.aread()
                    refuse(response, transfer)
                async for piece in response.aiter_bytes():
                    yield transfer.fresh(piece)
                transfer.ended = True
        except http.failures.any as error:
            raise http.failures.named(error, "download", transfer.received) from error

    async def _run(self, flow: Flow) -> Any:
        """Carries a flow out, step by step."""
        try:
            step = next(flow)
            while True:
                try:
                    found = await self._take(step)
                except SiliconFlowError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(found)
        except StopIteration as done:
            return done.value

    async def _take(self, step: Step) -> Any:
        if isinstance(step, Call):
            return await self._call(step)
        await asyncio.sleep(step.seconds)
        return None

    async def _call(self, call: Call) -> Any:
        try:
            return await self._once(call)
        except SiliconFlowError as error:
            failed = [error]
        # The first attempt is over; stamina, which costs a tenth of a call, decides about others.
        async for attempt in self._attempts(call.repeatable):
            with attempt:
                if failed:
                    raise failed.pop()
                return await self._once(call)
        raise AssertionError  # pragma: no cover - stamina returns or raises

    async def _once(self, call: Call) -> Any:
        responses.latest.set(None)
        try:
            found = await self._send(call)
        except responses.UNREADABLE as error:
            raise responses.unreadable(error) from error
        return responses.judged(found, call.model)

    async def _send(self, call: Call) -> Any:
        line = self._line()
        try:
            return await call.operation.asyncio(client=line.api, **arguments_of(call))
        except line.http.failures.any as error:
            raise line.http.failures.named(error, label(call)) from error

    def _line(self) -> Line:
        """The connections of the running loop, which cannot be shared with another."""
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            http = AsyncHttp(self._settings, self._given)
            api = connection.generated(self._settings)
            # By likeness: the generated code calls `request` on it, and nothing else.
            self._lines[loop] = Line(http, api.set_async_httpx_client(cast(Any, http)))
        return self._lines[loop]

    def _attempts(self, repeatable: bool) -> AsyncIterable[Any]:
        import stamina  # with all of asyncio, when it is first needed

        retries = self._settings.retries
        return stamina.retry_context(
            on=lambda error: retries.again(error, repeatable), **retries.arguments()
        )
