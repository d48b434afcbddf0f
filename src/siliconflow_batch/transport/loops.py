"""The connections of an asynchronous client: one for each event loop, which cannot share them."""

import asyncio
from asyncio import AbstractEventLoop
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from ..errors import ArgumentInvalid
from .connection import CLOSED, AsyncConnection
from .settings import Settings

NO_LOOP = (
    "AsyncSiliconFlowBatch needs a running asyncio event loop. Under trio, use SiliconFlowBatch in "
    "a thread."
)


class LoopConnections:
    """Opens the connection of a loop when it is first used there."""

    def __init__(self, settings: Settings, http_client: Any) -> None:
        self._settings, self._http_client = settings, http_client
        AsyncConnection(settings, http_client)  # raises if it cannot be opened
        self._open: WeakKeyDictionary[AbstractEventLoop, AsyncConnection] = WeakKeyDictionary()
        self._closed: WeakSet[AbstractEventLoop] = WeakSet()

    def of_loop(self) -> AsyncConnection:
        """The connection of the running loop."""
        loop = _running_loop()
        if loop in self._closed:
            raise ArgumentInvalid(CLOSED)
        if loop not in self._open:
            self._open[loop] = AsyncConnection(self._settings, self._http_client)
        return self._open[loop]

    def reopen(self) -> None:
        self._closed.discard(_running_loop())

    async def close(self) -> None:
        """Closes the connection of the running loop; those of other loops end with their loops."""
        loop = _running_loop()
        self._closed.add(loop)
        connection = self._open.pop(loop, None)
        if connection is not None:
            await connection.close()


def _running_loop() -> AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ArgumentInvalid(NO_LOOP) from None
