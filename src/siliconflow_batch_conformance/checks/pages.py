"""
Checks of pages: of one alone, and of those of a walk.

A walk is a list of pages, each but the first asked for with the last id of the one before as
`after`; `created` are the answers to creations, oldest first.
Rule: nothing but `exchange` and the standard library (see there).
"""

from .exchange import Exchange, batches


def ids(page: Exchange) -> list[str]:
    data = page.json.get("data") if isinstance(page.json, dict) else None
    items = data if isinstance(data, list) else []
    return [str(item.get("id")) for item in items if isinstance(item, dict)]


def names_its_ends(page: Exchange) -> str | None:
    """first_id and last_id: the ids of the first and the last batch of the page"""
    if page.status != 200:
        return None
    found = ids(page)
    ends = (found[0], found[-1]) if found else (None, None)
    said = (page.json.get("first_id") or None, page.json.get("last_id") or None)
    return None if said == ends else f"first_id, last_id {said}, and the page is {found}"


def keeps_to_its_limit(page: Exchange) -> str | None:
    """at most `limit` batches"""
    limit, found = page.query.get("limit", ""), ids(page)
    return f"{len(found)} batches" if limit.isdecimal() and len(found) > int(limit) else None


def repeats_nothing(page: Exchange) -> str | None:
    """each batch once in a page"""
    found = ids(page)
    return None if len(set(found)) == len(found) else f"{found}"


def is_newest_first(page: Exchange) -> str | None:
    """the newest batch first"""
    times = [batch.get("created_at") for batch in batches(page).values()]
    known = [time for time in times if type(time) is int]
    return None if known == sorted(known, reverse=True) else f"created_at {known}"


def begins_behind(page: Exchange) -> str | None:
    """a page with `after`: behind the batch that it names"""
    return f"{ids(page)}" if page.query.get("after") in ids(page) else None


def tells_of_more(page: Exchange, behind: Exchange) -> str | None:
    """has_more exactly where another page follows"""
    more = page.json.get("has_more")
    return None if more is bool(ids(behind)) else f"has_more {more}, and behind it {ids(behind)}"


def holds_every_batch(pages: list[Exchange], created: list[Exchange]) -> str | None:
    """every batch once, the newest first"""
    found = [id for page in pages for id in ids(page)]
    made = [id for answer in reversed(created) for id in batches(answer)]
    ours = [id for id in found if id in set(made)]
    return None if ours == made else f"{ours}, and {made} were made"


def holds_both(page: Exchange, created: list[Exchange]) -> str | None:
    """both of two creations, under ids of their own"""
    made = [id for answer in created for id in batches(answer)]
    missing = [id for id in made if id not in ids(page)]
    return f"{made} in {ids(page)}" if missing or len(set(made)) < len(made) else None


def holds_one(page: Exchange, marked: dict[str, str], number: int) -> str | None:
    """as many batches with these notes as creations were taken"""
    (name, note), *_ = marked.items()
    found = [
        id for id, batch in batches(page).items() if (batch.get("metadata") or {}).get(name) == note
    ]
    return None if len(found) == number else f"{len(found)} batches with {marked}: {found}"


def is_the_rest(page: Exchange, whole: Exchange) -> str | None:
    """what stands behind the named batch in a longer page, as far as the limit goes"""
    everything, after = ids(whole), page.query.get("after", "")
    begin = everything.index(after) + 1 if after in everything else 0
    expected = everything[begin : begin + int(page.query["limit"])]
    return None if ids(page) == expected else f"{ids(page)}, and behind {after} are {expected}"


def is_empty(page: Exchange) -> str | None:
    """a refusal, or an empty page"""
    if page.status != 200:
        return None if 400 <= page.status < 500 else f"{page.status} {page.text[:200]}"
    return f"{ids(page)}" if ids(page) else None


def is_as_long_as(page: Exchange, created: list[Exchange]) -> str | None:
    """as many batches as the limit allows and were created"""
    limit, made = int(page.query["limit"]), len([one for one in created if batches(one)])
    found = ids(page)
    return None if min(limit, made) <= len(found) <= limit else f"{len(found)} batches"


def names_its_file(page: Exchange, created: Exchange, name: str) -> str | None:
    """with a batch, the name of its input file"""
    for id in batches(created):
        found = batches(page).get(id, {}).get("file_name")
        if found != name:
            return f"file_name {found!r}, not {name!r}"
    return None


def is_the_same(page: Exchange, again: Exchange) -> str | None:
    """the same batches in the same order"""
    return None if ids(page) == ids(again) else f"{ids(page)}, then {ids(again)}"


def repeats_no_file(listing: Exchange) -> str | None:
    """each file once"""
    found = _listed(listing)
    return None if len(set(found)) == len(found) else f"{found}"


def has_files(listing: Exchange, number: int) -> str | None:
    """as many files as asked for"""
    found = _listed(listing)
    return None if len(found) == number else f"{len(found)} files"


def leaves_out(listing: Exchange, foreign: list[Exchange]) -> str | None:
    """nothing of another account's"""
    theirs = {str(item) for answer in foreign for item in _issued(answer)}
    seen = [id for id in _listed(listing) if id in theirs]
    return f"{seen}" if seen else None


def _issued(answer: Exchange) -> list[object]:
    body = answer.json if isinstance(answer.json, dict) else {}
    data = body.get("data")
    return [body.get("id"), data.get("id") if isinstance(data, dict) else None]


def _listed(listing: Exchange) -> list[str]:
    body = listing.json if isinstance(listing.json, dict) else {}
    data = body.get("data")
    rows = data.get("data") if isinstance(data, dict) else data
    return [str(row.get("id")) for row in rows or [] if isinstance(row, dict)]
