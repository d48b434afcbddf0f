"""Cookies of the service: never kept, also in an HTTP client of the caller."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from siliconflow_batch import AsyncSiliconFlowBatch, Retries, SiliconFlowBatch
from support.batches import BATCH
from support.blocking import Blocking
from support.scripted_server import Answer, ScriptedServer, answer

COOKIES = {
    "text": "session=secret; Path=/",
    "not ASCII": "sid=\xfcber; Path=/",
    "long": f"sid={'x' * 9_000}; Path=/",
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(answer(BATCH)) as server:
        yield server


@pytest.fixture(params=[None, httpx, httpx2], ids=["own", "httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> ModuleType | None:
    """The library of the caller's HTTP client; None if the caller has none."""
    library: ModuleType | None = request.param
    return library


@pytest.fixture(params=["sync", "async"])
def client(
    request: pytest.FixtureRequest, library: ModuleType | None, server: ScriptedServer
) -> Iterator[Any]:
    """A client that repeats nothing; the caller's HTTP client has a cookie of its own."""
    options: dict[str, Any] = {"retries": Retries(attempts=1)}
    cookies = {"gateway": "open"}
    if request.param == "sync":
        http = library and library.Client(cookies=cookies)
        with SiliconFlowBatch("sk-x", server.url, **options, http_client=http) as client:
            yield client
        if http:
            http.close()
    else:
        http = library and library.AsyncClient(cookies=cookies)
        blocking = Blocking(AsyncSiliconFlowBatch("sk-x", server.url, **options, http_client=http))
        yield blocking
        if http:
            blocking.run(http.aclose())
        blocking.stop()


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_no_cookie_is_kept(
    client: Any,
    server: ScriptedServer,
    library: ModuleType | None,
    cookie: str,
    tmp_path: Path,
) -> None:
    """A cookie that a response sets is not sent again; those of the caller's client are."""
    content = Answer(200, b"{}\n", {"set-cookie": cookie})
    server.script = [answer(BATCH, set_cookie=cookie), content, answer(BATCH)]

    client.retrieve(BATCH["id"])
    client.download("file-a", tmp_path / "target")
    client.retrieve(BATCH["id"])

    sent = [headers.get("cookie") for _, headers in server.received]
    assert sent == [None if library is None else "gateway=open"] * 3
