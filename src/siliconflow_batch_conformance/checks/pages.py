"""
Checks of pages of batches and of lists of files.

`pages` are consecutive: each was requested with the last id of the one before as `after`.
`created` are the responses to creations, the oldest first.
"""

from .exchange import Exchange, batches, listed_ids
from .listed import differ


def first_and_last_id_match(page: Exchange) -> str | None:
    """first_id and last_id equal to the ids of the first and the last batch of the page"""
    if page.status != 200:
        return None
    ids = listed_ids(page)
    ends = (ids[0], ids[-1]) if ids else (None, None)
    fields = (page.json.get("first_id") or None, page.json.get("last_id") or None)
    return None if fields == ends else f"first_id, last_id {fields}, and the page is {ids}"


def is_within_limit(page: Exchange) -> str | None:
    """at most `limit` batches"""
    limit, ids = page.query.get("limit", ""), listed_ids(page)
    return f"{len(ids)} batches" if limit.isdecimal() and len(ids) > int(limit) else None


def lists_each_batch_once(page: Exchange) -> str | None:
    """each batch once in a page"""
    ids = listed_ids(page)
    return None if len(set(ids)) == len(ids) else f"{ids}"


def is_newest_first(page: Exchange) -> str | None:
    """the newest batch first"""
    fields = [batch.get("created_at") for batch in batches(page).values()]
    times = [time for time in fields if type(time) is int]
    return None if times == sorted(times, reverse=True) else f"created_at {times}"


def leaves_out_after(page: Exchange) -> str | None:
    """a page without the batch that `after` names"""
    return f"{listed_ids(page)}" if page.query.get("after") in listed_ids(page) else None


def has_more_is_correct(page: Exchange, next_page: Exchange) -> str | None:
    """has_more true if another page follows, and false if not"""
    more, ids = page.json.get("has_more"), listed_ids(next_page)
    return None if more is bool(ids) else f"has_more {more}, and the next page is {ids}"


def pages_hold_every_batch(pages: list[Exchange], created: list[Exchange]) -> str | None:
    """every batch once, the newest first"""
    ids = [id for creation in reversed(created) for id in batches(creation)]
    listed = [id for page in pages for id in listed_ids(page) if id in ids]
    return differ(listed, ids)


def lists_both_batches(page: Exchange, created: list[Exchange]) -> str | None:
    """the batches of both creations, with different ids"""
    ids = [id for creation in created for id in batches(creation)]
    missing = [id for id in ids if id not in listed_ids(page)]
    return f"{ids} in {listed_ids(page)}" if missing or len(set(ids)) < len(ids) else None


def lists_batches_with_metadata(
    page: Exchange, metadata: dict[str, str], number: int
) -> str | None:
    """as many batches with this metadata as creations were accepted"""
    (key, value), *_ = metadata.items()
    ids = [
        id for id, batch in batches(page).items() if (batch.get("metadata") or {}).get(key) == value
    ]
    return None if len(ids) == number else f"{len(ids)} batches with {metadata}: {ids}"


def continues_after(page: Exchange, longer: Exchange) -> str | None:
    """the batches that follow `after` in a longer page, up to the limit"""
    ids, after = listed_ids(longer), page.query.get("after", "")
    start, limit = ids.index(after) + 1 if after in ids else 0, int(page.query["limit"])
    expected, actual = ids[start : start + limit], listed_ids(page)
    if longer.json.get("has_more") and actual[: len(expected)] == expected:
        return None  # what follows the longer page is unknown
    return differ(actual, expected)


def is_refused_or_empty(page: Exchange) -> str | None:
    """a refusal (4xx), or an empty page"""
    if page.status != 200:
        return None if 400 <= page.status < 500 else f"{page.status} {page.text[:200]}"
    return f"{listed_ids(page)}" if listed_ids(page) else None


def is_filled_to_limit(page: Exchange, created: list[Exchange]) -> str | None:
    """as many batches as the limit allows and exist"""
    limit, existing = int(page.query["limit"]), len([one for one in created if batches(one)])
    ids = listed_ids(page)
    return None if min(limit, existing) <= len(ids) <= limit else f"{len(ids)} batches"


def shows_file_name(page: Exchange, created: Exchange, name: str) -> str | None:
    """the name of its input file with the batch"""
    for id in batches(created):
        shown = batches(page).get(id, {}).get("file_name")
        if shown != name:
            return f"file_name {shown!r}, not {name!r}"
    return None


def is_the_same_page(page: Exchange, again: Exchange) -> str | None:
    """the same batches in the same order"""
    return differ(listed_ids(again), listed_ids(page))


def lists_each_file_once(listing: Exchange) -> str | None:
    """each file once"""
    ids = _all_ids(listing)
    return None if len(set(ids)) == len(ids) else f"{ids}"


def lists_number_of_files(listing: Exchange, number: int) -> str | None:
    """as many files as were requested"""
    ids = _all_ids(listing)
    return None if len(ids) == number else f"{len(ids)} files"


def lists_ten_files(listing: Exchange, uploads: int) -> str | None:
    """ten files, the documented default, if there are so many"""
    ids = _all_ids(listing)
    return None if min(uploads, 10) <= len(ids) <= 10 else f"{len(ids)} files"


def lists_no_files(listing: Exchange) -> str | None:
    """a refusal (4xx), or no files"""
    if listing.status != 200:
        return None if 400 <= listing.status < 500 else f"{listing.status} {listing.text[:200]}"
    ids = _all_ids(listing)
    return f"{len(ids)} files" if ids else None


def leaves_out_other_accounts(listing: Exchange, foreign: list[Exchange]) -> str | None:
    """no object of another account"""
    theirs = {str(id) for exchange in foreign for id in _created_ids(exchange)}
    shown = [id for id in _all_ids(listing) if id in theirs]
    return f"{shown}" if shown else None


def _created_ids(exchange: Exchange) -> list[object]:
    body = exchange.json if isinstance(exchange.json, dict) else {}
    data = body.get("data")
    return [body.get("id"), data.get("id") if isinstance(data, dict) else None]


def _all_ids(listing: Exchange) -> list[str]:
    """The ids in a page of batches or in a list of files."""
    body = listing.json if isinstance(listing.json, dict) else {}
    data = body.get("data")
    items = data.get("data") if isinstance(data, dict) else data
    return [str(item.get("id")) for item in items or [] if isinstance(item, dict)]
