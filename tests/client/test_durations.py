"""How long each call can take at most, measured on a clock that only pauses and responses move."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from attrs import define

from siliconflow_batch import (
    AsyncSiliconFlowBatch,
    Patience,
    Retries,
    SiliconFlowBatch,
    SiliconFlowError,
)
from support.batches import BATCH
from support.blocking import Blocking

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+)` \| .+ \| ([\d,.]+) s \| ([\d,.]+) s \|$", PAGE, re.MULTILINE)
TIMEOUT = 60.0  # how long an attempt takes when the service is silent
EMPTY_LIST: dict[str, Any] = {
    "object": "list",
    "data": [],
    "first_id": None,
    "last_id": None,
    "has_more": False,
}
Handler = Callable[[httpx.Request], httpx.Response]


@define
class Clock:
    """Replaces the time and sleeping of this process."""

    now: float = 1_000_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock; every random part of a pause has its greatest value."""
    clock = Clock()
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    monkeypatch.setattr(time, "monotonic", clock.time)
    monkeypatch.setattr(time, "time", clock.time)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep_async)
    with stamina.set_testing(False):
        yield clock


@pytest.fixture(params=["sync", "async"])
def measure(
    request: pytest.FixtureRequest, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., float]]:
    """Measures a call that fails, in seconds."""
    monkeypatch.chdir(tmp_path)
    blocking: list[Blocking] = []

    def measured(handler: Handler, call: Callable[[Any], Any], **options: Any) -> float:
        transport = httpx.MockTransport(handler)
        if request.param == "sync":
            client: Any = SiliconFlowBatch(
                "sk-x", http_client=httpx.Client(transport=transport), **options
            )
        else:
            http = httpx.AsyncClient(transport=transport)
            client = Blocking(AsyncSiliconFlowBatch("sk-x", http_client=http, **options))
            blocking.append(client)
        began = clock.now
        with pytest.raises(SiliconFlowError):
            call(client)
        return clock.now - began

    yield measured
    for client in blocking:
        client.stop()


@pytest.fixture
def silent(clock: Clock) -> Handler:
    """A service that accepts connections and never responds."""

    def handle(request: httpx.Request) -> httpx.Response:
        clock.now += TIMEOUT
        raise httpx.ReadTimeout("timed out", request=request)

    return handle


def overloaded(request: httpx.Request) -> httpx.Response:
    """A service that responds to every request with 503, at once."""
    return httpx.Response(503, text="overloaded", request=request)


def with_list(handler: Handler) -> Handler:
    """The same service, but the list of batches can be read, and has one."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            data = [] if "after" in request.url.params else [{**BATCH, "input_file_id": "file-z"}]
            return httpx.Response(200, json={**EMPTY_LIST, "data": data}, request=request)
        return handler(request)

    return handle


CALLS: dict[str, Callable[[Any], Any]] = {
    "retrieve, cancel": lambda client: client.retrieve("batch_a"),
    "upload": lambda client: client.upload(b"{}"),
    "files, and each page of batches": lambda client: list(client.batches()),
    "find": lambda client: client.find("t"),
    "create": lambda client: client.create("file-a"),
    "create, if the list can be read": lambda client: client.create("file-a"),
    "wait, with timeout=600": lambda client: client.wait("batch_a", timeout=600),
    "wait, without timeout": lambda client: client.wait("batch_a"),
    "download": lambda client: client.download("file-a", "results.jsonl"),
}


def test_the_page_has_the_measured_calls() -> None:
    """Each row of the table in docs/api.md is a call that is measured here."""
    assert [name for name, _, _ in ROWS] == list(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_numbers_of_the_page(name: str, measure: Callable[..., float], silent: Handler) -> None:
    """docs/api.md says how long a call takes with the default `Retries` and `Patience`."""
    services = [overloaded, silent]
    if "list" in name:
        services = [with_list(service) for service in services]
    page = {row[0]: row[1:] for row in ROWS}

    measured = [f"{measure(service, CALLS[name]):,.1f}" for service in services]

    assert [text.removesuffix(".0") for text in measured] == list(page[name])


def longest_request(retries: Retries, attempt: float, retry_after: float = 0.0) -> float:
    """R of docs/api.md, when an attempt takes `attempt` seconds."""
    pauses = [
        max(retry_after, min(retries.longest, retries.first * 2**number + retries.first))
        for number in range(retries.attempts - 1)
    ]
    longest = max(retries.longest, retry_after)
    by_attempts = retries.attempts * attempt + sum(pauses)
    return float(min(by_attempts, 2 * attempt + retries.seconds + longest))


@pytest.mark.parametrize(
    "retries",
    [
        Retries(),
        Retries(attempts=1),
        Retries(seconds=0.5),
        Retries(attempts=50, seconds=10, first=3, longest=7),
        Retries(attempts=9, first=0.1, longest=0.2),
    ],
)
@pytest.mark.parametrize("attempt", [0.0, 1.0, 30.0, 200.0])
@pytest.mark.parametrize("share", [None, 0.5, 0.99, 1.0])
def test_one_request_has_a_limit(
    retries: Retries,
    attempt: float,
    share: float | None,
    measure: Callable[..., float],
    clock: Clock,
) -> None:
    """No request takes longer than R, with a `Retry-After` of a share of `seconds` or without."""
    retry_after = 0.0 if share is None else share * retries.seconds
    headers = {} if share is None else {"Retry-After": str(retry_after)}

    def slow(request: httpx.Request) -> httpx.Response:
        clock.now += attempt
        return httpx.Response(503, headers=headers, request=request)

    measured = measure(slow, CALLS["retrieve, cancel"], retries=retries)

    assert measured <= longest_request(retries, attempt, retry_after) + 0.001 * retries.attempts


@pytest.mark.parametrize(
    "patience",
    [
        Patience(new_account=True),
        Patience(seconds=10, looks=2, creations=5, new_account=True),
    ],
)
def test_a_creation_has_a_limit(
    patience: Patience, measure: Callable[..., float], clock: Clock
) -> None:
    """The slowest service fails all attempts but the last of each reading that has to succeed."""
    retries, attempt = Retries(attempts=4), 1.0
    gets = [503] * 4 * (patience.looks - 1) + 2 * [503, 503, 503, 200]
    statuses = {
        "POST": [503] * patience.creations,
        "GET": [503, 503, 503, 200] + gets * patience.creations,
    }

    def slowest(request: httpx.Request) -> httpx.Response:
        clock.now += attempt
        return httpx.Response(statuses[request.method].pop(0), json=EMPTY_LIST, request=request)

    measured = measure(slowest, CALLS["create"], retries=retries, patience=patience)

    request = longest_request(retries, attempt)
    search = patience.seconds + (patience.looks + 1) * request
    assert statuses == {"POST": [], "GET": []}
    assert 0.7 < measured / (request + patience.creations * (attempt + search)) <= 1


@pytest.mark.parametrize("timeout", [0.0, 1.0, 100.0])
def test_a_wait_has_a_limit(timeout: float, measure: Callable[..., float], clock: Clock) -> None:
    """A wait ends at most one request after its timeout, whatever the service does."""
    batch = [200, 503, 503, 503]

    def slow(request: httpx.Request) -> httpx.Response:
        clock.now += 7
        batch.append(batch.pop(0))
        return httpx.Response(batch[0], json=BATCH, request=request)

    measured = measure(slow, lambda client: client.wait("batch_a", timeout=timeout))

    assert measured <= timeout + longest_request(Retries(), 7)


def test_a_download_without_progress_has_a_limit(
    measure: Callable[..., float], clock: Clock
) -> None:
    """It ends after `attempts` interrupted responses, each of which took one request."""
    retries = Retries(attempts=4)
    statuses = [503, 503, 503, 200] * 4

    def interrupted(request: httpx.Request) -> httpx.Response:
        clock.now += 1
        return httpx.Response(statuses.pop(0), stream=Interrupted(), request=request)

    measured = measure(interrupted, CALLS["download"], retries=retries)

    assert statuses == []
    assert measured <= retries.attempts * longest_request(retries, 1)


class Interrupted(httpx.SyncByteStream, httpx.AsyncByteStream):
    """One byte, then a lost connection."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"x"
        raise httpx.ReadError("connection lost")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"x"
        raise httpx.ReadError("connection lost")
