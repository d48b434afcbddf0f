"""
Checks as the suite's own are: plain functions of exchanges and JSON values.

A source may hold any line, that which ends a here-document too:
END-0
"""

import hashlib
import json
from typing import Any

from siliconflow_batch_conformance.checks.exchange import Exchange


def status_is(answer: Exchange, *expected: int) -> str | None:
    return None if answer.status in expected else f"{answer.status} {answer.text[:300]}"


def begins_behind(page: Exchange, created: list[Exchange], place: int) -> str | None:
    """The newest is first; the page begins behind the batch that was created at a place."""
    expected = [one.json["id"] for one in created[:place]][::-1]
    found = [batch["id"] for batch in page.json["data"]][: len(expected)]
    return None if found == expected else f"{found} where {expected} were due"


def lists(page: Exchange, ids: list[str]) -> str | None:
    found = [batch["id"] for batch in page.json["data"]]
    return None if found == ids else f"{found}, not {ids}"


def lists_without(page: Exchange, created: Exchange) -> str | None:
    found = [batch["id"] for batch in page.json["data"]]
    return f"{created.json['id']} is listed" if created.json["id"] in found else None


def is_whole(output: Exchange, wanted: list[str]) -> str | None:
    found = sorted(json.loads(row)["custom_id"] for row in output.body.splitlines())
    return None if found == wanted else f"{found}, not {wanted}"


def ends_as(history: list[Exchange], status: str) -> str | None:
    if not all(one.awaited for one in history[1:]):
        raise LookupError("nobody waited for these answers")
    found = [one.json["status"] for one in history]
    return None if found[-1] == status else f"the statuses were {found}"


def unmoved(before: Exchange, after: Exchange) -> str | None:
    names = ("status", "cancelling_at", "cancelled_at")
    then, now = ([one.json[name] for name in names] for one in (before, after))
    return None if then == now else f"{then} became {now}"


def refused(creation: Exchange, end: Exchange | None) -> str | None:
    if creation.status == 400 or (end is not None and end.json["status"] == "failed"):
        return None
    return f"taken: {creation.text}"


def refused_some_day(history: list[Exchange]) -> str | None:
    said = [one.json.get("status") for one in history]
    return None if history[0].status == 400 or "failed" in said else f"the statuses were {said}"


def named(upload: Exchange, name: str) -> str | None:
    found = upload.json["data"]["filename"]
    return None if found == name else f"{found!r}, not {name!r}"


def digested(content: Exchange, sha256: str, status: int) -> str | None:
    """The bytes are those that were sent, and yet the status is not."""
    found = hashlib.sha256(content.body).hexdigest()
    if found != sha256:
        raise LookupError(f"other bytes: {content.body!r}")
    return None if content.status == status else f"{content.status}"


def sent_as(answer: Exchange, metadata: dict[str, Any]) -> str | None:
    if answer.request_json["metadata"] != metadata:
        raise LookupError(f"other metadata was sent: {answer.request_json}")
    found = answer.json["metadata"]
    return None if found == metadata else f"{found}"


def created_now(creation: Exchange) -> str | None:
    away = abs(creation.json["created_at"] - creation.at)
    return None if away < 86_400 else f"created_at is {away} s away from {creation.at}"


def has_more(page: Exchange) -> str | None:
    return None if page.json["has_more"] is True else page.text
