"""
What the client costs, beside the generated client that it stands on and the openai SDK, in one run.

`python benchmarks/client.py` prints a table; with `--write` it goes into benchmarks/README.md.
Linux only: memory is read from /proc. `canned` answers, so that no service is measured.
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

from costs import Work, cpu, in_turns, settle
from files import checking, reading
from responses_server import ITEMS
from server_process import running
from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch, models, operations
from siliconflow_batch_api import AuthenticatedClient
from table import Row, main
from transfers import CANNED, ID, KEY, downloads, uploads

AT_ONCE, CALLS = 50, 1_000
COMPARED = ("httpx", "httpx2", "openai", "msgspec", "orjson")
Ask = Callable[[], Awaitable[object]]
IMPORT = """
import re, time
def memory(): return int(re.findall(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[0])
before, began = memory(), time.process_time()
{statement}
print(time.process_time() - began, (memory() - before) / 1e3)
"""
STATEMENTS = {
    "package": "from siliconflow_batch import SiliconFlowBatch",
    "httpx": "import httpx",
    "openai": "from openai import OpenAI",
}


def imported(name: str) -> tuple[float, float]:
    """CPU seconds and added megabytes of an import in a fresh interpreter."""
    code = IMPORT.format(statement=STATEMENTS[name])
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)  # noqa: S603
    spent, added = map(float, run.stdout.split())
    return spent, added


def seconds_of_import(name: str) -> float:
    return imported(name)[0]


def imports() -> Iterator[Row]:
    spent = in_turns({name: partial(seconds_of_import, name) for name in STATEMENTS}, 15)
    added = {name: imported(name)[1] for name in STATEMENTS}
    ratio = spent["package"] / spent["httpx"]
    parts = (f"{name} {spent[name] * 1e3:.0f} ms, {added[name]:.0f} MB" for name in STATEMENTS)
    measured = f"{ratio:.2f}× ({'; '.join(parts)})"
    yield Row("import, CPU and resident memory", measured, "≤ 1.25× httpx", ratio <= 1.25)


def calls() -> Iterator[Row]:
    with running(CANNED) as server:
        url = f"http://127.0.0.1:{server.port}/v1"
        package, openai = SiliconFlowBatch(KEY, url), OpenAI(api_key=KEY, base_url=url)
        generated = AuthenticatedClient(base_url=url, token=KEY)
        settle()
        yield against_generated(
            "retrieve, CPU a call",
            {
                "package": lambda: package.retrieve(ID),
                "generated": lambda: operations.retrieve_batch.sync(ID, client=generated),
                "openai": lambda: openai.batches.retrieve(ID),
            },
            times=200,
            most=1.1,
        )
        yield against_generated(
            f"page of {ITEMS:,} batches, id and status of each, CPU",
            {
                "package": lambda: looked_at(islice(package.batches(limit=ITEMS), ITEMS)),
                "generated": lambda: looked_at(listed(generated)),
                "openai": lambda: looked_at(openai.batches.list(limit=ITEMS).data),
            },
            times=3,
            most=1.0,
        )


def listed(client: AuthenticatedClient) -> list[models.Batch]:
    page = operations.list_batches.sync(client=client, limit=ITEMS)
    assert isinstance(page, models.BatchPage)
    return page.data


def looked_at(batches: Iterable[Any]) -> None:
    """An object that is made when it is looked at is paid for here."""
    assert len([(batch.id, batch.status) for batch in batches]) == ITEMS


def against_generated(work: str, works: dict[str, Work], times: int, most: float) -> Row:
    for call in works.values():
        call()
    found = in_turns({name: partial(cpu, call, times) for name, call in works.items()}, 15)
    ratio, digits = found["package"] / found["generated"], 2 if times > 100 else 0
    parts = ", ".join(f"{name} {spent * 1e3:,.{digits}f} ms" for name, spent in found.items())
    goal = f"≤ {most:g}× generated"
    return Row(work, f"{ratio:.2f}× ({parts})", goal, ratio <= most)


def concurrent() -> Iterator[Row]:
    with running(CANNED) as server, asyncio.Runner() as loop:
        url = f"http://127.0.0.1:{server.port}/v1"
        asks = askers(url)
        settle()
        for ask in asks.values():
            rate_in(loop, ask)
        found = in_turns({name: partial(rate_in, loop, ask) for name, ask in asks.items()}, 11)
    beside = ", ".join(f"{name} {found[name]:,.0f}/s" for name in ("generated", "openai"))
    for name in ("httpx", "httpx2"):
        work = f"{AT_ONCE} async retrieves at once, over {name}"
        ratio = found[name] / found["openai"]
        measured = f"{ratio:.2f}× (package {found[name]:,.0f}/s, {beside})"
        yield Row(work, measured, "≥ 1.5× openai", ratio >= 1.5)


def askers(url: str) -> dict[str, Ask]:
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


def rate_in(loop: asyncio.Runner, ask: Ask) -> float:
    return loop.run(rate(ask))


async def rate(ask: Ask) -> float:
    """Calls a second."""
    left = iter(range(CALLS))

    async def work() -> None:
        for _ in left:
            await ask()

    began = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(AT_ONCE)])
    return CALLS / (time.perf_counter() - began)


if __name__ == "__main__":
    measures = (imports, calls, concurrent, uploads, downloads, reading, checking)
    main("client", __doc__, measures, "".join(f", {name} {version(name)}" for name in COMPARED))
