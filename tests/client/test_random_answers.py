"""Random answers to every method: only exceptions of the package, and the next call works."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from siliconflow_batch import AsyncSiliconFlowBatch, Batch, Patience, Retries, SiliconFlowBatch
from siliconflow_batch.errors import SiliconFlowError
from support.blocking import Blocking
from support.odd_answers import OddAnswers, RawServer

SAMPLE, ALL = 100, 5_000  # odd answers to each method of each client
BATCH = {
    "id": "batch_one",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "errors": None,
    "input_file_id": "file-one",
    "completion_window": "24h",
    "status": "completed",
    "output_file_id": "file-out",
    "error_file_id": None,
    "created_at": 1_764_000_000,
    "expires_at": 1_764_086_400,
    "completed_at": 1_764_000_100,
    "request_counts": {"total": 2, "completed": 2, "failed": 0},
    "metadata": {"job": "one"},
}
FILE = {"id": "file-one", "object": "file", "bytes": 9, "createdAt": 1, "filename": "a.jsonl"}
LINE = {
    "id": "1",
    "custom_id": "a",
    "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "x"}}]}},
    "error": None,
}
RESULTS = "\n".join(json.dumps({**LINE, "custom_id": id}) for id in "ab").encode()
INPUT = b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m",' + (
    b'"messages":[{"role":"user","content":"x"}]}}\n'
)
QUICK: dict[str, Any] = {
    "retries": Retries(attempts=2, seconds=0.001, first=0.0001, longest=0.0001),
    "patience": Patience(seconds=0, looks=1, creations=1),
    "timeout": 5,
}
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "upload": lambda client, _: client.upload(INPUT),
    "files": lambda client, _: list(client.files()),
    "create": lambda client, _: client.create("file-one"),
    "submit": lambda client, _: client.submit(INPUT),
    "retrieve": lambda client, _: client.retrieve("batch_one"),
    "cancel": lambda client, _: client.cancel("batch_one"),
    "batches": lambda client, _: list(client.batches()),
    "find": lambda client, _: client.find("sfb-0000000000000000", "file-one"),
    "wait": lambda client, _: client.wait("batch_one", timeout=0),
    "download": lambda client, folder: client.download("file-out", folder / "target"),
    "results": lambda client, _: list(client.results(Batch(BATCH))),
    "in order": lambda client, _: list(client.results(Batch(BATCH), order="input")),
    "errors": lambda client, _: list(client.errors(Batch({**BATCH, "error_file_id": "file-out"}))),
}


def right(method: str, path: str) -> Any:
    """What a sound service answers."""
    match method, path.partition("?")[0].removeprefix("/v1/").split("/"):
        case "GET", ["batches"]:
            return {"object": "list", "data": [BATCH], "has_more": False, "last_id": "batch_one"}
        case "GET", ["files"]:
            return {"code": 20000, "data": {"object": "list", "data": [FILE]}}
        case "POST", ["files"]:
            return {"code": 20000, "status": True, "data": FILE}
        case "GET", ["files", _, "content"]:
            return RESULTS
    return BATCH


def well_formed(value: Any) -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def touch(value: Any) -> None:
    """Reads every property, as a program does that prints what it got."""
    for item in value if isinstance(value, list) else [value]:
        repr(item)
        for name in dir(item):
            if not name.startswith("_") and name != "model":
                getattr(item, name)


@pytest.fixture(params=["threads", "event loop"])
def client(request: pytest.FixtureRequest) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A client, and the odd answers that its server gives; none means right ones."""
    service: dict[str, Any] = {"odd": None}

    def answer(method: str, path: str) -> bytes:
        odd, value = service["odd"], right(method, path)
        return odd(value) if odd else well_formed(value)

    with RawServer(answer) as server:
        if request.param == "threads":
            with SiliconFlowBatch("sk-key", server.url, **QUICK) as threads:
                yield threads, service
        else:
            loop = Blocking(AsyncSiliconFlowBatch("sk-key", server.url, **QUICK))
            yield loop, service
            loop.stop()


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:The results are in the order")
@pytest.mark.parametrize("name", CALLS)
def test_an_odd_answer_is_read_or_an_exception_of_the_package(
    name: str, client: tuple[Any, dict[str, Any]], tmp_path: Any, soak: bool
) -> None:
    """No other exception leaves the client, and the call after it succeeds."""
    client_, service = client
    for seed in range(ALL if soak else SAMPLE):
        service["odd"] = OddAnswers(random.Random(f"{name} {seed}").getrandbits(32))  # noqa: S311
        try:
            touch(CALLS[name](client_, tmp_path))
        except SiliconFlowError as error:
            str(error), repr(error)
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}")
        service["odd"] = None
        assert client_.retrieve("batch_one").id == "batch_one", seed
