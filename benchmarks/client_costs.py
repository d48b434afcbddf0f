"""
Measures the client next to the generated client, which it uses, and the openai SDK.

`python benchmarks/client_costs.py` prints a table; `--write` writes it to benchmarks/README.md.
Linux only: memory is read from /proc. `responses_server` sends the responses.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import Any

import httpx2
from openai import AsyncOpenAI, OpenAI

from costs import Work, cpu_seconds, freeze_imports, medians
from files import measure_reading, measure_validation
from responses_server import ITEMS
from server_process import running
from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch, models, operations
from siliconflow_batch_api import AuthenticatedClient
from table import Row, main
from transfers import ID, KEY, SERVER, measure_downloads, measure_uploads

CONCURRENT, CALLS = 50, 1_000
COMPARED = ("httpx", "httpx2", "openai", "msgspec", "orjson")
Call = Callable[[], Awaitable[object]]
IMPORT = """
import re, time
def memory(): return int(re.findall(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[0])
before, start = memory(), time.process_time()
{statement}
print(time.process_time() - start, (memory() - before) / 1e3)
"""
STATEMENTS = {
    "package": "from siliconflow_batch import SiliconFlowBatch",
    "httpx": "import httpx",
    "openai": "from openai import OpenAI",
}


def import_cost(name: str) -> tuple[float, float]:
    """CPU seconds and added megabytes of an import in a new interpreter."""
    code = IMPORT.format(statement=STATEMENTS[name])
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)  # noqa: S603
    seconds, megabytes = map(float, run.stdout.split())
    return seconds, megabytes


def import_seconds(name: str) -> float:
    return import_cost(name)[0]


def measure_imports() -> Iterator[Row]:
    seconds = medians({name: partial(import_seconds, name) for name in STATEMENTS}, 15)
    memory = {name: import_cost(name)[1] for name in STATEMENTS}
    ratio = seconds["package"] / seconds["httpx"]
    parts = (f"{name} {seconds[name] * 1e3:.0f} ms, {memory[name]:.0f} MB" for name in STATEMENTS)
    measured = f"{ratio:.2f}× ({'; '.join(parts)})"
    yield Row("import, CPU and resident memory", measured, "≤ 1.25× httpx", ratio <= 1.25)


def measure_calls() -> Iterator[Row]:
    with running(SERVER) as server:
        url = f"http://127.0.0.1:{server.port}/v1"
        package, openai = SiliconFlowBatch(KEY, url), OpenAI(api_key=KEY, base_url=url)
        generated = AuthenticatedClient(base_url=url, token=KEY)
        freeze_imports()
        yield compare_with_generated(
            "retrieve, CPU per call",
            {
                "package": lambda: package.retrieve(ID),
                "generated": lambda: operations.retrieve_batch.sync(ID, client=generated),
                "openai": lambda: openai.batches.retrieve(ID),
            },
            times=200,
            limit=1.1,
        )
        yield compare_with_generated(
            f"page of {ITEMS:,} batches, id and status of each, CPU",
            {
                "package": lambda: read_fields(islice(package.batches(limit=ITEMS), ITEMS)),
                "generated": lambda: read_fields(list_page(generated)),
                "openai": lambda: read_fields(openai.batches.list(limit=ITEMS).data),
            },
            times=3,
            limit=0.6,
        )


def list_page(client: AuthenticatedClient) -> list[models.Batch]:
    page = operations.list_batches.sync(client=client, limit=ITEMS)
    assert isinstance(page, models.BatchPage)
    return page.data


def read_fields(batches: Iterable[Any]) -> None:
    """Includes the cost of objects that are created on access."""
    assert len([(batch.id, batch.status) for batch in batches]) == ITEMS


def compare_with_generated(task: str, calls: dict[str, Work], times: int, limit: float) -> Row:
    for call in calls.values():
        call()
    seconds = medians({name: partial(cpu_seconds, call, times) for name, call in calls.items()}, 15)
    ratio, digits = seconds["package"] / seconds["generated"], 2 if times > 100 else 0
    parts = ", ".join(f"{name} {each * 1e3:,.{digits}f} ms" for name, each in seconds.items())
    goal = f"≤ {limit:g}× generated"
    return Row(task, f"{ratio:.2f}× ({parts})", goal, ratio <= limit)


def measure_concurrency() -> Iterator[Row]:
    with running(SERVER) as server, asyncio.Runner() as loop:
        url = f"http://127.0.0.1:{server.port}/v1"
        calls = async_calls(url)
        freeze_imports()
        for call in calls.values():
            measure_rate(loop, call)
        rates = medians(
            {name: partial(measure_rate, loop, call) for name, call in calls.items()}, 11
        )
    others = ", ".join(f"{name} {rates[name]:,.0f}/s" for name in ("generated", "openai"))
    for name in ("httpx", "httpx2"):
        task = f"{CONCURRENT} concurrent async retrieves, over {name}"
        ratio = rates[name] / rates["openai"]
        measured = f"{ratio:.2f}× (package {rates[name]:,.0f}/s, {others})"
        yield Row(task, measured, "≥ 1.5× openai", ratio >= 1.5)


def async_calls(url: str) -> dict[str, Call]:
    package = AsyncSiliconFlowBatch(KEY, url)
    over_httpx2 = AsyncSiliconFlowBatch(KEY, url, http_client=httpx2.AsyncClient())
    generated = AuthenticatedClient(base_url=url, token=KEY)
    openai = AsyncOpenAI(api_key=KEY, base_url=url)
    return {
        "httpx": lambda: package.retrieve(ID),
        "httpx2": lambda: over_httpx2.retrieve(ID),
        "generated": lambda: operations.retrieve_batch.asyncio(ID, client=generated),
        "openai": lambda: openai.batches.retrieve(ID),
    }


def measure_rate(loop: asyncio.Runner, call: Call) -> float:
    return loop.run(calls_per_second(call))


async def calls_per_second(call: Call) -> float:
    remaining = iter(range(CALLS))

    async def work() -> None:
        for _ in remaining:
            await call()

    start = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(CONCURRENT)])
    return CALLS / (time.perf_counter() - start)


if __name__ == "__main__":
    measures = (
        measure_imports,
        measure_calls,
        measure_concurrency,
        measure_uploads,
        measure_downloads,
        measure_reading,
        measure_validation,
    )
    main("client", __doc__, measures, "".join(f", {name} {version(name)}" for name in COMPARED))
