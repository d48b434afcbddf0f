"""Requests of one account to a simulator."""

import json
from typing import Any

import httpx
from attrs import define

from siliconflow_batch_simulator import Simulator

ENDPOINT = "/v1/chat/completions"


def line(custom_id: str = "a", **body: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"Say {custom_id}."}]
    return {"custom_id": custom_id, "body": {"model": "m", "messages": messages, **body}}


def json_lines(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in lines)


@define
class Account:
    """The operations with one key; those that may be refused return the whole response."""

    simulator: Simulator
    http: httpx.Client

    def upload(self, data: bytes, name: str = "in.jsonl") -> httpx.Response:
        return self.http.post("files", data={"purpose": "batch"}, files={"file": (name, data)})

    def create(self, data: bytes | str, **fields: Any) -> httpx.Response:
        """Creates a batch from a file id, or from bytes, which are uploaded first."""
        file_id = data if isinstance(data, str) else self.upload(data).json()["data"]["id"]
        body = {"input_file_id": file_id, "endpoint": ENDPOINT, "completion_window": "24h"}
        return self.http.post("batches", json={**body, **fields})

    def batch(self, *lines: dict[str, Any], **fields: Any) -> str:
        return str(self.create(json_lines(*lines), **fields).json()["id"])

    def retrieve(self, batch_id: str) -> dict[str, Any]:
        return dict(self.http.get(f"batches/{batch_id}").json())

    def cancel(self, batch_id: str) -> httpx.Response:
        return self.http.post(f"batches/{batch_id}/cancel")

    def advance(self, batch_id: str, **step: float) -> dict[str, Any]:
        """Moves the clock and retrieves the batch."""
        self.simulator.service.clock.advance(**step)
        return self.retrieve(batch_id)

    def records(self, url: str | None) -> list[dict[str, Any]]:
        """The lines of a result file; empty if `url` is None."""
        raw = b"" if url is None else httpx.get(url).content
        return [json.loads(row) for row in raw.split(b"\n") if row]


def asked(simulator: Simulator) -> list[str]:
    """Method and path of each request that a simulator has received."""
    return [f"{request.method} {request.path}" for request in simulator.requests]
