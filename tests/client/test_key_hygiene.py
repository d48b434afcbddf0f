"""The key is sent to the service, and is nowhere else."""

import asyncio
import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console
from rich.traceback import Traceback

from siliconflow_batch import (
    AsyncSiliconFlowBatch,
    Batch,
    Patience,
    Retries,
    SiliconFlowBatch,
    errors,
)
from siliconflow_batch_simulator import Simulator
from support.batches import BATCH
from support.odd_answers import RawServer
from support.scripted_server import ScriptedServer, answer
from support.shell import Shell

KEY = "sk-very-secret-words"
QUICK: dict[str, Any] = {
    "retries": Retries(attempts=2, seconds=0.001, first=0.0001, longest=0.0001),
    "patience": Patience(seconds=0, looks=1, creations=1),
}
HEAD = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"
RESPONSES = {
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "reset": b"",
    "garbage": b"garbage\r\n\r\n",
    "no JSON": HEAD % (b"200 OK", 4, b"half"),
    "repeated": HEAD % (b"401 No", len(KEY) + 2, b'"%s"' % KEY.encode()),
    "repeated without an id": HEAD % (b"200 OK", len(KEY) + 10, b'{"key": "%s"}' % KEY.encode()),
    "overloaded": HEAD % (b"503 No", 0, b""),
    "wrong encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
}
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "retrieve": lambda client, _: client.retrieve("batch_a"),
    "batches": lambda client, _: consumed(client.batches()),
    "files": lambda client, _: consumed(client.files()),
    "upload": lambda client, _: client.upload(b"{}"),
    "create": lambda client, _: client.create("file-a"),
    "cancel": lambda client, _: client.cancel("batch_a"),
    "wait": lambda client, _: client.wait("batch_a", timeout=0),
    "download": lambda client, folder: client.download("file-a", folder / "x"),
    "results": lambda client, _: consumed(
        client.results(Batch({**BATCH, "status": "completed", "output_file_id": "file-a"}))
    ),
}


def consumed(items: Any) -> Any:
    if not hasattr(items, "__aiter__"):
        return list(items)

    async def all_items() -> list[Any]:
        return [item async for item in items]

    return all_items()


def raised(call: Callable[[], Any]) -> Exception:
    """The exception of a call; some calls can do with some of the responses."""
    try:
        call()
    except errors.SiliconFlowError as error:
        return error
    return Exception()


def shown(error: BaseException) -> str:
    """All that a logger, a crash report or a debugger would show of an exception."""
    drawn = io.StringIO()
    console = Console(file=drawn, width=400)
    console.print(
        Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
    )
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
    parts = [drawn.getvalue(), *with_locals.format(), repr(error), repr(vars(error))]
    return "\n".join([*parts, repr(pickle.dumps(error))])


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SILICONFLOW_API_KEY", KEY)


@pytest.fixture(params=RESPONSES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server with one response to all requests; a result file is data, and shown as it is."""

    def respond(_: str, path: str) -> bytes:
        is_data = path.endswith("/content") and b" 200 " in RESPONSES[request.param][:15]
        return RESPONSES["no JSON" if is_data else request.param]

    with RawServer(respond) as server:
        yield server.url


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize("name", CALLS)
def test_no_frame_of_an_exception_has_the_key(name: str, url: str, tmp_path: Any) -> None:
    """Neither its text, its attributes, its causes, nor the locals of any frame."""
    with SiliconFlowBatch(base_url=url, **QUICK) as client:
        error = raised(lambda: CALLS[name](client, tmp_path))
        assert KEY not in shown(error)
        assert KEY not in repr(client) + repr(vars(client))


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize("name", CALLS)
def test_nor_does_one_of_an_event_loop(name: str, url: str, tmp_path: Any) -> None:
    """The same for the asynchronous client."""

    async def run() -> None:
        async with AsyncSiliconFlowBatch(base_url=url, **QUICK) as client:
            await CALLS[name](client, tmp_path)

    assert KEY not in shown(raised(lambda: asyncio.run(run())))


@pytest.mark.usefixtures("_key")
def test_a_log_has_no_key(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """At the level DEBUG, of this package and of the libraries below it."""
    caplog.set_level(logging.DEBUG)
    with SiliconFlowBatch(base_url=url, **QUICK) as client:
        raised(lambda: client.retrieve("batch_a"))

    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "There is no API key"),
        ("  \n", "There is no API key"),
        ("Bearer sk-secret", "begins with 'Bearer '"),
        ("bearer sk-secret", "begins with 'Bearer '"),
        ("sk-sec ret", "a blank or a line break inside"),
        ("sk-sec\nret", "a blank or a line break inside"),
        ("sk-\uff53ecret", "not ASCII"),
        ("sk-secr\u200bet", "not ASCII"),
        ("sk-secr\x07et", "a control character"),
    ],
)
@pytest.mark.parametrize("cls", [SiliconFlowBatch, AsyncSiliconFlowBatch])
def test_a_wrong_key_says_what_is_wrong(
    cls: Any, key: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not say the key, in no frame either."""
    monkeypatch.setenv("SILICONFLOW_API_KEY", key)

    error = raised(cls)

    assert isinstance(error, errors.KeyMissing)
    assert reason in str(error)
    assert "secr" not in shown(error)


@pytest.mark.parametrize("cls", [SiliconFlowBatch, AsyncSiliconFlowBatch])
@pytest.mark.parametrize(
    "keys",
    [{"key": KEY, "api_key": KEY + "2"}, {"key": KEY.encode()}, {"api_key": [KEY]}],
    ids=["different keys", "bytes", "a list"],
)
def test_a_key_of_another_type_is_in_no_frame(cls: Any, keys: dict[str, Any]) -> None:
    """Neither is one of two different keys."""
    error = raised(lambda: cls(**keys))

    assert isinstance(error, errors.ArgumentInvalid)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if "siliconflow_batch" in frame.f_globals["__name__"]]
    assert ours
    assert KEY not in repr([frame.f_locals for frame in ours])


def test_api_key_is_a_synonym() -> None:
    """Both at once have to be the same."""
    with ScriptedServer(answer(BATCH)) as server:
        with SiliconFlowBatch(api_key="sk-x", base_url=server.url) as client:
            client.retrieve("batch_a")
        assert server.received[0][1]["authorization"] == "Bearer sk-x"

    with pytest.raises(errors.ArgumentInvalid, match="synonyms"):
        SiliconFlowBatch("sk-x", api_key="sk-y")


def test_the_command_line_hides_a_key_that_the_service_repeats(
    shell: Shell, site: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both streams, as text and as JSON."""
    monkeypatch.setenv("SILICONFLOW_API_KEY", KEY)
    echo = answer({**BATCH, "metadata": {"note": f"key {KEY}"}, "errors": [KEY]})
    refusal = answer({"code": 1, "message": f"no {KEY}", "data": None}, 400)
    with ScriptedServer(echo) as server:
        monkeypatch.setenv("SILICONFLOW_BASE_URL", server.url)
        for script in ([echo], [refusal]):
            for options in ([], ["--json"]):
                server.script = list(script)
                result = shell("status", "batch_a", *options)
                assert KEY not in result.out + result.err
                assert "…" in result.out + result.err or "\\u2026" in result.out + result.err
