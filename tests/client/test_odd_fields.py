"""Fields of every type, in every response and on the command line: read, and never an exception."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from siliconflow_batch import Batch, Counts, File, Retries
from support.batches import BATCH
from support.scripted_server import Answer, ScriptedServer, answer
from support.shell import Shell

Open = Callable[..., Any]
MISSING = object()
OTHER_TOKEN = {"siliconflow_batch_token": 7}
VALUES: tuple[Any, ...] = (
    *(MISSING, None, True, False, 0, 7, -1, 1.5, 1e300, 10**30, "", "soon", "7", "\x1b[31m\n\t"),
    *("\ud800", "2026-11-27T00:00:00+08:00", "0001-01-01T00:00:00+14:00", [], {}, [None], [[7]]),
    *({"total": None}, {"total": [], "completed": {}, "failed": -1}, {"data": 7}, {"": None}),
    *({"object": "list", "data": [{"code": "x", "line": 3}]}, OTHER_TOKEN),
)
COMPLETED = {
    **BATCH,
    "status": "completed",
    "finalizing_at": None,
    "cancelling_at": None,
    "cancelled_at": None,
    "file_name": "a.jsonl",
    "priority": "low",
}
UPLOADED = {
    "id": "file-a",
    "object": "file",
    "bytes": 9,
    "createdAt": 1741685396,
    "filename": "a.jsonl",
    "purpose": "batch",
}
LISTED = {**UPLOADED, "created_at": 1741685396, "line_count": 2}
NOTHING = answer({"data": [], "has_more": False})
TYPES: dict[str, Any] = {
    **dict.fromkeys(("id", "status"), str),
    **dict.fromkeys(("input_file_id", "output_file_id", "error_file_id"), str | None),
    **dict.fromkeys(("file_name", "token", "name", "purpose"), str | None),
    **{name: datetime | None for name in dir(Batch) if name.endswith("_at")},
    **{"is_final": bool, "errors": list, "metadata": dict, "counts": Counts},
    **{"bytes": int, "line_count": int | None, "raw": dict},
}


def fields(whole: dict[str, Any]) -> list[str]:
    """The fields that nobody needs."""
    return [name for name in whole if name not in ("id", "status")]


def odd(whole: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The object with each of the odd values in one field."""
    for value in VALUES:
        rest = {field: item for field, item in whole.items() if field != name}
        yield rest if value is MISSING else {**rest, name: value}


def check(item: Batch | File, raw: dict[str, Any]) -> None:
    """Every property has its type, and `raw` is what the service sent."""
    assert item.raw == raw
    for name in dir(item):
        if name in TYPES:
            assert isinstance(getattr(item, name), TYPES[name]), (name, raw)
    assert all(isinstance(text, str) for text in getattr(item, "errors", ()))
    pairs = getattr(item, "metadata", {}).items()
    assert all(isinstance(text, str) for pair in pairs for text in pair)
    assert item.id in repr(item)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(opened: Open, server: ScriptedServer) -> Any:
    return opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))


@pytest.mark.parametrize("name", fields(COMPLETED))
@pytest.mark.parametrize("method", ["retrieve", "cancel", "wait"])
def test_a_batch_with_an_odd_field(
    client: Any, server: ScriptedServer, method: str, name: str
) -> None:
    """The id and the status are enough to go on."""
    for raw in odd(COMPLETED, name):
        server.script = [answer(raw)]

        batch = getattr(client, method)("batch_a")

        check(batch, raw)
        assert batch.status == "completed"


@pytest.mark.parametrize("name", [*fields(COMPLETED), "status"])
def test_a_page_with_an_odd_batch(client: Any, server: ScriptedServer, name: str) -> None:
    """It hides neither itself nor another batch of the list."""
    for raw in odd(COMPLETED, name):
        others = [{**COMPLETED, "id": f"batch_{number}"} for number in range(2)]
        server.script = [answer({"data": [others[0], raw]}), answer({"data": others[1:]}), NOTHING]

        batches = list(client.batches())

        assert [batch.id for batch in batches] == ["batch_0", "batch_a", "batch_1"]
        check(batches[1], raw)


@pytest.mark.parametrize("name", ["object", "first_id", "last_id", "has_more", "total"])
def test_a_page_with_an_odd_field(client: Any, server: ScriptedServer, name: str) -> None:
    """The next page begins after the last batch, whatever the fields of the page are."""
    page = {"object": "list", "data": [COMPLETED], "last_id": "batch_a", "has_more": True}
    for raw in odd(page, name):
        server.received.clear()
        server.script = [
            answer(raw),
            answer({**raw, "data": [{**BATCH, "id": "batch_b"}]}),
            NOTHING,
        ]

        assert [batch.id for batch in client.batches()] == ["batch_a", "batch_b"]
        assert "after=batch_a" in server.received[1][0]


@pytest.mark.parametrize("name", [*fields(COMPLETED), "status"])
def test_find_with_odd_batches(client: Any, server: ScriptedServer, name: str) -> None:
    """The batch with the token is found behind an odd one, and if it is odd itself."""
    token = "sfb-0123456789abcdef"
    wanted = {**COMPLETED, "metadata": {"siliconflow_batch_token": token}}
    for raw in odd(wanted if name != "metadata" else COMPLETED, name):
        item = {**wanted, "id": "batch_w"}
        rows = [{**raw, "id": "batch_1"}, item] if name == "metadata" else [BATCH, raw]
        server.script = [answer({"data": rows}), NOTHING]

        assert client.find(token).id == rows[1]["id"]


@pytest.mark.parametrize("name", sorted({*fields(COMPLETED), "status"} - {"input_file_id"}))
def test_a_creation_with_an_odd_field(client: Any, server: ScriptedServer, name: str) -> None:
    """The batch of the response is returned; its input file shows that it is the right one."""
    for raw in odd({**COMPLETED, "status": "in_queue"}, name):
        if raw.get("metadata") == OTHER_TOKEN:
            continue
        server.script = [NOTHING, answer(raw)]

        check(client.create("file-a"), raw)


@pytest.mark.parametrize("name", fields(UPLOADED))
def test_an_upload_with_an_odd_field(client: Any, server: ScriptedServer, name: str) -> None:
    """The id is enough to use the file."""
    for raw in odd(UPLOADED, name):
        server.script = [answer({"code": 20000, "status": True, "data": raw})]

        check(client.upload(b"{}\n"), raw)


@pytest.mark.parametrize("name", ["code", "message", "status"])
def test_an_upload_in_an_odd_envelope(client: Any, server: ScriptedServer, name: str) -> None:
    """The file counts, unless the envelope says that it failed."""
    envelope = {"code": 20000, "message": "Ok", "status": True, "data": UPLOADED}
    for raw in odd(envelope, name):
        if raw.get("status") is not False:
            server.script = [answer(raw)]

            check(client.upload(b"{}\n"), UPLOADED)


@pytest.mark.parametrize("name", fields(LISTED))
def test_a_list_with_an_odd_file(client: Any, server: ScriptedServer, name: str) -> None:
    """It hides neither itself nor another file."""
    for raw in odd(LISTED, name):
        data = [{**LISTED, "id": "file-0"}, raw]
        server.script = [answer({"code": 20000, "data": {"object": "file", "data": data}})]

        files = list(client.files())

        assert [file.id for file in files] == ["file-0", "file-a"]
        check(files[1], raw)


def test_a_time_in_another_zone_is_in_utc(client: Any, server: ScriptedServer) -> None:
    """What is shown with a Z is in UTC."""
    server.script = [answer({**BATCH, "created_at": "2026-11-27T08:00:00+08:00"})]

    assert client.retrieve("batch_a").created_at.isoformat() == "2026-11-27T00:00:00+00:00"


def test_a_file_has_the_time_that_can_be_read(client: Any, server: ScriptedServer) -> None:
    """A spelling that is null hides not the other."""
    server.script = [answer({"data": {**UPLOADED, "created_at": None}})]

    assert client.upload(b"{}\n").created_at is not None


class TestCommandLine:
    """One command for all the values of a field."""

    @pytest.fixture
    def shell(self, shell: Shell, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Shell:
        monkeypatch.setenv("SILICONFLOW_BASE_URL", server.url)
        return shell

    @pytest.mark.parametrize("name", [*fields(COMPLETED), "status"])
    def test_list(self, shell: Shell, server: ScriptedServer, name: str) -> None:
        """Each batch is one line of as many columns as ever, and one JSON object."""
        data = [{**raw, "id": f"batch_{number}"} for number, raw in enumerate(odd(COMPLETED, name))]
        pages: list[Answer] = [answer({"data": data, "has_more": True}), NOTHING]

        server.script = [*pages]
        rows = shell("list", "--limit", "0")
        server.script = [*pages]
        objects = shell("list", "--limit", "0", "--json")

        assert (rows.status, objects.status) == (0, 0), rows.err + objects.err
        assert [row[0] for row in rows.rows] == [item["id"] for item in data]
        assert {len(row) for row in rows.rows} == {8}
        assert [json.loads(line) for line in objects.out.splitlines()] == data

    @pytest.mark.parametrize("name", fields(COMPLETED))
    def test_status(self, shell: Shell, server: ScriptedServer, name: str) -> None:
        """The batch is shown, and exit status 0 is returned."""
        for options in ([], ["--json"]):
            data = [{**raw, "id": f"batch_{n}"} for n, raw in enumerate(odd(COMPLETED, name))]
            server.script = [answer(raw) for raw in data]
            result = shell("status", *options, *(item["id"] for item in data))

            assert result.status == 0, result.err
            assert len(result.out.splitlines()) == len(data)

    @pytest.mark.parametrize("name", fields(LISTED))
    def test_files(self, shell: Shell, server: ScriptedServer, name: str) -> None:
        """Each file is one line of as many columns as ever, and one JSON object."""
        data = [{**raw, "id": f"file-{number}"} for number, raw in enumerate(odd(LISTED, name))]
        server.script = [answer({"code": 20000, "data": {"object": "file", "data": data}})]

        rows = shell("files", "--limit", "0")
        objects = shell("files", "--limit", "0", "--json")

        assert (rows.status, objects.status) == (0, 0), rows.err + objects.err
        assert {len(row) for row in rows.rows} == {5}
        assert [json.loads(line) for line in objects.out.splitlines()] == data
