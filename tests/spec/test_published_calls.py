"""
The cURL examples of the vendor's pages, sent to the simulator.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from contract.document import Document, accepts, response_schema
from contract.vendor_pages import Page
from siliconflow_batch_simulator import Clock, Simulator

LINE = {
    "custom_id": "request-1",
    "body": {"messages": [{"role": "user", "content": "Hello"}]},
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(clock=Clock(speed=0)) as simulator:
        yield simulator


def uploaded_file(simulator: Simulator) -> str:
    response = httpx.post(
        f"{simulator.base_url}/files",
        headers=simulator.headers(),
        data={"purpose": "batch"},
        files={"file": ("requests.jsonl", json.dumps(LINE).encode())},
    )
    return str(response.json()["data"]["id"])


def send(simulator: Simulator, call: Mapping[str, Any], path: str) -> httpx.Response:
    """Sends a call as its page writes it, with the simulator's host and key, to another path."""
    host = simulator.base_url.removesuffix("/v1")
    token = simulator.headers()["Authorization"].removeprefix("Bearer ")
    headers = {name: text.replace("<token>", token) for name, text in call["headers"].items()}
    # The page writes its JSON with an indent of two.
    content = json.dumps(call["body"], indent=2).encode() if "body" in call else None
    return httpx.request(call["method"], host + path, headers=headers, content=content)


def path_of(call: Mapping[str, Any]) -> str:
    return httpx.URL(call["url"]).path


class TestCreateBatch:
    @pytest.fixture
    def call(self, pages: dict[str, Page], simulator: Simulator) -> dict[str, Any]:
        """S0's call with the id of an uploaded file."""
        call: Any = pages["create-batch.cn"].call
        body = {**call["body"], "input_file_id": uploaded_file(simulator)}
        return {**call, "body": body}

    def test_corrected_path(
        self, simulator: Simulator, call: dict[str, Any], contract: Document
    ) -> None:
        """S0's call with one `/v1` creates the batch that it describes."""
        path = path_of(call).replace("/v1/v1/", "/v1/")

        response = send(simulator, call, path)

        assert response.status_code == 200, response.text
        batch = response.json()
        assert accepts(contract, response_schema("POST /batches", 200), batch)
        sent = {key: value for key, value in call["body"].items() if key != "replace"}
        assert {key: batch[key] for key in sent} == sent
        assert batch["status"] == "in_queue"
        assert batch["expires_at"] - batch["created_at"] == 86_400

    def test_published_path(self, simulator: Simulator, call: dict[str, Any]) -> None:
        """S0's call as published finds no path."""
        assert send(simulator, call, path_of(call)).status_code == 404


class TestListBatches:
    def test_published_call(
        self, pages: dict[str, Page], simulator: Simulator, contract: Document
    ) -> None:
        """S2's call lists the batches of the account."""
        created = httpx.post(
            f"{simulator.base_url}/batches",
            headers=simulator.headers(),
            json={
                "input_file_id": uploaded_file(simulator),
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
                "replace": {"model": "deepseek-ai/DeepSeek-V3"},
            },
        ).json()
        call = pages["list-batches"].call
        assert call is not None

        response = send(simulator, call, path_of(call))

        assert response.status_code == 200, response.text
        page = response.json()
        assert accepts(contract, response_schema("GET /batches", 200), page)
        assert [batch["id"] for batch in page["data"]] == [created["id"]]
        assert page["data"][0]["file_name"] == "requests.jsonl"
