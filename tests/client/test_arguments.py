"""Wrong arguments are refused with a sentence, and nothing is sent."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import siliconflow_batch
from siliconflow_batch import AsyncSiliconFlowBatch, Batch
from siliconflow_batch.errors import ArgumentInvalid
from support.batches import BATCH, batch
from support.scripted_server import ScriptedServer, answer

Open = Callable[..., Any]
# Without types: their arguments are wrong on purpose.
SiliconFlowBatch: Any = siliconflow_batch.SiliconFlowBatch
Retries: Any = siliconflow_batch.Retries
Patience: Any = siliconflow_batch.Patience
ID = str(BATCH["id"])
DONE = batch(status="completed", output_file_id="file-out")
TWO = timedelta(seconds=2)
WRONG: list[tuple[str, Callable[[Any], Any], str]] = [
    ("retrieve None", lambda client: client.retrieve(None), "pass a string, a Batch"),
    ("retrieve a number", lambda client: client.retrieve(5), "pass a string, a Batch"),
    ("retrieve nothing", lambda client: client.retrieve(""), "use letters, digits"),
    ("cancel a path", lambda client: client.cancel("../batches"), "use letters, digits"),
    ("wait for None", lambda client: client.wait(None), "pass a string, a Batch"),
    ("a timedelta", lambda client: client.wait("b", timeout=TWO), r"Use its total_seconds\(\)"),
    ("an interval", lambda client: client.wait("b", interval="5"), "Invalid interval '5'"),
    ("endless pauses", lambda client: client.wait("b", longest=float("inf")), "Invalid longest"),
    ("results of None", lambda client: list(client.results(None)), "pass a string, a Batch"),
    ("errors of a number", lambda client: list(client.errors(5)), "pass a string, a Batch"),
    ("an order", lambda client: list(client.results(DONE, order="output")), "Invalid order"),
    (
        "a source",
        lambda client: list(client.results(DONE, source=5)),
        "Cannot read 'int': ",
    ),
    ("download None", lambda client: client.download(None, "x"), "Invalid id None"),
    ("download to None", lambda client: client.download("file-a", None), "Invalid target None"),
    ("download to a number", lambda client: client.download("file-a", 1), "Invalid target 1"),
    ("download to a folder", lambda client: client.download("file-a", "."), "it is a folder"),
    ("download to nothing", lambda client: client.download("file-a", ""), "it is empty"),
    ("no page", lambda client: list(client.batches(limit=0)), "Invalid limit 0"),
    ("a page as text", lambda client: list(client.batches(limit="9")), "Invalid limit '9'"),
    ("no file", lambda client: list(client.files(limit=-1)), "Invalid limit -1"),
    ("metadata as text", lambda client: client.create("file-a", metadata="a=b"), "pass a dict"),
    ("metadata of numbers", lambda client: client.create("f", metadata={"a": 1}), "be a string"),
    ("a token", lambda client: client.find(None), "Invalid token None"),
    ("no token", lambda client: client.find(""), "Invalid token ''"),
    ("the file of a token", lambda client: client.find("t", 3), "Invalid id 3"),
    ("on_update", lambda client: client.wait("b", on_update=3), "Invalid on_update 3"),
    ("a window", lambda client: client.create("file-a", window=TWO), "Invalid window"),
]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(answer(BATCH)) as server:
        yield server


@pytest.mark.parametrize(("_", "call", "reason"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_argument_is_refused(
    opened: Open, server: ScriptedServer, _: str, call: Callable[[Any], Any], reason: str
) -> None:
    """The sentence says what is wrong and what to pass."""
    with pytest.raises(ArgumentInvalid, match=reason):
        call(opened(key="sk-x", base_url=server.url))

    assert server.received == []


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: SiliconFlowBatch("sk-x", timeout=TWO), "total_seconds"),
        (lambda: SiliconFlowBatch("sk-x", timeout="5"), "Invalid timeout '5'"),
        (lambda: SiliconFlowBatch(5), "pass a string, not int"),
        (lambda: SiliconFlowBatch("sk-x", "api.siliconflow.cn"), "must begin with 'https://'"),
        (lambda: SiliconFlowBatch("sk-x", "https://"), "it has no host"),
        (lambda: SiliconFlowBatch("sk-x", 5), "Invalid base URL 5"),
        (lambda: SiliconFlowBatch("sk-x", retries=3), "Invalid retries 3: pass a Retries"),
        (lambda: SiliconFlowBatch("sk-x", patience=3), "Invalid patience 3: pass a Patience"),
        (lambda: Retries(attempts="3"), "`attempts` must be at least 1"),
        (lambda: Retries(seconds=TWO), "total_seconds"),
        (lambda: Patience(seconds=TWO), "total_seconds"),
        (lambda: Patience(looks=1.5), "`looks` must be at least 1"),
    ],
)
def test_a_client_is_not_made_of_wrong_arguments(make: Callable[[], Any], reason: str) -> None:
    """They are refused where they are passed."""
    with pytest.raises(ArgumentInvalid, match=reason):
        make()


@pytest.mark.parametrize("named", [ID, Batch(BATCH)], ids=["an id", "a batch"])
@pytest.mark.parametrize("method", ["retrieve", "cancel", "wait"])
def test_a_batch_is_named_by_itself_or_by_its_id(
    opened: Open, server: ScriptedServer, method: str, named: Any
) -> None:
    """A program has one or the other."""
    server.script = [answer({**BATCH, "status": "cancelled"})]
    options = {"check": False} if method == "wait" else {}

    found = getattr(opened(key="sk-x", base_url=server.url), method)(named, **options)

    assert found.id == ID


def test_results_of_an_id(opened: Open, server: ScriptedServer) -> None:
    """The batch is retrieved first."""
    server.script = [answer({**BATCH, "status": "cancelled"})]
    client = opened(key="sk-x", base_url=server.url)

    assert list(client.results(ID)) == list(client.errors(ID)) == []


class TestAfterClose:
    def test_threads(self, server: ScriptedServer, tmp_path: Path) -> None:
        """A closed client sends nothing, and says so."""
        client = SiliconFlowBatch("sk-x", server.url)
        client.retrieve(ID)
        client.close()

        calls: list[Callable[[], Any]] = [
            lambda: client.retrieve(ID),
            lambda: client.download("file-a", tmp_path / "x"),
        ]
        for call in calls:
            with pytest.raises(ArgumentInvalid, match="is closed; open a new one"):
                call()

    def test_an_event_loop(self, server: ScriptedServer) -> None:
        """The same for `close` and for the end of `async with`."""

        async def run() -> None:
            async with AsyncSiliconFlowBatch("sk-x", server.url) as client:
                await client.retrieve(ID)
            await client.retrieve(ID)

        with pytest.raises(ArgumentInvalid, match="is closed; open a new one"):
            asyncio.run(run())


def test_another_kind_of_event_loop(server: ScriptedServer) -> None:
    """Without asyncio, one sentence says what to use."""
    client = AsyncSiliconFlowBatch("sk-x", server.url)
    step = client.retrieve(ID).__await__()

    with pytest.raises(ArgumentInvalid, match="Under trio, use SiliconFlowBatch in a thread"):
        next(step)
