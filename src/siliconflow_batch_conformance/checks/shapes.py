"""
Checks of one answer as it came: its status, its media type, its JSON, the shape of its body.

A check gets exchanges and JSON values, and returns what is wrong, or None; its docstring is what
was expected.

Rule 1: nothing but `exchange` and the standard library (see there).
Rule 2: a check that is about one kind of answer says nothing of another kind.
"""

import json
from typing import Any

from .exchange import Exchange, batches, files

STRING, INTEGER, BOOLEAN, LIST, OBJECT, NULL = str, int, bool, list, dict, type(None)
TIME = (INTEGER, NULL)
BATCH: dict[str, tuple[type, ...]] = {
    "id": (STRING,),
    "object": (STRING,),
    "endpoint": (STRING,),
    "errors": (LIST, NULL),
    "input_file_id": (STRING,),
    "completion_window": (STRING,),
    "status": (STRING,),
    "output_file_id": (STRING, NULL),
    "error_file_id": (STRING, NULL),
    "created_at": (INTEGER,),
    "in_progress_at": TIME,
    "expires_at": (INTEGER,),
    "completed_at": TIME,
    "failed_at": TIME,
    "expired_at": TIME,
    "request_counts": (OBJECT, NULL),
    "metadata": (OBJECT, NULL),
}
# Declared, and missing in examples of the documents.
BATCH_MAY: dict[str, tuple[type, ...]] = {
    "finalizing_at": TIME,
    "cancelling_at": TIME,
    "cancelled_at": TIME,
    "file_name": (STRING, NULL),
}
UPLOADED: dict[str, tuple[type, ...]] = {
    "id": (STRING,),
    "object": (STRING,),
    "bytes": (INTEGER,),
    "createdAt": (INTEGER,),
    "filename": (STRING,),
    "purpose": (STRING,),
}
LISTED: dict[str, tuple[type, ...]] = {
    "id": (STRING,),
    "object": (STRING,),
    "bytes": (INTEGER,),
    "created_at": (INTEGER,),
    "filename": (STRING,),
    "purpose": (STRING,),
    "line_count": (INTEGER,),
}
PAGE: dict[str, tuple[type, ...]] = {
    "object": (STRING,),
    "data": (LIST,),
    "first_id": (STRING, NULL),
    "last_id": (STRING, NULL),
    "has_more": (BOOLEAN,),
}
ENVELOPE: dict[str, tuple[type, ...]] = {
    "code": (INTEGER,),
    "message": (STRING,),
    "status": (BOOLEAN,),
    "data": (OBJECT,),
}
ERROR: dict[str, tuple[type, ...]] = {
    "code": (INTEGER, NULL),
    "message": (STRING,),
    "data": (STRING, NULL),
}


def status_is(answer: Exchange, *expected: int) -> str | None:
    """a status among those given"""
    return None if answer.status in expected else _said(answer)


def status_is_documented(answer: Exchange, documented: list[int]) -> str | None:
    """a status that the documents name for this operation"""
    return None if answer.status in documented else _said(answer)


def is_refused(answer: Exchange) -> str | None:
    """400 (or 404, where something that was named is not there)"""
    return None if answer.status in (400, 404) else _said(answer)


def is_strict_json(answer: Exchange) -> str | None:
    """JSON in UTF-8, no key twice, no NaN"""
    if answer.status not in (200, 400):
        return None
    try:
        json.loads(answer.body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return f"{error}: {answer.text[:300]}"
    return None


def is_labelled_json(answer: Exchange) -> str | None:
    """Content-Type: application/json"""
    if answer.status not in (200, 400):
        return None
    label = answer.headers.get("content-type", "none")
    return None if label.partition(";")[0].strip().lower() == "application/json" else label


def has_a_true_length(answer: Exchange) -> str | None:
    """a Content-Length, where there is one, of as many bytes as came"""
    told = answer.headers.get("content-length")
    coded = "content-encoding" in answer.headers or answer.method == "HEAD"
    if told is None or coded or told == str(len(answer.body)):
        return None
    return f"Content-Length {told}, and {len(answer.body)} bytes"


def names_what_is_allowed(answer: Exchange) -> str | None:
    """the methods that are allowed, in Allow"""
    return None if answer.headers.get("allow", "").strip() else f"{answer.status} without Allow"


def is_a_string(answer: Exchange) -> str | None:
    """a body that is a string, not an object"""
    return _said(answer) if answer.text.lstrip().startswith(("{", "[")) else None


def is_an_error_body(answer: Exchange) -> str | None:
    """an object with code, a message in words, and data"""
    if answer.status != 400:
        return None
    wrong = _misfits(answer.json, ERROR)
    return wrong or (None if answer.json["message"].strip() else "the message is empty")


def is_a_batch(answer: Exchange) -> str | None:
    """a batch: every documented field, of its type"""
    if answer.status != 200:
        return None
    return _batch_misfits(answer.json)


def is_a_page(answer: Exchange) -> str | None:
    """a page: object "list", data, first_id, last_id, has_more; every item a batch"""
    if answer.status != 200:
        return None
    wrong = _misfits(answer.json, PAGE) or _is(answer.json, "object", "list")
    if wrong:
        return wrong
    return next(filter(None, map(_batch_misfits, answer.json["data"])), None)


def is_an_upload(answer: Exchange) -> str | None:
    """an envelope with code 20000 and status true, and the file in data"""
    if answer.status != 200:
        return None
    return _envelope_misfits(answer.json) or _misfits(answer.json["data"], UPLOADED)


def is_a_file_list(answer: Exchange) -> str | None:
    """an envelope with code 20000 and status true, and in its data a list of files"""
    if answer.status != 200:
        return None
    wrong = _envelope_misfits(answer.json)
    wrong = wrong or _misfits(answer.json["data"], {"data": (LIST,), "object": (STRING,)})
    if wrong:
        return wrong
    return next(
        filter(None, (_misfits(file, LISTED) for file in answer.json["data"]["data"])), None
    )


def objects_are_named(answer: Exchange) -> str | None:
    """object "batch" for a batch, "file" for a file, and purpose "batch" """
    for batch in batches(answer).values():
        if wrong := _is(batch, "object", "batch"):
            return wrong
    for file in files(answer).values():
        if wrong := _is(file, "object", "file") or _is(file, "purpose", "batch"):
            return wrong
    return None


def _said(answer: Exchange) -> str:
    return f"{answer.status} {answer.text[:300]}"


def _is(body: dict[str, Any], name: str, expected: str) -> str | None:
    found = body.get(name)
    return None if found == expected else f"{name} {found!r}, not {expected!r}"


def _misfits(body: Any, shape: dict[str, tuple[type, ...]]) -> str | None:
    if not isinstance(body, dict):
        return f"no object: {str(body)[:200]}"
    for name, types in shape.items():
        if name not in body:
            return f"{name} is missing: {str(body)[:200]}"
        if type(body[name]) not in types:
            return f"{name} is {body[name]!r}"
    return None


def _batch_misfits(body: Any) -> str | None:
    if wrong := _misfits(body, BATCH):
        return wrong
    optional = {name: types for name, types in BATCH_MAY.items() if name in body}
    if wrong := _misfits(body, optional):
        return wrong
    counts = body["request_counts"] or {}
    if any(type(number) is not int for number in counts.values()):
        return f"request_counts {counts}"
    if any(not isinstance(error, str) for error in body["errors"] or []):
        return f"errors {body['errors']}"
    return None


def _envelope_misfits(body: Any) -> str | None:
    if wrong := _misfits(body, ENVELOPE):
        return wrong
    said = (body["code"], body["status"])
    return None if said == (20000, True) else f"code {said[0]}, status {said[1]}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} stands twice")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
