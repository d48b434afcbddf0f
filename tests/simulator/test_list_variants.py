"""Variants of the lists of batches and files."""

from typing import Any

import pytest

from support.account import Account, json_lines, line

METADATA = {"Name": "x", "name": "7", "batch_description": "true", "n": "1.5", "id": "007"}


def batches(api: Account, number: int, **fields: Any) -> list[str]:
    """Creates batches from one file; returns their ids, oldest first."""
    file_id = api.upload(json_lines(line())).json()["data"]["id"]
    return [str(api.create(file_id, **fields).json()["id"]) for _ in range(number)]


def page(api: Account, **query: Any) -> dict[str, Any]:
    return dict(api.http.get("batches", params=query).json())


def ids(page: dict[str, Any]) -> list[str]:
    return [batch["id"] for batch in page["data"]]


def walk(api: Account, limit: int) -> list[str]:
    """The ids on all pages."""
    current = page(api, limit=limit)
    collected = ids(current)
    while current["has_more"]:
        current = page(api, limit=limit, after=current["last_id"])
        collected += ids(current)
    return collected


class TestOrder:
    def test_the_oldest_batch_first(self, api: Account) -> None:
        """Pages follow the order of creation."""
        created = batches(api, 5)
        api.simulator.faults.add("list-oldest-first")

        assert walk(api, 2) == walk(api, 100) == created

    def test_no_order(self, api: Account) -> None:
        """Each reading has the same order, which is neither that of creation nor its reverse."""
        created = batches(api, 10)
        api.simulator.faults.add("list-unordered")

        first = walk(api, 3)

        assert sorted(first) == sorted(created)
        assert first not in (created, created[::-1])
        assert walk(api, 100) == first

    def test_the_oldest_file_first(self, api: Account) -> None:
        """Files are listed in the order of their uploads, within `limit`."""
        uploaded = [api.upload(b"{}").json()["data"]["id"] for _ in range(3)]
        api.simulator.faults.add("files-oldest-first")

        body = api.http.get("files", params={"limit": 2}).json()

        assert [file["id"] for file in body["data"]["data"]] == uploaded[:2]


class TestPages:
    @pytest.mark.parametrize("query", [{}, {"limit": 1}, {"limit": "x"}, {"after": "batch_x"}])
    def test_paging_is_ignored(self, api: Account, query: dict[str, Any]) -> None:
        """The response is the whole list, whatever `limit` and `after` are."""
        created = batches(api, 25)
        api.simulator.faults.add("paging-ignored")

        whole = page(api, **query)

        assert (ids(whole), whole["has_more"]) == (created[::-1], False)

    def test_a_page_is_capped(self, api: Account) -> None:
        """A page has at most 20 batches, `has_more` is right, and `after` is honoured."""
        created = batches(api, 45)
        api.simulator.faults.add("page-capped")

        assert len(ids(page(api, limit=100))) == 20
        assert len(ids(page(api, limit=3))) == 3
        assert walk(api, 100) == created[::-1]

    @pytest.mark.parametrize(("name", "size"), [("list-default-10", 10), ("list-default-all", 25)])
    def test_the_default_size_of_a_page(self, api: Account, name: str, size: int) -> None:
        """A request without `limit` gets pages of that size; other requests get `limit`."""
        created = batches(api, 25)[::-1]
        api.simulator.faults.add(name)

        assert ids(page(api)) == created[:size]
        assert ids(page(api, limit=3)) == created[:3]
        assert ids(page(api, after=created[20])) == created[21:]

    def test_an_unknown_after_returns_an_empty_page(self, api: Account) -> None:
        """The response is a page without batches; an `after` from a page works."""
        created = batches(api, 2)
        api.simulator.faults.add("after-unknown-empty")

        empty = page(api, after="batch_x")

        assert (empty["data"], empty["has_more"]) == ([], False)
        assert ids(page(api, after=created[1])) == created[:1]


class TestMetadata:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("list-metadata-absent", "absent"),
            ("list-metadata-empty", {}),
            ("list-metadata-filtered", {"name": "7", "batch_description": "true"}),
            (
                "list-metadata-converted",
                {"Name": "x", "name": 7, "batch_description": True, "n": 1.5, "id": "007"},
            ),
        ],
    )
    def test_metadata_of_an_item(self, api: Account, name: str, expected: Any) -> None:
        """The list shows other metadata than the batch itself, which has what was sent."""
        (batch_id,) = batches(api, 1, metadata=METADATA)
        api.simulator.faults.add(name)

        (item,) = page(api)["data"]

        assert item.get("metadata", "absent") == expected
        assert api.retrieve(batch_id)["metadata"] == METADATA

    @pytest.mark.parametrize("name", ["list-metadata-filtered", "list-metadata-converted"])
    def test_a_batch_without_metadata(self, api: Account, name: str) -> None:
        """`metadata` of an item stays null if the batch has none."""
        batches(api, 1)
        api.simulator.faults.add(name)

        assert page(api)["data"][0]["metadata"] is None


class TestLag:
    @pytest.mark.parametrize(("name", "seconds"), [("list-lags", 10), ("list-lags-a-minute", 55)])
    def test_a_new_batch_is_listed_later(self, api: Account, name: str, seconds: float) -> None:
        """A new batch can be retrieved at once, but is listed only later."""
        api.simulator.faults.add(name, "GET /batches")
        (batch_id,) = batches(api, 1)

        api.advance(batch_id, seconds=seconds - 1)
        early = ids(page(api))
        api.advance(batch_id, seconds=2)

        assert (early, ids(page(api))) == ([], [batch_id])

    def test_a_lagging_list_has_full_pages(self, api: Account) -> None:
        """Batches that are not listed yet take no place on a page."""
        (older,) = batches(api, 1)
        api.advance(older, seconds=11)
        batches(api, 1)
        api.simulator.faults.add("list-lags")

        only = page(api, limit=1)

        assert (ids(only), only["has_more"]) == ([older], False)


class TestFiles:
    def test_purpose_is_required(self, api: Account) -> None:
        """The list of files is refused without `purpose`, after the key was checked."""
        api.simulator.faults.add("purpose-required")

        assert api.http.get("files").status_code == 400
        assert api.http.get("files", params={"limit": 1}).status_code == 400
        assert api.http.get("files", params={"purpose": "batch"}).status_code == 200
        assert api.http.get("files", headers={"Authorization": "Bearer x"}).status_code == 401

    def test_the_content_of_a_file_is_missing(self, api: Account) -> None:
        """Content returns 404 by id, for uploads and result files; result URLs work."""
        batch = api.advance(api.batch(line()), seconds=2)
        file_id = api.simulator.service.batches[batch["id"]].output_file_id
        api.simulator.faults.add("file-content-missing")

        for id in (batch["input_file_id"], file_id):
            assert api.http.get(f"files/{id}/content").status_code == 404
        assert [row["custom_id"] for row in api.records(batch["output_file_id"])] == ["a"]
