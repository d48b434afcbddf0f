"""The asynchronous client with blocking methods, so that a test runs on both clients."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from siliconflow_batch import AsyncSiliconFlowBatch


class Blocking:
    """Runs each method to its end in one event loop; iterators become lists."""

    def __init__(self, client: AsyncSiliconFlowBatch) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def __repr__(self) -> str:
        return repr(self._client)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*arguments: Any, **options: Any) -> Any:
            return self._runner.run(_result(method(*arguments, **options)))

        return call

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(coroutine)

    def stop(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


async def _result(awaitable: Any) -> Any:
    if inspect.isasyncgen(awaitable):
        return [item async for item in awaitable]
    return await awaitable
