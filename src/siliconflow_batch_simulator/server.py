"""
The simulator on a socket, in a thread of the calling program or in the foreground.
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
from starlette.types import ASGIApp

from .batches.lifecycle import Pace
from .faults import FAULTS
from .http.app import LABELS, build_app
from .http.serving import EndingProtocol, StoppableServer
from .http.traffic import Received, Traffic
from .service.backend import Backend
from .service.clock import Clock
from .service.database import FILES, FolderUnusable, Journal
from .service.service import Service
from .switches import admin
from .switches.switch import Switch
from .switches.switchboard import Behaviour, Rule, Switchboard
from .variants import VARIANTS

DEFAULT_KEY = "sk-simulator"
BEHAVIOURS: Mapping[str, Behaviour] = {**VARIANTS, **FAULTS}


class Simulator:
    """
    A running service: a context manager with `base_url`, `api_key`, `clock`, `pace`, `faults` and
    `requests`.

    Each of `keys` is an account. `port` 0 is any free port. `variants` are the answers of this
    service to open questions of the documents. `faults` are names of variants or faults, or
    `Rule`s; `faults.clear()` removes them and keeps `variants`. `backend` is a model server that
    answers the lines. `data_dir` keeps the state after the process has ended; without it, the state
    is in a temporary folder. All other options are those of `Service`.

    Raises `OSError` if the port is in use, `ValueError` for an invalid option, `FolderUnusable`.

        with Simulator() as simulator:
            httpx.get(simulator.base_url + "/batches", headers=simulator.headers())
    """

    def __init__(
        self,
        *,
        keys: tuple[str, ...] = (DEFAULT_KEY,),
        host: str = "127.0.0.1",
        port: int = 0,
        variants: tuple[str, ...] = (),
        faults: tuple[str | Rule, ...] = (),
        backend: Backend | None = None,
        data_dir: Path | None = None,
        keep_requests: int = 10_000,
        **options: Any,
    ) -> None:
        _check_keys(keys)
        self.keys = keys
        self.faults = _switchboard(variants, faults, options.get("seed"))
        with contextlib.ExitStack() as resources:
            self._socket = resources.enter_context(contextlib.closing(_listen(host, port)))
            folder, journal = _open_folder(data_dir, resources)
            options.update(journal=journal, backed=backend is not None)
            self.service = _load_service(data_dir, folder, keys, options)
            self._resources = resources.pop_all()
        lifespan = _driving(backend, self.service) if backend else None
        app = build_app(self.service, admin.routes(self.service, self.faults), lifespan)
        self._traffic = Traffic(Switch(app, self.faults), keep_requests)
        url_host = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{url_host}:{self._socket.getsockname()[1]}/v1"
        self._server = _server(self._traffic, lifespan=backend is not None)
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
        """How long batches stay in each status; can be changed while they run."""
        return self.service.pace

    @property
    def requests(self) -> list[Received]:
        """The requests received so far, oldest first."""
        return list(self._traffic.received)

    def headers(self, account: int = 0) -> dict[str, str]:
        """The Authorization header of an account."""
        return {"Authorization": f"Bearer {self.keys[account]}"}

    def serve(self) -> None:
        """Serves in the current thread until it is interrupted or stopped."""
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        self._thread.start()  # the socket already listens, so no request can be too early
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
        self._resources.close()


def _check_keys(keys: tuple[str, ...]) -> None:
    if isinstance(keys, str) or len(set(keys)) != len(keys):
        raise ValueError("keys must be a tuple of different API keys, one for each account.")
    for key in keys:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("Invalid API key: use printable ASCII without spaces.")


def _switchboard(
    variants: tuple[str, ...], faults: tuple[str | Rule, ...], seed: int | None
) -> Switchboard:
    for name in variants:
        if name not in VARIANTS:
            raise ValueError(f"There is no variant {name!r}. There are: {', '.join(VARIANTS)}.")
    board = Switchboard(BEHAVIOURS, frozenset(LABELS), seed, variants)
    for fault in faults:
        rule = fault if isinstance(fault, Rule) else Rule(fault)
        board.add(rule.name, rule.operation, rule.times, rule.rate)
    return board


def _open_folder(
    data_dir: Path | None, resources: contextlib.ExitStack
) -> tuple[Path, Journal | None]:
    if data_dir is None:
        prefix = "siliconflow-batch-simulator-"
        folder = resources.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
        return Path(folder), None
    journal = resources.enter_context(contextlib.closing(Journal.open(data_dir)))
    return data_dir / FILES, journal


def _load_service(
    data_dir: Path | None, folder: Path, keys: tuple[str, ...], options: dict[str, Any]
) -> Service:
    try:
        return Service(folder, keys, **options)
    except (sqlite3.Error, TypeError, KeyError, ValueError) as error:
        if data_dir is None:
            raise
        reason = f"this version cannot read its content: {error}"
        raise FolderUnusable(f"{data_dir} cannot be used: {reason}.") from error


def _server(app: ASGIApp, *, lifespan: bool) -> StoppableServer:
    return StoppableServer(
        uvicorn.Config(
            app,
            http=EndingProtocol,
            log_level="warning",
            access_log=False,
            lifespan="on" if lifespan else "off",
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
    )


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
        raise ValueError(f"port must be between 0 and 65535, not {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)
