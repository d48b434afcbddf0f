"""
Large files up and down: the package beside the openai SDK and the generated client.

Each run has an interpreter of its own; memory is what its peak rose by. Uploads are measured by the
clock, downloads by CPU time.

Rule: a function of the first half prepares in that interpreter and returns what is measured.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from openai import AsyncOpenAI, OpenAI

from costs import Cost, Work, fresh_in_turns
from files import records, write
from responses_server import BATCH
from server_process import running
from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch, models, operations
from siliconflow_batch_api import AuthenticatedClient
from siliconflow_batch_api.types import File
from table import Row

KEY, ID = "sk-benchmark", str(BATCH["id"])
CANNED = str(Path(__file__).with_name("canned.py"))
UPLOAD, RESULTS = 1_000_000_000, 300_000_000  # bytes
SOURCES: dict[str, Callable[[str], Path | BinaryIO]] = {
    "path": Path,
    "stream": lambda path: Path(path).open("rb"),  # noqa: SIM115 - the process ends
}


def upload_by_package(url: str, path: str, source: str) -> Work:
    client, file = SiliconFlowBatch(KEY, url), SOURCES[source](path)
    client.retrieve(ID)
    return lambda: client.upload(file)


def upload_by_package_in_a_loop(url: str, path: str, source: str) -> Work:
    client, file, loop = AsyncSiliconFlowBatch(KEY, url), SOURCES[source](path), asyncio.Runner()
    loop.run(client.retrieve(ID))
    return lambda: loop.run(client.upload(file))


def upload_by_openai(url: str, path: str, source: str) -> Work:
    client, file = OpenAI(api_key=KEY, base_url=url), SOURCES[source](path)
    client.batches.retrieve(ID)
    return lambda: client.files.create(file=file, purpose="batch")


def upload_by_openai_in_a_loop(url: str, path: str, source: str) -> Work:
    client, file = AsyncOpenAI(api_key=KEY, base_url=url), SOURCES[source](path)
    loop = asyncio.Runner()
    loop.run(client.batches.retrieve(ID))
    return lambda: loop.run(client.files.create(file=file, purpose="batch"))


def results_by_package(url: str) -> Work:
    client = SiliconFlowBatch(KEY, url)
    batch = client.retrieve(ID)
    return lambda: sum(len(result.text or "") for result in client.results(batch))


def results_by_package_in_a_loop(url: str) -> Work:
    client, loop = AsyncSiliconFlowBatch(KEY, url), asyncio.Runner()
    batch = loop.run(client.retrieve(ID))

    async def work() -> int:
        length = 0
        async for result in client.results(batch):
            length += len(result.text or "")
        return length

    return lambda: loop.run(work())


def results_by_openai(url: str) -> Work:
    client = OpenAI(api_key=KEY, base_url=url)
    reference = str(client.batches.retrieve(ID).output_file_id)

    def work() -> int:
        with client.files.with_streaming_response.content(reference) as response:
            return sum(len(text(line)) for line in response.iter_lines())

    return work


def results_by_generated(url: str) -> Work:
    client = AuthenticatedClient(base_url=url, token=KEY)
    batch = operations.retrieve_batch.sync(ID, client=client)
    assert isinstance(batch, models.Batch)
    reference = str(batch.output_file_id)

    def work() -> int:
        file = operations.download_file.sync(reference, client=client)
        assert isinstance(file, File)
        return sum(len(text(line)) for line in file.payload)

    return work


def text(line: Any) -> str:
    answer = json.loads(line)["response"]["body"]
    return str(answer["choices"][0]["message"]["content"])


def uploads() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, running(CANNED) as server:
        url, path = f"http://127.0.0.1:{server.port}/v1", Path(folder) / "in.jsonl"
        write(path, (b"x" * 999_999 + b"\n" for _ in range(UPLOAD // 1_000_000)))
        for what, package, openai in (
            ("", upload_by_package, upload_by_openai),
            (", async", upload_by_package_in_a_loop, upload_by_openai_in_a_loop),
        ):
            for source in SOURCES:
                arguments = (url, str(path), source)
                found = fresh_in_turns(
                    {"package": (package, arguments), "openai": (openai, arguments)}, 5
                )
                ours = found["package"]
                met = ours.megabytes <= 16 and ours.seconds <= found["openai"].seconds
                measured = told(
                    (name, cost, f"{UPLOAD / cost.seconds / 1e6:,.0f} MB/s")
                    for name, cost in found.items()
                )
                work = f"upload of 1 GB from a {source}{what}"
                yield Row(work, measured, "≤ 16 MB added, ≥ the rate of openai", met)


def downloads() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        write(path, records(RESULTS))
        with running(CANNED, str(path)) as server:
            url = f"http://127.0.0.1:{server.port}/v1"
            works = {
                "package": results_by_package,
                "package, async": results_by_package_in_a_loop,
                "openai, `iter_lines` + json": results_by_openai,
                "generated + json": results_by_generated,
            }
            found = fresh_in_turns({name: (work, (url,)) for name, work in works.items()})
    ours = found["package"]
    measured = told(
        (name, cost, f"{cost.cpu:.2f} s ({cost.seconds:.2f} s on the clock)")
        for name, cost in found.items()
    )
    met = ours.cpu <= 1.0 and ours.megabytes <= 16
    work = "download 300 MB of results and read each text, CPU and added memory"
    yield Row(work, measured, "≤ 1.0 s, ≤ 16 MB", met)


def told(costs: Iterable[tuple[str, Cost, str]]) -> str:
    return "; ".join(f"{name} {speed}, {cost.megabytes:,.0f} MB" for name, cost, speed in costs)
