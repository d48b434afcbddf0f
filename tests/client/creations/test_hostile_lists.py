"""The lists of the hostile server behave as the names in LISTS say. The client takes no part."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from support.hostile.hostile_server import HostileServer
from support.hostile.list_table import LISTS, NEVER, WITHIN, Listing

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all: nothing here is encrypted
PATIENCE = 1000.0  # seconds, so that nothing but `age` makes time pass


class Account:
    """An account whose only new batch was made `age` patiences ago, and raw requests to it."""

    def __init__(self, server: HostileServer, http: httpx.Client) -> None:
        self.server, self.http = server, http
        self.file_id = server.store.upload(10)["id"]
        metadata = {"description": "d", "token": "abc"}
        self.new = server.store.create({"input_file_id": self.file_id, "metadata": metadata})

    def age(self, patiences: float) -> None:
        made = self.server.store.made[0]
        since = made.since - patiences * self.server.patience
        self.server.store.made[0] = replace(made, since=since)

    def page(self, **query: Any) -> dict[str, Any]:
        page: dict[str, Any] = self.http.get("/batches", params=query).raise_for_status().json()
        return page

    def walk(self, trusting: bool = True, limit: int = 100) -> list[str]:
        """The ids by `after`, until has_more is false; or, without trust, until nothing is new."""
        ids: list[str] = []
        query: dict[str, Any] = {"limit": limit}
        for _ in range(100):
            response = self.http.get("/batches", params=query)
            if response.status_code != 200:
                continue
            page = response.json()
            new = [item["id"] for item in page["data"] if item["id"] not in ids]
            ids += [item["id"] for item in page["data"]] if trusting else new
            ended = not page.get("has_more") if trusting else not (new or page.get("has_more"))
            if ended or (not new and page["data"]):
                break
            query["after"] = page.get("last_id") or ids[-1]
        return ids


@contextmanager
def account(name: str, age: float = 0.0) -> Iterator[Account]:
    with (
        HostileServer(listing=LISTS[name], patience=PATIENCE) as server,
        httpx.Client(base_url=server.base_url, trust_env=False, verify=CONTEXT) as http,
    ):
        opened = Account(server, http)
        opened.age(age)
        yield opened


def named(*texts: str) -> list[str]:
    """The lists whose names contain one of these."""
    return [name for name in LISTS if any(text in name for text in texts)]


HONEST = [listing for listing in LISTS.values() if listing.honest]


@pytest.mark.parametrize("listing", HONEST, ids=lambda listing: listing.name)
@pytest.mark.parametrize("limit", [10, 100])
def test_an_honest_list_is_whole(listing: Listing, limit: int) -> None:
    """A walk that trusts has_more and last_id sees each batch once, at the full patience."""
    with account(listing.name, age=1.0) as opened:
        opened.page(limit=1)  # the first answer of some lacks the new batch

        walked = opened.walk(limit=limit)
        existing = [batch.id for batch in opened.server.store.existing()]

    others = {batch.id for batch in opened.server.store.foreign}
    assert sorted({*walked} - others) == sorted({*existing} - others)
    assert len(walked) == len({*walked})


@pytest.mark.parametrize("listing", LISTS.values(), ids=LISTS)
def test_what_is_shown(listing: Listing) -> None:
    """A walk at the full patience reaches the new batch if the table says so, and only then."""
    with account(listing.name, age=WITHIN) as opened:
        walks = [opened.walk(trusting=False) for _ in range(4)]

    assert any(opened.new.id in walk for walk in walks) == listing.shown
    assert listing.shows(0.0) == listing.shown
    assert not (listing.honest and listing.history and not listing.shown)


@pytest.mark.parametrize(
    "listing",
    [listing for listing in LISTS.values() if not listing.shown],
    ids=lambda listing: listing.name,
)
def test_a_deceptive_list_looks_complete(listing: Listing) -> None:
    """Where the new batch is not shown, only a list marked as deceptive says that it is whole."""
    with account(listing.name, age=WITHIN) as opened:
        if listing.every == 1:
            looks_whole = opened.http.get("/batches").status_code == 200
        else:
            seen = opened.walk(trusting=False)
            page = opened.page(limit=100, after=seen[-1])
            looks_whole = not page["has_more"]

    assert looks_whole == listing.deceptive


@pytest.mark.parametrize("name", named("lag"))
def test_lags(name: str) -> None:
    """The new batch is missing before the lag, and there after it."""
    listing = LISTS[name]
    lag = max(listing.lag, listing.replica_lag or 0.0)
    with account(name, age=lag - 0.01) as opened:
        before = [opened.new.id in opened.walk() for _ in range(4)]
        opened.age(0.02)
        after = [opened.new.id in opened.walk() for _ in range(4)]

    assert False in before
    assert (True in before) == (listing.replica_lag is not None)
    assert after == [True] * 4


@pytest.mark.parametrize("name", ["never-shows-it", "lag-beyond-the-patience"])
def test_what_is_never_shown_exists(name: str) -> None:
    """The list has the older batches only; the batch can be retrieved."""
    with account(name, age=5.0) as opened:
        walked = opened.walk()
        retrieved = opened.http.get(f"/batches/{opened.new.id}")

    assert walked == [batch.id for batch in opened.server.store.old]
    assert retrieved.json() == opened.new.as_dict()


@pytest.mark.parametrize("name", LISTS)
def test_orders_and_sizes(name: str) -> None:
    """The order and the number of older batches are those of the name."""
    listing = LISTS[name]
    size = re.fullmatch(r"(newest-first|oldest-first|unordered)-(\d+)", name)
    with account(name, age=NEVER) as opened:
        opened.http.get("/batches")
        times = {batch.id: batch.created_at for batch in opened.server.store.existing()}
        walked = [] if name == "always-503" else opened.walk(trusting=False)
    shown = [times[one] for one in walked if one in times]

    if size:
        assert listing.history == int(size[2])
    if "oldest" in name:
        assert shown == sorted(shown)
    elif "unordered" in name:
        assert shown != sorted(shown)
        assert shown != sorted(shown, reverse=True) or len(shown) < 5
        assert walked == opened_again(name)
    else:
        assert shown == sorted(shown, reverse=True)


def opened_again(name: str) -> list[str]:
    with account(name, age=NEVER) as opened:
        return opened.walk(trusting=False)


@pytest.mark.parametrize(
    ("name", "limit", "items"),
    [
        ("newest-first-137", 7, 7),
        ("newest-first-137", 100, 100),
        ("newest-first-3", 100, 4),
        ("empty-account", 100, 1),
        ("capped-at-20", 7, 7),
        ("capped-at-20", 100, 20),
        ("oldest-first-capped-at-20", 100, 20),
        ("limit-ignored-whole-list", 7, 138),
        ("newest-window-of-25", 100, 25),
        ("oldest-window-of-25-never-shows-it", 100, 25),
    ],
)
def test_limits(name: str, limit: int, items: int) -> None:
    """A page has as many batches as the name says."""
    with account(name) as opened:
        page = opened.page(limit=limit)

    assert len(page["data"]) == items


@pytest.mark.parametrize("name", [name for name in LISTS if name != "always-503"])
def test_the_fields_of_a_page(name: str) -> None:
    """has_more, last_id and after are as the name says, and otherwise true."""
    with account(name, age=1.0) as opened:
        first = opened.page(limit=10)
        last = first["data"][-1]["id"] if first["data"] else None
        second = opened.page(limit=10, after=last) if last else {"data": []}

    ids, whole = [item["id"] for item in first["data"]], LISTS[name].history < 10
    whole |= name == "limit-ignored-whole-list"
    expected_more = {"has-more-missing": None}.get(name, not whole and "always-false" not in name)
    assert first.get("has_more") == expected_more
    assert first.get("last_id") == (None if name == "last-id-missing" else last)
    assert ("last_id" in first) == (name != "last-id-missing")
    assert first["first_id"] == (ids[0] if ids else None)
    if name.endswith("after-ignored"):
        assert [item["id"] for item in second["data"]] == ids
    else:
        assert not {*ids} & {item["id"] for item in second["data"]}


@pytest.mark.parametrize("name", named("an-empty-page"))
def test_an_empty_page(name: str) -> None:
    """The second page is empty and names a last_id, after which the list goes on."""
    with account(name) as opened:
        first = opened.page(limit=100)
        second = opened.page(limit=100, after=first["last_id"])
        third = opened.page(limit=100, after=second["last_id"])

    assert (second["data"], second["has_more"]) == ([], True)
    assert len(third["data"]) == 20


@pytest.mark.parametrize(
    ("name", "shown", "retrieved"),
    [
        ("newest-first-20", {"description": "d", "token": "abc"}, True),
        ("metadata-absent", "absent", True),
        ("metadata-null", None, True),
        ("metadata-empty", {}, True),
        ("metadata-known-keys-only", {"description": "d"}, True),
        ("metadata-upper-case", {"DESCRIPTION": "D", "TOKEN": "ABC"}, True),
        ("metadata-nowhere", "absent", False),
        ("items-without-input-file-id", {"description": "d", "token": "abc"}, True),
        ("items-without-input-file-id-and-metadata", "absent", True),
    ],
)
def test_items(name: str, shown: Any, retrieved: bool) -> None:
    """An item of the list shows the metadata and the input file that the name leaves it."""
    with account(name) as opened:
        item = opened.page(limit=1)["data"][0]
        whole = opened.http.get(f"/batches/{opened.new.id}").json()

    assert item.get("metadata", "absent") == shown
    assert (whole.get("metadata") == opened.new.metadata) == retrieved
    assert item.get("input_file_id") == (None if "input-file-id" in name else opened.file_id)
    assert whole["input_file_id"] == opened.file_id


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("clock-an-hour-ahead", 3600), ("clock-an-hour-behind", -3600), ("newest-first-20", 0)],
)
def test_clocks(name: str, seconds: int) -> None:
    """Files and batches bear the times of the service's clock; older batches are hours older."""
    with account(name) as opened, account("newest-first-20") as plain:
        uploaded = opened.server.store.files[opened.file_id]["createdAt"]
        here = plain.server.store.files[plain.file_id]["createdAt"]
        times = [item["created_at"] for item in opened.page(limit=100)["data"]]

    assert abs(uploaded - here - seconds) <= 2
    assert abs(times[0] - uploaded) <= 1
    assert times[0] - times[1] > 3600


def test_an_old_batch_is_missing_once() -> None:
    """The second answer lacks the newest older batch; the first and the third have it."""
    with account("an-old-batch-is-missing-once") as opened:
        pages = [opened.page(limit=100)["data"] for _ in range(3)]

    old = opened.server.store.old[0].id
    assert [old in [item["id"] for item in page] for page in pages] == [True, False, True]


def test_the_new_batch_is_missing_once() -> None:
    """The first answer lacks the new batch; the others have it."""
    with account("the-new-batch-is-missing-in-the-first-answer") as opened:
        pages = [opened.page(limit=100)["data"] for _ in range(3)]

    assert [opened.new.id == page[0]["id"] for page in pages] == [False, True, True]


def test_two_replicas() -> None:
    """Half of the answers lack the new batch, and never in a rhythm that a walk could share."""
    with account("every-second-answer-never-shows-it", age=1.0) as opened:
        shown = [opened.new.id == opened.page(limit=1)["data"][0]["id"] for _ in range(32)]

    assert 15 <= shown.count(True) <= 17
    assert all(True in shown[start::step][:3] for step in (1, 2) for start in range(4))


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("one-answer-in-three-is-503", [200, 200, 503, 200, 200, 503]),
        ("one-answer-in-three-is-429", [200, 200, 429, 200, 200, 429]),
        ("always-503", [503] * 6),
    ],
)
def test_failures(name: str, statuses: list[int]) -> None:
    """Some answers are replaced by an error."""
    with account(name) as opened:
        received = [opened.http.get("/batches").status_code for _ in range(6)]

    assert received == statuses


@pytest.mark.parametrize("name", named("others-create-meanwhile"))
def test_others(name: str) -> None:
    """With each answer another program has made one more batch, of a file of its own."""
    with account(name) as opened:
        sizes = [len(opened.page(limit=100)["data"]) for _ in range(3)]

    assert sizes == [22, 23, 24]
    assert opened.file_id not in {batch.input_file_id for batch in opened.server.store.foreign}
