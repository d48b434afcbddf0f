"""
The hostile server: one account, one way to spoil creations, one kind of list.

    with HostileServer(WAYS["fin-without-a-byte:done"], LISTS["newest-first-20"]) as server:
        ...  # requests to server.base_url
    server.store.made  # the batches that exist

Rule: nothing of a request decides anything but its method, its path and its arguments. The way
applies to the first `times` creations; later ones work.
"""

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from . import raw_http
from .batch_store import BatchStore, StoredBatch
from .list_pages import Pages
from .list_table import LISTS, Listing
from .raw_http import ConnectionEnded, Incoming, Request, answer, as_json
from .spoiled_answers import OVERLOAD, RATE_LIMIT, REFUSAL, Case
from .way_table import ALL, BEHIND, FIN, HEADERS, KEEP, RESET, SILENCE, Way

SILENT_SECONDS = 30.0  # a client that waits longer is sent a FIN
PLAIN = LISTS["newest-first-20"]
NOT_FOUND = b'"404 page not found"'


@dataclass
class HostileServer:
    """
    A context manager. `way` is None for a server whose creations all work.

    `patience` is the patience of the client in seconds; lags and delays are multiples of it.
    """

    way: Way | None = None
    listing: Listing = PLAIN
    times: int = 1
    patience: float = 0.25
    requests: list[str] = field(default_factory=list)  # such as "POST /v1/batches"
    creations: list[dict[str, Any]] = field(default_factory=list)  # the bodies that were read

    def __post_init__(self) -> None:
        self.store = BatchStore(clock=self.listing.clock)
        self.store.add_history(self.listing.history)
        self.pages = Pages(self.listing, self.store, self.patience)
        self.errors: list[BaseException] = []
        self._lock = threading.Lock()
        self._spoiled = 0
        self._open: set[socket.socket] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def made_of(self, input_file_id: str) -> list[StoredBatch]:
        """The batches that the client made of a file, also those that come late."""
        return [batch for batch in self.store.made if batch.input_file_id == input_file_id]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        incoming = Incoming(connection)
        try:
            while self._answer_one(incoming):
                pass
        except (ConnectionEnded, OSError):
            pass
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _answer_one(self, incoming: Incoming) -> bool:
        """Answers the next request; returns whether the connection goes on."""
        method, target = incoming.first_line()
        path = target.partition("?")[0].rstrip("/")
        self.requests.append(f"{method} {path}")
        way = self._way() if (method, path) == ("POST", "/v1/batches") else None
        if way is not None and way.read != ALL:
            if way.read == HEADERS:
                incoming.head()
            nothing = Case(None, {}, {}, {})
            return self._end(incoming.connection, way.answer(nothing), way.end)
        request = incoming.whole()
        if way is None:
            plain = self._plain(request)
            if incoming.owed:
                plain, incoming.owed = incoming.owed, plain
            return self._end(incoming.connection, plain, KEEP)
        case = self._case(request, way)
        if way.end == BEHIND:
            incoming.owed = case.true_answer
        return self._end(incoming.connection, way.answer(case), way.end)

    def _way(self) -> Way | None:
        """The way for the creation that arrives, if it is one of the first `times`."""
        with self._lock:
            if self.way is None or self._spoiled >= self.times:
                return None
            self._spoiled += 1
            return self.way

    def _end(self, connection: socket.socket, sent: bytes, end: str) -> bool:
        if sent:
            connection.sendall(sent)
        if end == RESET:
            raw_http.reset(connection)
        elif end == FIN:
            raw_http.finish(connection)
        elif end == SILENCE:
            raw_http.wait_for_the_end(connection, SILENT_SECONDS)
        return end in (KEEP, BEHIND)

    def _case(self, request: Request, way: Way) -> Case:
        """Does the work of a creation, or not; returns what an answer can show."""
        body = json.loads(request.body)
        self.creations.append(body)
        earlier = self.pages.page("20", None)
        batch = None
        if way.form != "none":
            made = self.store.create(body, way.delay * self.patience)
            batch = made.as_dict() if way.form == "done" else None
        another = self.store.old[0] if self.store.old else _no_batch()
        return Case(
            batch=batch,
            another=another.as_dict(),
            page=earlier,
            file=_enveloped(next(iter(self.store.files.values()), {})),
        )

    def _plain(self, request: Request) -> bytes:
        match request.method, request.path.split("/")[2:]:
            case "POST", ["files"]:
                return self._upload(request)
            case "POST", ["batches"]:
                return self._create(request)
            case "GET", ["batches"]:
                return self._list(request)
            case "GET", ["batches", batch_id]:
                return self._retrieve(batch_id)
        return answer(404, NOT_FOUND)

    def _upload(self, request: Request) -> bytes:
        if b'name="file"' not in request.body or b'name="purpose"' not in request.body:
            return answer(400, as_json(REFUSAL))
        return answer(200, as_json(_enveloped(self.store.upload(len(request.body)))))

    def _create(self, request: Request) -> bytes:
        body = json.loads(request.body)
        self.creations.append(body)
        if body.get("input_file_id") not in self.store.files:
            return answer(400, as_json(REFUSAL))
        return answer(200, as_json(self.store.create(body).as_dict()))

    def _list(self, request: Request) -> bytes:
        with self._lock:
            failure = self.pages.failure()
            if failure is not None:
                return answer(failure, as_json(RATE_LIMIT if failure == 429 else OVERLOAD))
            query = request.query
            return answer(200, as_json(self.pages.page(query.get("limit"), query.get("after"))))

    def _retrieve(self, batch_id: str) -> bytes:
        for batch in self.store.existing():
            if batch.id == batch_id:
                return answer(200, as_json(self.pages.retrieved(batch)))
        return answer(404, NOT_FOUND)


def _enveloped(data: dict[str, Any]) -> dict[str, Any]:
    return {"code": 20000, "message": "Ok", "status": True, "data": data}


def _no_batch() -> StoredBatch:
    """A batch of another account."""
    return StoredBatch("batch_elsewhere00", "file-elsewhere00", {}, 1_700_000_000, 0.0)
