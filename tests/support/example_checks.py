"""
Checks like the suite's own: plain functions of exchanges and JSON values.

A script must cope with any line in their source, even one that could end its here-document:
END-0
"""

import hashlib
import json
from typing import Any

from siliconflow_batch_conformance.checks.exchange import Exchange


def status_is(response: Exchange, *expected: int) -> str | None:
    return None if response.status in expected else f"{response.status} {response.text[:300]}"


def starts_after(page: Exchange, created: list[Exchange], index: int) -> str | None:
    """The page starts after the batch created at `index`; the newest batch comes first."""
    expected = [one.json["id"] for one in created[:index]][::-1]
    actual = [batch["id"] for batch in page.json["data"]][: len(expected)]
    return None if actual == expected else f"{actual}, not {expected}"


def lists_ids(page: Exchange, ids: list[str]) -> str | None:
    actual = [batch["id"] for batch in page.json["data"]]
    return None if actual == ids else f"{actual}, not {ids}"


def does_not_list(page: Exchange, created: Exchange) -> str | None:
    ids = [batch["id"] for batch in page.json["data"]]
    return f"{created.json['id']} is listed" if created.json["id"] in ids else None


def has_every_line(output: Exchange, custom_ids: list[str]) -> str | None:
    actual = sorted(json.loads(row)["custom_id"] for row in output.body.splitlines())
    return None if actual == custom_ids else f"{actual}, not {custom_ids}"


def ends_with_status(history: list[Exchange], status: str) -> str | None:
    if not all(one.awaited for one in history[1:]):
        raise LookupError("these responses were not awaited")
    statuses = [one.json["status"] for one in history]
    return None if statuses[-1] == status else f"the statuses were {statuses}"


def is_unchanged(before: Exchange, after: Exchange) -> str | None:
    names = ("status", "cancelling_at", "cancelled_at")
    old, new = ([one.json[name] for name in names] for one in (before, after))
    return None if old == new else f"{old} became {new}"


def is_rejected(creation: Exchange, end: Exchange | None) -> str | None:
    if creation.status == 400 or (end is not None and end.json["status"] == "failed"):
        return None
    return f"accepted: {creation.text}"


def is_rejected_or_fails(history: list[Exchange]) -> str | None:
    statuses = [one.json.get("status") for one in history]
    if history[0].status == 400 or "failed" in statuses:
        return None
    return f"the statuses were {statuses}"


def has_filename(upload: Exchange, name: str) -> str | None:
    filename = upload.json["data"]["filename"]
    return None if filename == name else f"{filename!r}, not {name!r}"


def has_digest_and_status(content: Exchange, sha256: str, status: int) -> str | None:
    """Raises if the content differs, and compares the status only."""
    if hashlib.sha256(content.body).hexdigest() != sha256:
        raise LookupError(f"other bytes: {content.body!r}")
    return None if content.status == status else f"{content.status}"


def keeps_metadata(response: Exchange, metadata: dict[str, Any]) -> str | None:
    if response.request_json["metadata"] != metadata:
        raise LookupError(f"other metadata was sent: {response.request_json}")
    actual = response.json["metadata"]
    return None if actual == metadata else f"{actual}"


def has_current_created_at(creation: Exchange) -> str | None:
    difference = abs(creation.json["created_at"] - creation.at)
    return (
        None if difference < 86_400 else f"created_at differs from {creation.at} by {difference} s"
    )


def has_more_is_true(page: Exchange) -> str | None:
    return None if page.json["has_more"] is True else page.text
