# pyright: strict
"""
A program that uses the package as documented. Type checkers accept every line.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import assert_type

import httpx

from siliconflow_batch import (
    CHINA,
    AsyncSiliconFlowBatch,
    Batch,
    Counts,
    File,
    Patience,
    Result,
    Retries,
    SiliconFlowBatch,
    SiliconFlowError,
    chat_lines,
    errors,
    models,
    operations,
    validate,
    write_lines,
)
from siliconflow_batch.errors import APIError, BatchFailed, BatchNotCompleted, InputFileInvalid
from siliconflow_batch.models import Batch as BatchModel
from siliconflow_batch_api import AuthenticatedClient
from siliconflow_batch_simulator import Clock, Simulator


def submit(path: Path) -> Batch:
    write_lines(path, chat_lines(["Hello"], model="deepseek-ai/DeepSeek-V3", max_tokens=64))
    validate(path)
    with SiliconFlowBatch("key", CHINA, retries=Retries(), patience=Patience()) as client:
        file = client.upload(path, on_progress=print_progress)
        assert_type(file, File)
        assert_type(file.line_count, int | None)
        batch = client.create(file.id, window=24, metadata={"job": "nightly"}, model=None)
        batch = client.wait(batch.id, timeout=60, on_update=print_batch)
        assert_type(client.batches(limit=10), Iterator[Batch])
        assert_type(client.find("token"), Batch | None)
        assert_type(client.download("file-1", path), Path)
        for result in client.results(batch, order="input", source=path):
            assert_type(result, Result)
            assert_type(result.text, str | None)
    return assert_type(batch, Batch)


def print_progress(done: int, total: int | None) -> None:
    print(done, total)


def print_batch(batch: Batch) -> None:
    assert_type(batch.status, str)
    assert_type(batch.counts, Counts)
    assert_type(batch.counts.completed, int)
    assert_type(batch.created_at, datetime | None)
    assert_type(batch.completed_at, datetime | None)
    assert_type(batch.metadata, dict[str, str])
    assert_type(batch.response, httpx.Response | None)
    assert_type(batch.model, BatchModel)
    assert_type(batch.model, models.Batch)
    assert_type(batch.model.created_at, int)
    assert_type(batch.model.output_file_id, str | None)


def handle(error: SiliconFlowError) -> str:
    if isinstance(error, BatchNotCompleted):
        assert_type(error.batch, Batch)
        return error.batch.id
    if isinstance(error, APIError):
        return f"{error.status} {error.request_id}"
    if isinstance(error, InputFileInvalid):
        return "".join(fault.reason for fault in error.faults)
    return str(error)


def check_completed(batch: Batch) -> None:
    try:
        batch.raise_unless_completed()
    except BatchFailed as failure:
        print(failure.batch.model.errors, failure.reasons)
    except errors.BatchExpired as expired:
        print(expired.batch.expires_at)


async def submit_async(path: Path) -> None:
    async with AsyncSiliconFlowBatch("key") as client:
        batch = await client.submit(path, window="48h")
        assert_type(await client.wait(batch.id), Batch)
        async for result in client.results(batch):
            assert_type(result, Result)
        async for listed in client.batches():
            assert_type(listed, Batch)


def call_operation(client: AuthenticatedClient) -> None:
    response = operations.retrieve_batch.sync_detailed("batch_1", client=client)
    if isinstance(response.parsed, models.Batch):
        assert_type(response.parsed.id, str)


def simulate() -> None:
    with Simulator(clock=Clock(speed=100)) as simulator:
        assert_type(simulator.base_url, str)
