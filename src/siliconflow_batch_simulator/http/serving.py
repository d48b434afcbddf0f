"""
What the simulator needs of uvicorn beyond what uvicorn does.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..switches.variants import ABORT, CLOSE

TICK = 0.1  # seconds between two of uvicorn's own looks around


class StoppableServer(uvicorn.Server):
    """
    A server that another thread can stop at once.

    uvicorn alone looks every tenth of a second whether it should, and waits another one for
    connections, however few there are: too long where every test has a server of its own.
    """

    _wake: Callable[[], object] = staticmethod(lambda: None)

    def stop(self) -> None:
        """May be called in any thread, and before the server runs."""
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # its loop has ended by itself
            self._wake()

    async def main_loop(self) -> None:
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(told.set)
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            try:
                await asyncio.wait_for(told.wait(), TICK)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # an idle connection is gone with the next turn of the loop
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        with contextlib.suppress(TimeoutError):  # who came at the last moment may not go
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                for server in self.servers:
                    await server.wait_closed()
        await self.lifespan.shutdown()


class EndingProtocol(HttpToolsProtocol):
    """Lets a variant end the connection, which an ASGI application cannot."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        ends: dict[str, Any] = {ABORT: self._reset, CLOSE: self._close}
        self.scope["extensions"] = ends

    def _close(self) -> None:
        self.cycle.disconnected = True  # or uvicorn reports an answer that is not complete
        self.transport.close()

    def _reset(self) -> None:
        connection = self.transport.get_extra_info("socket")
        # With a linger time of zero the other side sees a reset, not an end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
