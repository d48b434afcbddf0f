"""
The simulator on a real socket: inside a program's own process, or in the foreground.
"""

import asyncio
import contextlib
import socket
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette

from .batches.backend import Backend
from .batches.lifecycle import Pace
from .faults import FAULTS
from .http import admin
from .http.app import LABELS, build_app, label, refuse
from .http.serving import EndingProtocol, StoppableServer
from .http.traffic import Received, Traffic
from .service import Service
from .state.clock import Clock
from .state.database import FILES, FolderUnusable, Journal
from .switches.switchboard import Behaviour, Rule, Switch, Switchboard, install
from .switches.variants import VARIANTS

DEFAULT_KEY = "sk-simulator"
BEHAVIOURS: Mapping[str, Behaviour] = {**VARIANTS, **FAULTS}


class Simulator:
    """
    A running service: a context manager with `base_url`, `api_key`, `clock`, `pace`, `faults`,
    `requests`.

    `port` 0 takes a free one. `faults` are names of variants or faults, or `Rule`s. `backend`
    answers the lines instead of the simulator. `data_dir` keeps batches and files beyond the
    process; without it they live in a temporary folder. Every other keyword is one of `Service`'s.

    Raises `OSError` when the port is taken, `ValueError` on an unknown name, `FolderUnusable`.

        with Simulator() as simulator:
            httpx.get(simulator.base_url + "/batches", headers=simulator.headers())
    """

    def __init__(
        self,
        *,
        keys: tuple[str, ...] = (DEFAULT_KEY,),
        host: str = "127.0.0.1",
        port: int = 0,
        faults: tuple[str | Rule, ...] = (),
        backend: Backend | None = None,
        data_dir: Path | None = None,
        keep_requests: int = 10_000,
        **options: Any,
    ) -> None:
        if isinstance(keys, str) or len(set(keys)) != len(keys):
            raise ValueError("keys must be a tuple of different API keys, an account each.")
        for key in keys:
            if not key or not key.isascii() or not key.isprintable() or " " in key:
                raise ValueError("That is no API key: it must be printable ASCII without spaces.")
        self.keys = keys
        self.faults = Switchboard(BEHAVIOURS, frozenset(LABELS), options.get("seed"))
        for rule in faults:
            known = rule if isinstance(rule, Rule) else Rule(rule)
            self.faults.add(known.name, known.operation, known.times, known.rate)
        with contextlib.ExitStack() as opened:
            self._socket = opened.enter_context(contextlib.closing(_listen(host, port)))
            if data_dir is None:
                prefix = "siliconflow-batch-simulator-"
                folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
                journal = None
            else:
                folder = data_dir / FILES
                journal = opened.enter_context(contextlib.closing(Journal.open(data_dir)))
            backed = backend is not None
            try:
                self.service = Service(folder, keys, journal=journal, backed=backed, **options)
            except (sqlite3.Error, TypeError, KeyError, ValueError) as error:
                if journal is None:
                    raise
                reason = f"it holds what this version cannot read: {error}"
                raise FolderUnusable(f"{data_dir} cannot be used: {reason}.") from error
            self._opened = opened.pop_all()
        install(self.faults, self.service)
        lifespan = _driving(backend, self.service) if backend else None
        app = build_app(self.service, admin.routes(self.service, self.faults), lifespan)
        self._traffic = Traffic(
            Switch(app, self.service, self.faults, label, refuse), keep_requests
        )
        shown = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{shown}:{self._socket.getsockname()[1]}/v1"
        self._server = StoppableServer(
            uvicorn.Config(
                self._traffic,
                http=EndingProtocol,
                log_level="warning",
                access_log=False,
                lifespan="on" if backend else "off",
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self.serve, daemon=True)

    @property
    def api_key(self) -> str:
        """The first account's key."""
        return self.keys[0]

    @property
    def clock(self) -> Clock:
        return self.service.clock

    @property
    def pace(self) -> Pace:
        """How long batches stay in each status; may be changed while they run."""
        return self.service.pace

    @property
    def requests(self) -> list[Received]:
        """What was received until now, oldest first."""
        return list(self._traffic.received)

    def headers(self, account: int = 0) -> dict[str, str]:
        """The Authorization header of an account."""
        return {"Authorization": f"Bearer {self.keys[account]}"}

    def serve(self) -> None:
        """Serves in this thread until it is interrupted or stopped."""
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        self._thread.start()  # the socket listens already: no request can come too early
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._thread.join()
        self.close()

    def close(self) -> None:
        self._opened.close()


def _driving(backend: Backend, service: Service) -> Any:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(backend.drive(service))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return lifespan


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise ValueError(f"port {port} does not exist; the last one is 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)
