"""
Real answers: each line goes to an OpenAI-compatible chat-completions server.

Rule 1: lines are asked at the same time, and recorded in the order of the input.
Rule 2: whatever the server does with one line, the batch goes on; the line fails.
Rule 3: a line that was asked is waited for, cancelled or not; no further one is asked then.
"""

import asyncio
import sqlite3
from collections import deque
from typing import Any

import httpx
import orjson
from attrs import define, field

from ..http.traffic import log
from ..service import Service
from . import completions
from .execution import Line
from .lifecycle import Batch

PAUSE = 0.05  # real seconds between two looks for work
TROUBLE = 1.0  # and when the disk is full, say
TIMEOUT = httpx.Timeout(600, connect=10)


@define
class Backend:
    """
    `url` ends before `/chat/completions`; `model`, where given, takes the place of every other.
    """

    url: str
    model: str | None = None
    concurrency: int = 4
    _working: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    async def drive(self, service: Service) -> None:
        """Runs the batches of a service until it is cancelled."""
        limits = httpx.Limits(max_connections=None)  # the gate is the bound
        async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as http:
            gate = asyncio.Semaphore(self.concurrency)
            try:
                while True:
                    try:
                        for batch in service.settle_open():
                            if batch.status == "in_progress" and batch.id not in self._working:
                                work = self._run(service, batch, http, gate)
                                self._working[batch.id] = asyncio.create_task(work)
                    except (OSError, sqlite3.Error) as error:
                        log.error("the backend waits: %s", error)
                        await asyncio.sleep(TROUBLE)
                    await asyncio.sleep(PAUSE)
            finally:
                for task in self._working.values():
                    task.cancel()

    async def _run(
        self, service: Service, batch: Batch, http: httpx.AsyncClient, gate: asyncio.Semaphore
    ) -> None:
        """Asks the lines of one batch that have no result yet."""
        execution = service.execution
        execution.busy.add(batch.id)
        left = execution.left(batch)
        asked: deque[tuple[asyncio.Task[Line], int]] = deque()
        try:
            while True:
                while len(asked) < self.concurrency and batch.status == "in_progress":
                    if (following := next(left, None)) is None:
                        break
                    request, id, behind = following
                    question = self._ask(http, gate, batch, request, id)
                    asked.append((asyncio.create_task(question), behind))
                if not asked:
                    break
                task, behind = asked.popleft()
                result = await task
                if batch.final:  # it expired meanwhile, and this line was written as expired
                    break
                service.record(batch, result, behind)
        except (OSError, sqlite3.Error) as error:
            log.error("batch %s waits: %s", batch.id, error)
            await asyncio.sleep(TROUBLE)
        finally:
            for task, _ in asked:
                task.cancel()
            execution.busy.discard(batch.id)
            self._working.pop(batch.id, None)

    async def _ask(
        self,
        http: httpx.AsyncClient,
        gate: asyncio.Semaphore,
        batch: Batch,
        request: Line,
        id: str,
    ) -> Line:
        sent = {name: value for name, value in request["body"].items() if name != "simulate"}
        sent.update(model=self.model or batch.model or sent.get("model"), stream=False)
        async with gate:
            try:
                answer = await http.post(f"{self.url.rstrip('/')}/chat/completions", json=sent)
                result = _result(request, id, answer)
                orjson.dumps(result)  # what cannot be written fails here, and this line alone
            except Exception as error:  # a server can answer anything, in any shape
                reason = str(error) or type(error).__name__
                return completions.failed(request, id, 503, f"The backend did not answer: {reason}")
        return result


def _result(request: Line, id: str, answer: httpx.Response) -> Line:
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return completions.record(request, id, answer.status_code, body)
    status = 502 if answer.is_success else answer.status_code
    return completions.failed(request, id, status, f"The backend answered {answer.text[:500]!r}.")
