"""
Checks of one response: its status, its content type, its JSON, and the fields of its body.

Rule: a check of one kind of response returns None for every other kind.
"""

import json
from typing import Any

from .exchange import DOWNLOAD_FILE, LIST_BATCHES, Exchange, batches, files

STRING, INTEGER, BOOLEAN, LIST, OBJECT, NULL = str, int, bool, list, dict, type(None)
TIME = (INTEGER, NULL)
BATCH: dict[str, tuple[type, ...]] = {
    "id": (STRING,),
    "object": (STRING,),
    "endpoint": (STRING,),
    "errors": (LIST, OBJECT, NULL),
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
REQUIRED_IN_BATCH = {name: types for name, types in BATCH.items() if NULL not in types}
# The documents declare these fields and leave them out of some examples.
OPTIONAL_IN_BATCH: dict[str, tuple[type, ...]] = {
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


def status_is(exchange: Exchange, *expected: int) -> str | None:
    """one of the statuses given"""
    return None if exchange.status in expected else _summary(exchange)


def is_accepted(exchange: Exchange) -> str | None:
    """200"""
    return None if exchange.succeeded else _summary(exchange)


def status_is_documented(exchange: Exchange, documented: list[int]) -> str | None:
    """a status that the documents name, or that any service may send"""
    # No document describes the responses of the download, which may redirect like a result URL.
    redirects = exchange.operation == DOWNLOAD_FILE and exchange.status in (301, 302, 303, 307, 308)
    is_documented = exchange.status in documented or exchange.succeeded or redirects
    return None if is_documented else _summary(exchange)


def is_refused(exchange: Exchange) -> str | None:
    """400, or 404 where the request names an unknown object"""
    return None if exchange.status in (400, 404) else _summary(exchange)


CODINGS = ("identity", "gzip", "x-gzip", "deflate", "br", "zstd")


def is_strict_json(exchange: Exchange) -> str | None:
    """JSON in UTF-8, without duplicate keys and without NaN"""
    if exchange.status not in (200, 400):
        return None
    try:
        json.loads(
            exchange.body.decode(),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        return f"{error}: {exchange.text[:300]}"
    return None


def has_json_content_type(exchange: Exchange) -> str | None:
    """Content-Type: application/json"""
    if exchange.status not in (200, 400):
        return None
    content_type = exchange.headers.get("content-type", "none")
    media_type = content_type.partition(";")[0].strip().lower()
    return None if media_type == "application/json" else content_type


def is_well_formed(exchange: Exchange) -> str | None:
    """a status line, headers, and a body that has the length and the encoding that they state"""
    if exchange.broken:
        return exchange.broken
    length = exchange.headers.get("content-length")
    if length is not None and "transfer-encoding" in exchange.headers:
        return "both Content-Length and Transfer-Encoding"
    coding = exchange.headers.get("content-encoding", "identity").strip().lower()
    if coding not in CODINGS:
        return f"Content-Encoding {coding!r}, which the request did not accept"
    differs = "content-encoding" in exchange.headers or exchange.method == "HEAD"
    if length is None or differs or length == str(len(exchange.body)):
        return None
    return f"Content-Length {length}, and the body has {len(exchange.body)} bytes"


def has_another_etag(earlier: Exchange, later: Exchange) -> str | None:
    """another ETag for another content"""
    etag = later.headers.get("etag")
    is_same = etag is not None and etag == earlier.headers.get("etag")
    return f"ETag {etag} for both" if is_same and earlier.body != later.body else None


def leaves_out_the_key(exchange: Exchange) -> str | None:
    """no key in a response"""
    return "the key of the request is in the response" if exchange.shows_key else None


def has_allow_header(exchange: Exchange) -> str | None:
    """the allowed methods in Allow"""
    return None if exchange.headers.get("allow", "").strip() else f"{exchange.status} without Allow"


def body_is_a_string(exchange: Exchange) -> str | None:
    """a string as the body, not an object"""
    return _summary(exchange) if exchange.text.lstrip().startswith(("{", "[")) else None


def is_an_error_body(exchange: Exchange) -> str | None:
    """an object with code, a message that is not empty, and data"""
    if exchange.status != 400:
        return None
    wrong = _wrong_field(exchange.json, ERROR)
    return wrong or (None if exchange.json["message"].strip() else "the message is empty")


def is_a_batch(exchange: Exchange) -> str | None:
    """a batch with every documented field that has a value, each of its type"""
    if not exchange.succeeded:
        return None
    return _wrong_batch_field(exchange.json)


def has_fields_without_value(exchange: Exchange) -> str | None:
    """null in the fields of a batch that have no value, except those that an example leaves out"""
    for batch in batches(exchange).values():
        # Whether a list shows metadata is another requirement.
        optional = {"metadata"} if exchange.operation == LIST_BATCHES else set()
        if missing := [name for name in BATCH if name not in {*batch, *optional}]:
            return f"{missing[0]} is missing: {str(batch)[:200]}"
    return None


def is_a_page(exchange: Exchange) -> str | None:
    """a page with object "list", data, first_id, last_id and has_more; every item a batch"""
    if not exchange.succeeded:
        return None
    wrong = _wrong_field(exchange.json, PAGE) or _wrong_value(exchange.json, "object", "list")
    if wrong:
        return wrong
    return next(filter(None, map(_wrong_batch_field, exchange.json["data"])), None)


def is_an_upload(exchange: Exchange) -> str | None:
    """an envelope with code 20000 and status true, and the file in data"""
    if not exchange.succeeded:
        return None
    return _wrong_envelope_field(exchange.json) or _wrong_field(exchange.json["data"], UPLOADED)


def is_a_file_list(exchange: Exchange) -> str | None:
    """an envelope with code 20000 and status true, and a list of files in data"""
    if not exchange.succeeded:
        return None
    wrong = _wrong_envelope_field(exchange.json)
    wrong = wrong or _wrong_field(exchange.json["data"], {"data": (LIST,), "object": (STRING,)})
    if wrong:
        return wrong
    return next(
        filter(None, (_wrong_field(file, LISTED) for file in exchange.json["data"]["data"])), None
    )


def has_documented_object_types(exchange: Exchange) -> str | None:
    """object "batch" for a batch; object "file" and purpose "batch" for a file"""
    for batch in batches(exchange).values():
        if wrong := _wrong_value(batch, "object", "batch"):
            return wrong
    for file in files(exchange).values():
        if wrong := _wrong_value(file, "object", "file") or _wrong_value(file, "purpose", "batch"):
            return wrong
    data = exchange.json.get("data") if isinstance(exchange.json, dict) else None
    kind = data.get("object", "file") if isinstance(data, dict) else "file"
    return None if kind in ("file", "list") else f"object {kind!r}, not 'file' or 'list'"


def _summary(exchange: Exchange) -> str:
    return f"{exchange.status} {exchange.text[:300]}"


def _wrong_value(body: dict[str, Any], name: str, expected: str) -> str | None:
    value = body.get(name)
    return None if value == expected else f"{name} {value!r}, not {expected!r}"


def _wrong_field(body: Any, shape: dict[str, tuple[type, ...]]) -> str | None:
    if not isinstance(body, dict):
        return f"not an object: {str(body)[:200]}"
    for name, types in shape.items():
        if name not in body:
            return f"{name} is missing: {str(body)[:200]}"
        if type(body[name]) not in types:
            return f"{name} is {body[name]!r}"
    return None


def _wrong_batch_field(body: Any) -> str | None:
    if wrong := _wrong_field(body, REQUIRED_IN_BATCH):
        return wrong
    optional = {**BATCH, **OPTIONAL_IN_BATCH}
    if wrong := _wrong_field(body, {name: optional[name] for name in optional if name in body}):
        return wrong
    counts = body.get("request_counts") or {}
    if any(type(number) is not int for number in counts.values()):
        return f"request_counts {counts}"
    return None


def _wrong_envelope_field(body: Any) -> str | None:
    if wrong := _wrong_field(body, ENVELOPE):
        return wrong
    code, status = body["code"], body["status"]
    return None if (code, status) == (20000, True) else f"code {code}, status {status}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"duplicate key {next(n for n in names if names.count(n) > 1)!r}")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON")
