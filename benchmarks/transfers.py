"""
Measures large uploads and downloads with the package, the openai SDK and the generated client.

Each run has a new interpreter, and memory is the growth of its peak size. Uploads are measured in
elapsed time, downloads in CPU time.

Rule: each `prepare_` function runs in the new interpreter and returns the function to measure.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from openai import AsyncOpenAI, OpenAI

import responses_server
from costs import Cost, Work, costs_in_new_processes
from files import result_lines, write
from responses_server import BATCH
from server_process import running
from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch, models, operations
from siliconflow_batch_api import AuthenticatedClient
from siliconflow_batch_api.types import File
from table import Row

KEY, ID = "sk-benchmark", str(BATCH["id"])
SERVER = responses_server.__file__
UPLOAD_SIZE, RESULT_SIZE = 1_000_000_000, 300_000_000  # bytes
SOURCES: dict[str, Callable[[str], Path | BinaryIO]] = {
    "path": Path,
    "stream": lambda path: Path(path).open("rb"),  # noqa: SIM115 - closed at the end of the process
}


def prepare_package_upload(url: str, path: str, source: str) -> Work:
    client, file = SiliconFlowBatch(KEY, url), SOURCES[source](path)
    client.retrieve(ID)
    return lambda: client.upload(file)


def prepare_async_package_upload(url: str, path: str, source: str) -> Work:
    client, file, loop = AsyncSiliconFlowBatch(KEY, url), SOURCES[source](path), asyncio.Runner()
    loop.run(client.retrieve(ID))
    return lambda: loop.run(client.upload(file))


def prepare_openai_upload(url: str, path: str, source: str) -> Work:
    client, file = OpenAI(api_key=KEY, base_url=url), SOURCES[source](path)
    client.batches.retrieve(ID)
    return lambda: client.files.create(file=file, purpose="batch")


def prepare_async_openai_upload(url: str, path: str, source: str) -> Work:
    client, file = AsyncOpenAI(api_key=KEY, base_url=url), SOURCES[source](path)
    loop = asyncio.Runner()
    loop.run(client.batches.retrieve(ID))
    return lambda: loop.run(client.files.create(file=file, purpose="batch"))


def prepare_package_results(url: str) -> Work:
    client = SiliconFlowBatch(KEY, url)
    batch = client.retrieve(ID)
    return lambda: sum(len(result.text or "") for result in client.results(batch))


def prepare_async_package_results(url: str) -> Work:
    client, loop = AsyncSiliconFlowBatch(KEY, url), asyncio.Runner()
    batch = loop.run(client.retrieve(ID))

    async def work() -> int:
        length = 0
        async for result in client.results(batch):
            length += len(result.text or "")
        return length

    return lambda: loop.run(work())


def prepare_openai_results(url: str) -> Work:
    client = OpenAI(api_key=KEY, base_url=url)
    reference = str(client.batches.retrieve(ID).output_file_id)

    def work() -> int:
        with client.files.with_streaming_response.content(reference) as response:
            return sum(len(text(line)) for line in response.iter_lines())

    return work


def prepare_generated_results(url: str) -> Work:
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
    completion = json.loads(line)["response"]["body"]
    return str(completion["choices"][0]["message"]["content"])


def measure_uploads() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, running(SERVER) as server:
        url, path = f"http://127.0.0.1:{server.port}/v1", Path(folder) / "in.jsonl"
        write(path, (b"x" * 999_999 + b"\n" for _ in range(UPLOAD_SIZE // 1_000_000)))
        for suffix, package, openai in (
            ("", prepare_package_upload, prepare_openai_upload),
            (", async", prepare_async_package_upload, prepare_async_openai_upload),
        ):
            for source in SOURCES:
                arguments = (url, str(path), source)
                costs = costs_in_new_processes(
                    {"package": (package, arguments), "openai": (openai, arguments)}, 5
                )
                ours = costs["package"]
                met = ours.megabytes <= 16 and ours.seconds <= costs["openai"].seconds
                measured = describe(
                    (name, cost, f"{UPLOAD_SIZE / cost.seconds / 1e6:,.0f} MB/s")
                    for name, cost in costs.items()
                )
                task = f"upload of 1 GB from a {source}{suffix}"
                yield Row(task, measured, "≤ 16 MB added, ≥ the rate of openai", met)


def measure_downloads() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        write(path, result_lines(RESULT_SIZE))
        with running(SERVER, str(path)) as server:
            url = f"http://127.0.0.1:{server.port}/v1"
            works = {
                "package": prepare_package_results,
                "package, async": prepare_async_package_results,
                "openai, `iter_lines` + json": prepare_openai_results,
                "generated + json": prepare_generated_results,
            }
            costs = costs_in_new_processes({name: (work, (url,)) for name, work in works.items()})
    ours = costs["package"]
    measured = describe(
        (name, cost, f"{cost.cpu:.2f} s ({cost.seconds:.2f} s elapsed)")
        for name, cost in costs.items()
    )
    met = ours.cpu <= 1.0 and ours.megabytes <= 16
    task = "download 300 MB of results and read each text, CPU and added memory"
    yield Row(task, measured, "≤ 1.0 s, ≤ 16 MB", met)


def describe(costs: Iterable[tuple[str, Cost, str]]) -> str:
    return "; ".join(f"{name} {speed}, {cost.megabytes:,.0f} MB" for name, cost, speed in costs)
