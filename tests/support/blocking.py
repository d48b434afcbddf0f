"""The asynchronous client, called as the other one: so that every test runs on both."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from siliconflow_batch import AsyncSiliconFlowBatch


class Blocking:
    """Runs each method to its end in a loop of its own; iterators become lists."""

    def __init__(self, client: AsyncSiliconFlowBatch) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def __repr__(self) -> str:
        return repr(self._client)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*arguments: Any, **options: Any) -> Any:
            return self._runner.run(_ended(method(*arguments, **options)))

        return call

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def stop(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


async def _ended(work: Any) -> Any:
    if inspect.isasyncgen(work):
        return [item async for item in work]
    return await work
