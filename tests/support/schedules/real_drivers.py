"""
The same schedules through the drivers of both clients: real requests and responses of httpx, and
the model where the network would be.

Rule: only what would take time is replaced, the pause.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch
from siliconflow_batch.retries import Retries
from siliconflow_batch.steps import Flow, Pause, Reply, Step

from .model_processes import ModelProcess

ADDRESS = "http://model/v1"
# A step of a schedule is a request and its repetitions, so there are none here.
OPTIONS: dict[str, Any] = {"key": "sk-model", "base_url": ADDRESS, "retries": Retries(attempts=1)}


class _Client(SiliconFlowBatch):
    process: ModelProcess

    def _take(self, step: Step) -> Reply | None:
        if not isinstance(step, Pause):
            return super()._take(step)
        self.process.pause(step)
        return None


class _AsyncClient(AsyncSiliconFlowBatch):
    process: ModelProcess

    async def _take(self, step: Step) -> Reply | None:
        if not isinstance(step, Pause):
            return await super()._take(step)
        self.process.pause(step)
        return None


def sync_driver(process: ModelProcess) -> Callable[[Flow[Any]], Any]:
    transport = httpx.MockTransport(_answering(process))
    client = _Client(**OPTIONS, http_client=httpx.Client(transport=transport, trust_env=False))
    client.process = process
    return client._run


def async_driver(process: ModelProcess) -> Callable[[Flow[Any]], Any]:
    transport = httpx.MockTransport(_answering(process))
    http_client = httpx.AsyncClient(transport=transport, trust_env=False)
    client = _AsyncClient(**OPTIONS, http_client=http_client)
    client.process = process

    def run(flow: Flow[Any]) -> Any:
        return asyncio.run(client._run(flow))

    return run


def _answering(process: ModelProcess) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        path, query = request.url.path.removeprefix("/v1"), request.url.params
        if (request.method, path) == ("POST", "/files"):
            answer = process.answer("upload")
        elif (request.method, path) == ("POST", "/batches"):
            body = json.loads(request.content)
            answer = process.answer("create", body["input_file_id"], body["metadata"])
        elif path == "/batches":
            limit = query.get("limit")
            answer = process.answer("list", limit and int(limit), query.get("after"))
        else:
            answer = process.answer("retrieve", path.removeprefix("/batches/"))
        return answer.response(request)

    return answer
