"""
What the two clients share: their parameters, and the docstrings of their methods.

`help()`, `inspect.getdoc` and language servers show the docstring of the method that a method
overrides. So each docstring is written here, once, and is shown for both classes; a copy made at
run time would be invisible to editors. A test compares the signatures.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from .client_state import ClientState
from .creations.list_walk import PAGE
from .creations.remembered import Memory
from .errors import ArgumentInvalid
from .input_files.sources import Source
from .objects import Batch
from .retries import Patience, Retries
from .transport import settings
from .transport.authorization import Authorization
from .transport.download import Progress


class BaseClient(ClientState):
    """The parameters and the methods of `SiliconFlowBatch` and `AsyncSiliconFlowBatch`."""

    def __init__(
        self,
        key: str | None = None,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: httpx.Timeout | float | None = None,
        retries: Retries | None = None,
        patience: Patience | None = None,
        http_client: Any = None,
    ) -> None:
        """
        `key`: the API key; by default the environment variable SILICONFLOW_API_KEY. `api_key` is
        the same.
        `base_url`: by default SILICONFLOW_BASE_URL, or else the China site (`CHINA`).
        `timeout`: as for httpx, in seconds; by default 10 to connect and 60 for anything else.
        `retries`: limits how often and for how long a request is repeated.
        `patience`: limits the search for a batch whose creation had no clear response.
        `http_client`: an httpx or httpx2 client to send all requests with, for its proxies and
        certificates; the caller closes it. Cookies that a response sets are not kept there.

        Raises `KeyMissing` and `ArgumentInvalid`. Methods raise a `SiliconFlowError`, or `OSError`
        if a file cannot be read or written.
        """
        authorization, key, api_key = Authorization(key, api_key), None, None
        self._settings = settings.read_settings(authorization, base_url, timeout, retries)
        self._patience = Patience() if patience is None else patience
        if not isinstance(self._patience, Patience):
            raise ArgumentInvalid(f"Invalid patience {patience!r}: pass a Patience.")
        self._memory = Memory()
        self._connect(http_client)

    @abstractmethod
    def _connect(self, http_client: Any) -> None:
        """Raises `ArgumentInvalid` unless `http_client` is None or the right kind of client."""

    def __repr__(self) -> str:
        settings = getattr(self, "_settings", None)  # a debugger shows half a client as well
        return f"{type(self).__name__}({settings and settings.base_url!r})"

    @abstractmethod
    def close(self) -> Any:
        """Closes the connections; a client passed as `http_client` stays open."""

    @abstractmethod
    def upload(
        self,
        source: Source,
        *,
        name: str | None = None,
        on_progress: Progress | None = None,
    ) -> Any:
        """
        Uploads an input file: a path, bytes, a file opened in binary mode, which is read from its
        current position, or an iterable of lines.

        A pipe, or another stream that can be read only once, is copied to a temporary file first.
        `name` replaces the name of the file. `on_progress(done, total)` is called after each piece,
        in bytes.

        Raises `InputFileChanged` if the size of the file changes meanwhile; nothing is uploaded
        then.
        """

    @abstractmethod
    def files(self, limit: int | None = None) -> Any:
        """
        Yields the uploaded files that the service lists, at most `limit`.

        Lists of files have no pages. If there may be more files than the service shows, and fewer
        than `limit` are shown, it raises `ListIncomplete` at the end.
        """

    @abstractmethod
    def create(
        self,
        input_file_id: str,
        *,
        window: str | int = "24h",
        metadata: Mapping[str, str] | None = None,
        model: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """
        Creates one batch of an uploaded file.

        If the response is lost, the client searches the list for the batch, and creates it again
        only if the list shows that there is none; `Patience` limits the search. An idempotency key,
        or a file that this client has not uploaded or has used before, needs a walk over the list
        before the creation: one request for each 100 batches of the account, and one more.

        `window` is in hours, from 24 to 336. `model` replaces the model of every line.
        `idempotency_key`: any text. The same key returns the same batch, in any process on this
        machine; on other machines, if the list shows the metadata of batches.

        Raises `CreateOutcomeUnknown` if the batch may exist and was not found.
        """

    @abstractmethod
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
    ) -> Any:
        """
        Validates an input file, uploads it and creates a batch of it.

        `source` is that of `upload`. Lines are dicts, as `chat_lines` yields them, or bytes, as
        `failed_lines` yields them. `idempotency_key` is that of `create`; an interrupted submission
        goes on where it stopped.

        Raises `InputFileInvalid`, before anything is sent, if the file has faults, and
        `InputFileChanged`, without a batch, if the file changes after it was validated.
        """

    @abstractmethod
    def retrieve(self, batch: Batch | str) -> Any:
        """Returns a batch in its current state."""

    @abstractmethod
    def cancel(self, batch: Batch | str) -> Any:
        """Cancels a batch; the requests that are in flight are still completed."""

    @abstractmethod
    def batches(self, limit: int = PAGE) -> Any:
        """
        Yields every batch of the account, in pages of `limit` batches.

        Raises `ListIncomplete` at the end if the list could not be read completely.
        """

    @abstractmethod
    def find(self, token: str, input_file_id: str | None = None) -> Any:
        """
        Returns the batch of a creation that ended in `CreateOutcomeUnknown`.

        `input_file_id` is its file, if that was uploaded for this batch alone; then the batch is
        found although lists show no metadata. Returns None if the list shows that there is no such
        batch so far.

        Raises `CreateOutcomeUnknown` if the list shows neither.
        """

    @abstractmethod
    def wait(
        self,
        batch: Batch | str,
        *,
        timeout: float | None = None,
        interval: float = 5.0,
        longest: float = 60.0,
        on_update: Callable[[Batch], None] | None = None,
        check: bool = True,
    ) -> Any:
        """
        Waits until a batch, named by itself or by its id, is final. Any process can do that.

        The batch is retrieved every `interval` seconds at first, then less often, up to every
        `longest` seconds. `on_update(batch)` is called when its status or its counts change.

        Raises `WaitTimedOut` after `timeout` seconds. Raises `BatchFailed`, `BatchExpired` or
        `BatchCancelled` unless the batch is completed or `check` is False.
        """

    @abstractmethod
    def download(
        self, reference: str, target: str | Path, *, on_progress: Progress | None = None
    ) -> Any:
        """
        Downloads a file, by URL or id, to the path `target`, and returns the path.

        `target` is written only when the file is complete. An interrupted download is resumed;
        raises `DownloadTruncated` if it cannot be completed. `on_progress(done, total)` is called
        after each piece, in bytes; `total` is None if the size is unknown.
        """

    @abstractmethod
    def results(
        self,
        batch: Batch | str,
        *,
        order: str | None = None,
        source: Source | None = None,
        check: bool = True,
    ) -> Any:
        """
        Yields the result of every line, first those with a response, then those that failed.

        `order="input"` yields them in the order of the input file. It is read from `source`, or
        downloaded; the results are downloaded before the first one is yielded. If the input cannot
        be downloaded, it warns, and the order is that of the result files.

        A completed batch that does not name its result files yet is retrieved again within
        `Patience`. A batch whose lines all failed has no output file; that is not an error.

        After the last result it raises `ResultsIncomplete` if lines are missing, repeated, unknown
        or cannot be read, unless `check` is False. They are compared by `custom_id` with the input
        if that is known, and otherwise counted.
        """

    @abstractmethod
    def errors(self, batch: Batch | str) -> Any:
        """Yields the results of the lines that failed."""

    @abstractmethod
    def failed_lines(self, batch: Batch | str, source: Source) -> Any:
        """
        Yields the lines of the input file `source` that failed or have no result, as bytes.

        They are unchanged, and ready to be submitted again. Raises `ArgumentInvalid` if the batch
        is not final, if its answered lines are unknown, or if `source` is not its input.
        """
