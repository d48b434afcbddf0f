"""
Real model answers: each line goes to an OpenAI-compatible chat-completions server.

Rule 1: lines are sent concurrently and recorded in the order of the input.
Rule 2: a line that the server cannot answer fails; its batch goes on.
Rule 3: after a cancel no further line is sent, but the lines in flight are awaited.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from typing import Any

import httpx
import orjson
from attrs import define, field

from ..batches import completions
from ..batches.execution import Line
from ..batches.lifecycle import Batch
from .service import Service

POLL_SECONDS = 0.05  # real seconds between two checks for work
ERROR_SECONDS = 1.0  # after an error of the disk or the database
TIMEOUT = httpx.Timeout(600, connect=10)
log = logging.getLogger("siliconflow_batch_simulator")


@define
class Connection:
    """The HTTP client of a running backend; `slots` limits the lines in flight."""

    service: Service
    http: httpx.AsyncClient
    slots: asyncio.Semaphore


@define
class Backend:
    """
    `url` is the part before `/chat/completions`; `model`, if given, replaces the lines' models.
    """

    url: str
    model: str | None = None
    concurrency: int = 4
    _running: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    async def drive(self, service: Service) -> None:
        """Processes the batches of a service until cancelled."""
        limits = httpx.Limits(max_connections=None)  # `slots` limits the requests
        async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as http:
            connection = Connection(service, http, asyncio.Semaphore(self.concurrency))
            try:
                while True:
                    try:
                        self._start_batches(connection)
                    except (OSError, sqlite3.Error) as error:
                        log.error("the backend waits: %s", error)
                        await asyncio.sleep(ERROR_SECONDS)
                    await asyncio.sleep(POLL_SECONDS)
            finally:
                for task in self._running.values():
                    task.cancel()

    def _start_batches(self, connection: Connection) -> None:
        for batch in connection.service.settle_open():
            if batch.status == "in_progress" and batch.id not in self._running:
                task = asyncio.create_task(self._run(connection, batch))
                self._running[batch.id] = task

    async def _run(self, connection: Connection, batch: Batch) -> None:
        """Processes the lines of one batch that have no result yet."""
        execution = connection.service.execution
        execution.busy.add(batch.id)
        in_flight: deque[tuple[asyncio.Task[Line], int]] = deque()
        try:
            await self._process(connection, batch, in_flight)
        except (OSError, sqlite3.Error) as error:
            log.error("batch %s waits: %s", batch.id, error)
            await asyncio.sleep(ERROR_SECONDS)
        finally:
            for task, _ in in_flight:
                task.cancel()
            execution.busy.discard(batch.id)
            self._running.pop(batch.id, None)

    async def _process(
        self,
        connection: Connection,
        batch: Batch,
        in_flight: deque[tuple[asyncio.Task[Line], int]],
    ) -> None:
        pending = connection.service.execution.pending(batch)
        while True:
            while len(in_flight) < self.concurrency and batch.status == "in_progress":
                if (following := next(pending, None)) is None:
                    break
                request, id, end = following
                task = asyncio.create_task(self._send(connection, batch, request, id))
                in_flight.append((task, end))
            if not in_flight:
                return
            task, end = in_flight.popleft()
            result = await task
            if batch.final:  # the batch has expired, and so has this line
                return
            connection.service.record(batch, result, end)

    async def _send(self, connection: Connection, batch: Batch, request: Line, id: str) -> Line:
        body = {name: value for name, value in request["body"].items() if name != "simulate"}
        body.update(model=self.model or batch.model or body.get("model"), stream=False)
        url = f"{self.url.rstrip('/')}/chat/completions"
        async with connection.slots:
            try:
                result = _result(request, id, await connection.http.post(url, json=body))
                orjson.dumps(result)  # a result that cannot be written fails its line only
            except Exception as error:  # a server can send anything
                reason = str(error) or type(error).__name__
                return completions.failed(request, id, 503, f"The backend did not answer: {reason}")
        return result


def _result(request: Line, id: str, response: httpx.Response) -> Line:
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return completions.record(request, id, response.status_code, body)
    status = 502 if response.is_success else response.status_code
    message = f"The backend sent no JSON object: {response.text[:500]!r}."
    return completions.failed(request, id, status, message)
