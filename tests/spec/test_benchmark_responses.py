"""
The responses that the benchmarks prepare for clients are valid under openapi.yaml.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contract.document import Document, accepts, response_schema
from contract.ledger import ROOT

SERVER = ROOT / "benchmarks" / "responses_server.py"
CONTENT = b'{"custom_id": "a"}\n'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a running server, whose files have CONTENT."""
    file = tmp_path / "results.jsonl"
    file.write_bytes(CONTENT)
    with subprocess.Popen(  # noqa: S603 - a fixed command
        [sys.executable, SERVER, file], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", trust_env=False) as client:
            yield client
        process.kill()


def test_responses_are_valid(client: httpx.Client, contract: Document) -> None:
    """The batch, the page and the uploaded file fit the schemas of their operations."""
    responses = {
        "GET /batches/{batch_id}": client.get("/batches/batch_1"),
        "GET /batches": client.get("/batches", params={"limit": 1000}),
        "POST /files": client.post("/files", content=b"{}\n" * 1_000_000),
    }

    for operation, response in responses.items():
        assert accepts(contract, response_schema(operation, 200), json.loads(response.content))


def test_file_content(client: httpx.Client) -> None:
    """Every file has the content of the file on the command line."""
    assert client.get("/files/file-1/content").content == CONTENT
