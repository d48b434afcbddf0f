"""One client in several threads, tasks and event loops."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from siliconflow_batch import AsyncSiliconFlowBatch, Batch, SiliconFlowBatch
from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line
from support.batches import BATCH

IDS = [f"batch_{number}" for number in range(8)]


def response(request: httpx.Request, cls: type[httpx.Response] = httpx.Response) -> httpx.Response:
    """The batch that the request names."""
    return cls(200, json={**BATCH, "id": request.url.path.rpartition("/")[2]})


def response_ids(batches: list[Batch]) -> list[str]:
    return [json.loads(batch.response.content)["id"] for batch in batches if batch.response]


class Delayed(httpx.Response):
    """A response that is parsed only when every thread has received its own."""

    barrier = threading.Barrier(len(IDS))
    parsed = False

    @property
    def content(self) -> bytes:
        if not self.parsed:
            self.parsed = True
            self.barrier.wait(30)
        return super().content


def test_threads_do_not_mix_responses() -> None:
    """Each of eight calls in flight gets its own model and its own response."""
    transport = httpx.MockTransport(lambda request: response(request, Delayed))
    with httpx.Client(transport=transport) as http, ThreadPoolExecutor(len(IDS)) as pool:
        client = SiliconFlowBatch("sk-x", http_client=http)
        batches = [batch for _ in range(5) for batch in pool.map(client.retrieve, IDS)]

    assert [batch.id for batch in batches] == IDS * 5
    assert response_ids(batches) == IDS * 5


def test_tasks_do_not_mix_responses() -> None:
    """Calls whose responses arrive in the reverse order get their own model and response."""

    async def run() -> list[Batch]:
        last_first = [asyncio.Event() for _ in IDS]
        last_first[-1].set()

        async def handle(request: httpx.Request) -> httpx.Response:
            number = int(request.url.path.rpartition("_")[2])
            await last_first[number].wait()
            last_first[number - 1].set()
            return response(request)

        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            client = AsyncSiliconFlowBatch("sk-x", http_client=http)
            return list(await asyncio.gather(*(client.retrieve(id) for id in IDS)))

    batches = asyncio.run(run())

    assert [batch.id for batch in batches] == IDS
    assert response_ids(batches) == IDS


def test_loops_share_one(simulator: Simulator) -> None:
    """A client that was used in one loop can be used in the next, and by many tasks at once."""
    client = AsyncSiliconFlowBatch(simulator.api_key, simulator.base_url)

    async def create() -> set[str]:
        file = await client.upload(json_lines(line("a")))
        created = await asyncio.gather(*(client.create(file.id) for _ in range(10)))
        batches = await asyncio.gather(*(client.retrieve(batch.id) for batch in created))
        await client.close()
        return {batch.id for batch in batches}

    first, second = asyncio.run(create()), asyncio.run(create())

    assert len(first | second) == 20
