"""One client for many threads, and for several event loops."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch
from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line


def test_threads_share_one(simulator: Simulator) -> None:
    """Each thread gets the answer to what it asked, with the raw response that belongs to it."""
    with SiliconFlowBatch(simulator.api_key, simulator.base_url) as client:
        file = client.upload(json_lines(line("a")))
        ids = [client.create(file.id).id for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(client.retrieve, ids * 10))

    assert [batch.id for batch in found] == ids * 10
    assert all(
        batch.response is not None and batch.response.json()["id"] == batch.id for batch in found
    )


def test_loops_share_one(simulator: Simulator) -> None:
    """A client that was used in one loop can be used in the next, and by many tasks at once."""
    client = AsyncSiliconFlowBatch(simulator.api_key, simulator.base_url)

    async def ask() -> set[str]:
        file = await client.upload(json_lines(line("a")))
        batches = await asyncio.gather(*(client.create(file.id) for _ in range(10)))
        found = await asyncio.gather(*(client.retrieve(batch.id) for batch in batches))
        await client.close()
        return {batch.id for batch in found}

    first, second = asyncio.run(ask()), asyncio.run(ask())

    assert len(first | second) == 20
