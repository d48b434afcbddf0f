"""
The client for threads. `async_client` has the same methods for event loops.

Rule: what it does stands in `flows`; here it is only carried out.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import httpx

from . import flows
from .errors import CreateOutcomeUnknown, SiliconFlowError, TransportError
from .flows import Call, Flow, Patience, Step
from .input_files import validation
from .objects import Batch, File
from .result_files import ordering
from .result_files import results as records
from .result_files.results import Result
from .transport import connection, responses
from .transport.connection import Http, Retries, arguments_of, label
from .transport.download import Part, Progress, Transfer, refuse
from .transport.upload import Upload


class SiliconFlowBatch:
    """
    The SiliconFlow Batch API. Threads may share one; it is a context manager.

    `key` is by default SILICONFLOW_API_KEY of the environment, `base_url` SILICONFLOW_BASE_URL or
    the China site. `timeout` is httpx's, in seconds; `retries` bounds how often and how long a
    request is sent; `patience` how long a batch is looked for whose creation was not answered.
    `http_client` is an httpx or httpx2 client to send everything through, with proxies and
    certificates of the caller's; the caller closes it.

    Raises `KeyMissing` and `ArgumentInvalid`; every method raises `SiliconFlowError`s, and
    `OSError` where the disk is full.
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
        self._http = Http(self._settings, http_client)
        # By likeness: the generated code calls `request` on it, and nothing else.
        self._api = connection.generated(self._settings).set_httpx_client(cast(Any, self._http))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.base_url!r})"

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
        """Closes the connections; a client that was given as `http_client` stays open."""
        self._http.close()

    def upload(
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
            answer = self._run(upload.flow())
        return File(answer.data, responses.latest.get())

    def files(self, limit: int | None = None) -> Iterator[File]:
        """The uploaded files that the service lists; `limit` at the most."""
        answer = self._run(flows.files(limit))
        return iter([File(model) for model in answer.data.data])

    def create(
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
        return Batch(self._run(flow), responses.latest.get())

    def submit(
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
        file = self.upload(source, name=name, on_progress=on_progress)
        return self.create(file.id, window=window, metadata=metadata, model=model)

    def retrieve(self, batch_id: str) -> Batch:
        return Batch(self._run(flows.retrieve(batch_id)), responses.latest.get())

    def cancel(self, batch_id: str) -> Batch:
        """Stops a batch; requests in flight still end."""
        return Batch(self._run(flows.cancel(batch_id)), responses.latest.get())

    def batches(self, limit: int = flows.PAGE) -> Iterator[Batch]:
        """Every batch of the account, newest first; `limit` is the size of a page."""
        pages = ordering.Pages()
        while pages.more:
            yield from pages.take(self._run(flows.page(pages.after, limit)))

    def find(self, token: str) -> Batch | None:
        """
        The batch that a creation with this token made; None where the list shows none.

        Raises `CreateOutcomeUnknown` where the list could not be read to its end.
        """
        found, whole = self._run(flows.find(token, since=0))
        if found is None and not whole:
            raise CreateOutcomeUnknown(token, "the list could not be read to its end")
        return None if found is None else Batch(found)

    def wait(
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
        batch = Batch(self._run(flow), responses.latest.get())
        if check:
            batch.raise_unless_completed()
        return batch

    def download(
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
            for piece in self._pieces(transfer):
                part.write(piece)
                if on_progress is not None:
                    on_progress(transfer.received, transfer.total)
            return part.finish()

    def results(
        self, batch: Batch, *, order: str | None = None, source: str | Path | None = None
    ) -> Iterator[Result]:
        """
        The result of every line as it comes: first the answered ones, then the failed ones.

        With `order="input"` they come in the order of the input, which is read from `source`, or
        downloaded, as the results are before the first one. A batch whose lines all failed has no
        answers, and that is no error.
        """
        ordering.checked_order(order)
        if order is None:
            for _, reference in ordering.references(batch, ("output", "error")):
                yield from self._records(reference)
            return
        with tempfile.TemporaryDirectory(prefix="siliconflow-batch-") as folder:
            paths = [
                self.download(reference, Path(folder) / kind)
                for kind, reference in ordering.references(batch, ("output", "error"))
            ]
            if source is None:
                source = self.download(batch.input_file_id, Path(folder) / "input")
            yield from ordering.in_order(paths, Path(source))

    def errors(self, batch: Batch) -> Iterator[Result]:
        """The lines that were not answered, with the reasons."""
        for _, reference in ordering.references(batch, ("error",)):
            yield from self._records(reference)

    def _records(self, reference: str) -> Iterator[Result]:
        reader = records.Reader()
        for piece in self._pieces(Transfer(reference, self._settings)):
            yield from reader.feed(piece)
        yield from reader.close()

    def _pieces(self, transfer: Transfer) -> Iterator[bytes]:
        """The bytes of a file as they come, taken up again where they broke off."""
        while not transfer.ended:
            for attempt in self._attempts(repeatable=True):
                with attempt:
                    pieces = self._answer(transfer)
                    first = next(pieces, b"")
            yield first
            try:
                yield from pieces
            except TransportError as error:
                transfer.broken(error)

    def _answer(self, transfer: Transfer) -> Iterator[bytes]:
        """What one request brings of a file."""
        http = self._http
        try:
            with http.client.stream(
                "GET",
                transfer.url,
                headers=transfer.headers,
                timeout=self._settings.seconds,
                follow_redirects=True,
            ) as response:
                if not transfer.accepts(response):
                    response.read()
                    refuse(response, transfer)
                for piece in response.iter_bytes():
                    yield transfer.fresh(piece)
                transfer.ended = True
        except http.failures.any as error:
            raise http.failures.named(error, "download", transfer.received) from error

    def _run(self, flow: Flow) -> Any:
        """Carries a flow out, step by step."""
        try:
            step = next(flow)
            while True:
                try:
                    found = self._take(step)
                except SiliconFlowError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(found)
        except StopIteration as done:
            return done.value

    def _take(self, step: Step) -> Any:
        if isinstance(step, Call):
            return self._call(step)
        time.sleep(step.seconds)
        return None

    def _call(self, call: Call) -> Any:
        try:
            return self._once(call)
        except SiliconFlowError as error:
            failed = [error]
        # The first attempt is over; stamina, which costs a tenth of a call, decides about others.
        for attempt in self._attempts(call.repeatable):
            with attempt:
                if failed:
                    raise failed.pop()
                return self._once(call)
        raise AssertionError  # pragma: no cover - stamina returns or raises

    def _once(self, call: Call) -> Any:
        responses.latest.set(None)
        try:
            found = self._send(call)
        except responses.UNREADABLE as error:
            raise responses.unreadable(error) from error
        return responses.judged(found, call.model)

    def _send(self, call: Call) -> Any:
        try:
            return call.operation.sync(client=self._api, **arguments_of(call))
        except self._http.failures.any as error:
            raise self._http.failures.named(error, label(call)) from error

    def _attempts(self, repeatable: bool) -> Iterable[Any]:
        import stamina  # with all of asyncio, when it is first needed

        retries = self._settings.retries
        return stamina.retry_context(
            on=lambda error: retries.again(error, repeatable), **retries.arguments()
        )
