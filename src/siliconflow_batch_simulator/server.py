"""
The simulator on a real socket: inside a program's own process, or in the foreground.
"""

import logging
import socket
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import faults as catalogue
from .app import build_app
from .service import Service

DEFAULT_KEY = "sk-simulator"
log = logging.getLogger("siliconflow_batch_simulator")


class Simulator:
    """
    A running service: a context manager with `base_url`, `keys` and `service`.

    `port` 0 takes a free one. `faults` are names from the catalogue of deliberate defects. Every
    other keyword is one of `Service`'s. Files live in a temporary folder that goes with the server.

        with Simulator() as simulator:
            httpx.get(simulator.base_url + "/batches", headers=simulator.headers())
    """

    def __init__(
        self,
        *,
        keys: tuple[str, ...] = (DEFAULT_KEY,),
        host: str = "127.0.0.1",
        port: int = 0,
        faults: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self.keys = keys
        catalogue.check(faults)
        self._socket = _listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{shown}:{self._socket.getsockname()[1]}/v1"
        self._folder = tempfile.TemporaryDirectory(prefix="siliconflow-batch-simulator-")
        self.service = Service(Path(self._folder.name), keys, **options)
        app = catalogue.install(self.service, build_app(self.service), faults)
        config = uvicorn.Config(
            AccessLog(app),
            log_level="warning",
            access_log=False,
            lifespan="off",
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.serve, daemon=True)

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
        self._server.should_exit = True
        self._thread.join()
        self.close()

    def close(self) -> None:
        self._socket.close()
        self._folder.cleanup()


class AccessLog:
    """One line a request: method, path, status, milliseconds. No body, no header, no token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not log.isEnabledFor(logging.INFO):
            return await self._app(scope, receive, send)
        began, status = time.perf_counter(), 0

        async def observe(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            path = "/results/…" if scope["path"].startswith("/results/") else scope["path"]
            taken = (time.perf_counter() - began) * 1000
            log.info("%s %r %s %.1f ms", scope["method"], path, status or "-", taken)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise ValueError(f"port {port} does not exist; the last one is 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)
