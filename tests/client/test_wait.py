"""What a wait survives, and what ends it."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from siliconflow_batch import Retries, errors, flows
from support.batches import BATCH
from support.scripted_server import Answer, ScriptedServer, answer

Open = Callable[..., Any]
RUNNING = answer({**BATCH, "status": "in_progress"})
COMPLETED = answer({**BATCH, "status": "completed"})
OVERLOADED = {"code": 50505, "message": "Model service overloaded.", "data": None}
PAGE = b"<html>Maintenance</html>"
PASSING: dict[str, Answer] = {
    **{str(status): Answer(status, PAGE) for status in (301, 302, 303, 304, 307, 308, 399)},
    **{
        str(status): Answer(status, PAGE)
        for status in (408, 409, 421, 423, 424, 425, 429, 500, 504, 524, 599)
    },
    "a page": Answer(200, PAGE, {"content-type": "text/html"}),
    "no body": Answer(200),
    "204": Answer(204),
    "half of the JSON": Answer(200, json.dumps(BATCH).encode()[:50]),
    "null": answer(None),
    "text": answer("busy"),
    "a list": answer([BATCH]),
    "no id": answer({**BATCH, "id": None}),
    "no status": answer({**BATCH, "status": None}),
    "an envelope": answer(OVERLOADED),
    "an envelope with text": answer({**OVERLOADED, "data": "string"}),
    "an error": answer({"error": {"message": "busy"}}),
    "an error as text": answer({"error": "busy"}),
    "gzip that is not": Answer(200, PAGE, {"content-encoding": "gzip"}),
}
ENDING: dict[int, type[errors.APIError]] = {
    400: errors.BadRequest,
    401: errors.KeyRefused,
    402: errors.APIError,
    403: errors.AccessDenied,
    405: errors.APIError,
    410: errors.APIError,
    451: errors.APIError,
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(COMPLETED) as server:
        yield server


@pytest.fixture
def client(opened: Open, server: ScriptedServer) -> Any:
    """A client that repeats no request."""
    return opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))


@pytest.mark.parametrize("blip", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("before", [[], [RUNNING]], ids=["at first", "later"])
def test_a_response_that_the_next_may_repair_does_not_end_a_wait(
    client: Any, server: ScriptedServer, before: list[Answer], blip: Answer
) -> None:
    """A wait goes on after outages, limits, redirects and responses that cannot be read."""
    server.script = [*before, blip, blip, RUNNING, COMPLETED]

    assert client.wait("batch_a", interval=0.001).status == "completed"


@pytest.mark.parametrize("blip", [PASSING["no body"], PASSING["409"], Answer(404)])
def test_a_wait_with_a_timeout_ends_with_the_last_error(
    client: Any, server: ScriptedServer, blip: Answer
) -> None:
    """The error is raised after the timeout if no response shows the batch."""
    server.script = [blip]

    with pytest.raises(errors.APIError) as raised:
        client.wait("batch_a", interval=0.001, timeout=0.002)

    assert raised.value.status == blip.status


@pytest.mark.parametrize("status", ENDING)
@pytest.mark.parametrize("before", [[], [RUNNING]], ids=["at first", "later"])
def test_a_refusal_ends_a_wait_at_once(
    client: Any, server: ScriptedServer, before: list[Answer], status: int
) -> None:
    """A refusal that needs a change by the caller is raised, and nothing is requested again."""
    server.script = [*before, Answer(status, PAGE), COMPLETED]

    with pytest.raises(errors.APIError) as raised:
        client.wait("batch_a", interval=0.001)

    assert type(raised.value) is ENDING[status]
    assert len(server.received) == len(before) + 1


def test_a_new_batch_may_be_missing_at_first(client: Any, server: ScriptedServer) -> None:
    """A 404 does not end a wait that has not seen the batch, because a machine may lag behind."""
    server.script = [Answer(404), Answer(404), RUNNING, COMPLETED]

    assert client.wait("batch_a", interval=0.001).status == "completed"


def test_a_batch_that_was_seen_and_is_missing_ends_a_wait(
    client: Any, server: ScriptedServer
) -> None:
    """A 404 after the batch was seen is raised at once."""
    server.script = [RUNNING, Answer(404), COMPLETED]

    with pytest.raises(errors.NotFound):
        client.wait("batch_a", interval=0.001)

    assert len(server.received) == 2


@pytest.mark.parametrize(
    ("created", "seconds", "requests"),
    [(True, flows.NEW - 1.0, 3), (True, flows.NEW + 1.0, 2), (False, flows.UNKNOWN + 1.0, 2)],
    ids=["created, not yet", "created", "another id"],
)
def test_a_404_that_stays_ends_a_wait(
    client: Any,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    created: bool,
    seconds: float,
    requests: int,
) -> None:
    """It is raised after 10 s, or after a minute for a batch that this client created."""
    if created:
        server.script = [answer({"data": [], "has_more": False}), RUNNING]
        assert client.create("file-a").id == "batch_a"
    server.received.clear()
    clock = SimpleNamespace(monotonic=lambda: len(server.received) // 2 * seconds)
    monkeypatch.setattr("siliconflow_batch.flows.time", clock)
    server.script = [Answer(404)]

    with pytest.raises(errors.NotFound):
        client.wait("batch_a", interval=0.001)

    assert len(server.received) in (requests, requests + 1)
