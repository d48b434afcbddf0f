"""GET /batches: pages, their order and their ends."""

from typing import Any

import pytest

from .requirements import expect, requirement
from .target import Target

OUT_OF_RANGE = ["0", "-1", "-100"]
NOT_NUMBERS = ["ten", "", "1.5", "1e2", "0x10", "null", "١٠"]

Page = dict[str, Any]


def ids(page: Page) -> list[str]:
    return [batch["id"] for batch in page["data"]]


def walk(target: Target, limit: int, until: str) -> list[Page]:
    """The pages from the newest batch to the one named, at most a hundred of them."""
    pages = [target.page(limit=limit)]
    while until not in ids(pages[-1]) and pages[-1]["has_more"] and len(pages) < 100:
        pages.append(target.page(limit=limit, after=pages[-1]["last_id"]))
    return pages


@requirement("LIST-1")
def test_first_and_last(target: Target, listed: list[str]) -> None:
    """The page says where it begins and ends."""
    page = target.page(limit=3)

    ends = (page["first_id"], page["last_id"])
    expect(ends == (ids(page)[0], ids(page)[-1]), f"the ends of {ids(page)}", ends)


@requirement("LIST-2")
def test_newest_first(target: Target, input_file: str, listed: list[str]) -> None:
    """Who was created last is listed first."""
    created = [target.batch(input_file)["id"] for _ in range(3)]

    found = ids(target.page(limit=3))
    expect(found == created[::-1], f"{created[::-1]}", found)


@requirement("LIST-3")
def test_after(target: Target, listed: list[str]) -> None:
    """The second page begins where the first one ended, without repeating its last batch."""
    both = ids(target.page(limit=4))

    behind = ids(target.page(limit=2, after=both[1]))
    expect(behind == both[2:], f"the page behind {both[1]} is {both[2:]}", behind)


@requirement("LIST-4")
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_limit(target: Target, listed: list[str], limit: int) -> None:
    """No page is longer than asked for; with more to come, none is shorter."""
    found = ids(target.page(limit=limit))

    expect(len(found) == limit, f"{limit} batches", found)


@requirement("LIST-5")
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_walk(target: Target, listed: list[str], limit: int) -> None:
    """Going from page to page meets every batch, and none twice."""
    met = [id for page in walk(target, limit, listed[0]) for id in ids(page)]

    expect(len(met) == len(set(met)), "no batch twice", met)
    missing = set(listed) - set(met)
    expect(not missing, "every batch that was created", f"missing: {missing}")


@requirement("LIST-6")
def test_has_more(target: Target, listed: list[str]) -> None:
    """There is more as long as there is, and at the very end there is not."""
    first = target.page(limit=1)
    expect(first["has_more"] is True, "has_more true with five batches and a limit of 1", first)

    page = first
    for _ in range(100):
        if page["has_more"] is not True:
            break
        page = target.page(limit=1000, after=page["last_id"])
        expect(bool(page["data"]), "a batch behind a page with has_more", page)
    expect(page["has_more"] is False, "has_more false in the end", page["has_more"])


@requirement("LIST-6")
def test_exact_end(target: Target, listed: list[str]) -> None:
    """A page that ends with the last batch of all says so."""
    walked = target.page(limit=1000)
    for _ in range(100):
        if not walked["has_more"]:
            break
        walked = target.page(limit=1000, after=walked["last_id"])
    tail = ids(walked)[-2:]
    if len(tail) < 2:
        pytest.skip("the last page has one batch; the exact end cannot be cut out of it")

    page = target.page(limit=1, after=tail[0])

    expect(page["has_more"] is False, f"has_more false behind {tail[0]}", page["has_more"])


@requirement("LIST-7")
@pytest.mark.parametrize("limit", OUT_OF_RANGE)
def test_limit_below_one(target: Target, limit: str) -> None:
    """Less than one batch cannot be asked for."""
    answer = target.request("GET", "/batches", params={"limit": limit})

    expect(answer.status_code == 400, f"400 for {limit}", f"{answer.status_code} {answer.text}")


@requirement("LIST-8")
@pytest.mark.parametrize("limit", NOT_NUMBERS)
def test_limit_no_number(target: Target, limit: str) -> None:
    """A limit is a whole number."""
    answer = target.request("GET", "/batches", params={"limit": limit})

    expect(answer.status_code == 400, f"400 for {limit!r}", f"{answer.status_code} {answer.text}")


@requirement("LIST-9")
def test_like_retrieved(target: Target, completed: dict[str, Any]) -> None:
    """List and retrieve tell the same of a finished batch."""
    pages = walk(target, 100, completed["id"])
    entries = [batch for page in pages for batch in page["data"] if batch["id"] == completed["id"]]

    expect(len(entries) == 1, "one entry", entries)
    differing = {name for name in completed if entries[0].get(name) != completed[name]}
    # A download URL may be signed anew for each answer.
    differing -= {"output_file_id", "error_file_id"}
    shown = {name: (entries[0].get(name), completed[name]) for name in differing}
    expect(not differing, "the same in list and retrieve", shown)


@requirement("LIST-10")
def test_file_name(target: Target) -> None:
    """The list tells which file a batch was made of."""
    batch = target.batch(target.input_file(target.line(), name="named.jsonl"))

    (entry,) = [entry for entry in target.page(limit=5)["data"] if entry["id"] == batch["id"]]
    expect(entry.get("file_name") == "named.jsonl", "'named.jsonl'", entry.get("file_name"))


@requirement("LIST-11")
def test_unknown_after(target: Target, listed: list[str]) -> None:
    """An unknown place in the list does not lead back to its beginning."""
    answer = target.request("GET", "/batches", params={"after": "batch_thereisnone"})

    refused = answer.status_code in (400, 404)
    empty = answer.status_code == 200 and not answer.json().get("data")
    expect(refused or empty, "400, 404 or an empty page", f"{answer.status_code} {answer.text}")
