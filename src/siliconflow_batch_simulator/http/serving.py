"""
Extensions of uvicorn: stopping at once, and ending a connection from the application.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT, CLOSE = "simulator.abort", "simulator.close"  # extensions of the ASGI scope
TICK = 0.1  # seconds between two runs of uvicorn's housekeeping


class StoppableServer(uvicorn.Server):
    """
    A server that another thread can stop at once.

    uvicorn checks every tenth of a second whether to stop, and waits as long again for connections
    to close: too slow when every test has its own server.
    """

    _wake: Callable[[], object] = staticmethod(lambda: None)

    def stop(self) -> None:
        """May be called in any thread, and before the server runs."""
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # the event loop has already ended
            self._wake()

    async def main_loop(self) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(stopped.set)
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            try:
                await asyncio.wait_for(stopped.wait(), TICK)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # idle connections close in the next turn of the event loop
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        with contextlib.suppress(TimeoutError):  # a client that has just connected may stay
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                for server in self.servers:
                    await server.wait_closed()
        await self.lifespan.shutdown()


class EndingProtocol(HttpToolsProtocol):
    """Lets the application end a connection, which ASGI does not offer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        ends: dict[str, Any] = {ABORT: self._reset, CLOSE: self._close}
        self.scope["extensions"] = ends

    def _close(self) -> None:
        self.cycle.disconnected = True  # otherwise uvicorn reports an incomplete response
        self.transport.close()

    def _reset(self) -> None:
        connection = self.transport.get_extra_info("socket")
        # With a linger time of zero, the client sees a reset instead of an orderly close.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
