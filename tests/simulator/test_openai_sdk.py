"""The official openai SDK against the simulator."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line


@pytest.fixture(params=[(), ("result-ids",)], ids=["urls", "ids"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Simulator, openai.OpenAI]]:
    """A simulator that names result files by URL, and one that names them by id."""
    with (
        Simulator(variants=request.param) as simulator,
        openai.OpenAI(base_url=simulator.base_url, api_key="sk-simulator") as client,
    ):
        yield simulator, client


def upload(client: openai.OpenAI, *lines: dict[str, Any]) -> str:
    uploaded = client.files.create(file=("requests.jsonl", json_lines(*lines)), purpose="batch")
    # The id is inside the envelope, which the SDK keeps as an unknown field.
    return str(uploaded.data["id"])  # type: ignore[attr-defined]


def test_a_batch_from_upload_to_download(served: tuple[Simulator, openai.OpenAI]) -> None:
    """The SDK can upload, create with replace, poll and download."""
    _, client = served

    batch = client.batches.create(
        input_file_id=upload(client, line("a"), line("b"), line("c", max_tokens=0)),
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"description": "nightly"},
        extra_body={"replace": {"model": "deepseek-ai/DeepSeek-R1"}},
    )
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        batch = client.batches.retrieve(batch.id)

    assert batch.status == "completed"
    assert batch.metadata == {"description": "nightly"}
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    assert batch.output_file_id is not None
    if batch.output_file_id.startswith("http"):
        content = httpx.get(batch.output_file_id).content
    else:
        content = client.files.content(batch.output_file_id).read()
    records = [json.loads(row) for row in content.split(b"\n") if row]
    assert {record["custom_id"] for record in records} == {"a", "b"}
    assert records[0]["response"]["body"]["model"] == "deepseek-ai/DeepSeek-R1"


def test_listing_and_cancelling(served: tuple[Simulator, openai.OpenAI]) -> None:
    """The SDK can list batches over several pages, and cancel one."""
    _, client = served
    file_id = upload(client, line())

    ids = [
        client.batches.create(
            input_file_id=file_id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
        ).id
        for _ in range(5)
    ]
    listed = [batch.id for batch in itertools.islice(client.batches.list(limit=2), 10)]
    cancelled = client.batches.cancel(ids[-1])
    while cancelled.status == "cancelling":
        cancelled = client.batches.retrieve(ids[-1])

    assert listed == ids[::-1]
    assert cancelled.status == "cancelled"


def test_refusals_are_the_sdks_own_exceptions(served: tuple[Simulator, openai.OpenAI]) -> None:
    """An unknown batch, an invalid creation and a wrong key raise the SDK's exceptions."""
    simulator, client = served

    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_x")
    with pytest.raises(openai.BadRequestError, match="names no uploaded file"):
        client.batches.create(
            input_file_id="file-x", endpoint="/v1/chat/completions", completion_window="24h"
        )
    with (
        openai.OpenAI(base_url=simulator.base_url, api_key="sk-other") as other,
        pytest.raises(openai.AuthenticationError),
    ):
        other.batches.list()
