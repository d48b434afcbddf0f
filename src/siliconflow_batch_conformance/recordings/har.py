"""
Recorded traffic as HAR 1.2 files, which browsers and proxies read and write too.

Rule 1: a written file contains no key, only the name of the account, and `{key}` for its key.
Rule 2: incomplete entries are left out and counted, not judged.
Rule 3: `_exchange` of an entry and `_judgments` of the log hold what HAR has no field for, so that
reading a run's own file loses nothing.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from attrs import define, field

from siliconflow_batch.state.atomic_file import write_file

from ..checks.exchange import RESULT_FIELDS, Exchange, parsed_json
from . import judgments
from .accounts import Accounts
from .entries import (
    Entry,
    HarUnreadable,
    Response,
    at_of,
    entries,
    lacks_request_body,
    log_of,
    request_of,
    response_of,
)
from .judgments import Judgment

FAMILIES = {"files", "batches"}
OWN_FIELDS = ("number", "sender", "awaited", "at")  # of `_exchange`
CREATOR = {"name": "siliconflow-batch", "version": "1"}


@define
class Capture:
    """The traffic in a file; `left_out` counts the entries that were not read, by reason."""

    base_url: str
    exchanges: list[Exchange] = field(factory=list)
    judgments: list[Judgment] = field(factory=list)
    left_out: Counter[str] = field(factory=Counter)


def read(path: str | Path, base_url: str | None = None) -> list[Exchange]:
    """The exchanges of a file, in the order of their requests; raises `HarUnreadable`."""
    return capture(path, base_url).exchanges


def capture(path: str | Path, base_url: str | None = None) -> Capture:
    """As `read`, with the base URL, the judgments of cases, and the entries that were left out."""
    log = log_of(Path(path))
    recorded = entries(Path(path), log)
    base = _normalized(base_url or _common_base(recorded)).rstrip("/")
    if not base:
        raise HarUnreadable(
            str(path),
            f"{len(recorded)} entries",
            "no request to /files or /batches",
            "Record traffic of the Batch API, or give its base URL with --base-url.",
        )
    captured = Capture(base)
    complete = _complete(recorded, captured)
    if not complete:
        reasons = ", ".join(f"{count} {reason}" for reason, count in captured.left_out.items())
        problem = f"no complete exchange with {base}: {reasons}"
        remedy = "Give another base URL, or record again with the bodies."
        raise HarUnreadable(str(path), f"{len(recorded)} entries", problem, remedy)
    accounts = Accounts.of([entry for entry, _ in complete])
    captured.exchanges = [
        _exchange(number, entry, response, base, accounts)
        for number, (entry, response) in enumerate(complete, 1)
    ]
    _read_judgments(log, captured)
    return captured


def _complete(recorded: list[Entry], captured: Capture) -> list[tuple[Entry, Response]]:
    """The entries to judge with their responses; the others are counted in `left_out`."""
    complete = []
    results = _result_urls(recorded)
    for entry in recorded:
        response = response_of(entry)
        reason = _why_unrelated(entry, captured.base_url, results)
        if reason or response is None:
            captured.left_out[reason or "without its body"] += 1
        else:
            complete.append((entry, response))
    return complete


def _read_judgments(log: Entry, captured: Capture) -> None:
    exchanges = {one.number: one for one in captured.exchanges}
    listed = log.get("_judgments")
    for value in listed if isinstance(listed, list) else ():
        judgment = judgments.from_json(value, exchanges)
        if judgment is None:
            captured.left_out["a judgment of another version"] += 1
        else:
            captured.judgments.append(judgment)


def write(
    path: str | Path,
    exchanges: list[Exchange],
    base_url: str,
    keys: tuple[str, ...] = (),
    judged: Iterable[Judgment] = (),
) -> None:
    """
    Writes the traffic of a run and the judgments of its cases, with `{key}` for each key.

    A failure leaves an existing file as it was.
    """
    accounts = Accounts(dict.fromkeys(keys, ""))
    judged_json = json.dumps([judgments.to_json(judgment) for judgment in judged])
    log = {
        "version": "1.2",
        "creator": CREATOR,
        "entries": [
            _entry(_without_keys(accounts, one), base_url.rstrip("/")) for one in exchanges
        ],
        "_judgments": json.loads(accounts.without_keys(judged_json)),
    }
    write_file(Path(path), json.dumps({"log": log}, indent=1))


def _exchange(
    number: int, entry: Entry, response: Response, base: str, accounts: Accounts
) -> Exchange:
    request, own = entry["request"], entry.get("_exchange", {})
    url = _normalized(request["url"])
    path, query = request["url"] if own else url, {}
    sender, authorization = accounts.sender(entry)
    if url.startswith(base + "/"):
        path, _, query_string = url.removeprefix(base).partition("?")
        query = dict(parse_qsl(query_string, keep_blank_values=True))
    elif accounts.redacted:
        authorization = None  # result files are downloaded without a key
    status, headers, body = response
    request_body, request_type = request_of(entry)
    clean = accounts.without_keys
    return Exchange(
        number=own.get("number", number),
        method=request["method"],
        path=clean(path),
        status=status,
        query={name: clean(value) for name, value in query.items()},
        request_body=accounts.bytes_without_keys(request_body),
        request_type=request_type,
        sender=sender,
        authorization=authorization,
        headers={name: clean(value) for name, value in headers.items()},
        body=accounts.bytes_without_keys(body),
        at=own.get("at", at_of(entry)),
        awaited=own.get("awaited", False),
    )


def _common_base(recorded: list[Entry]) -> str:
    """The most common URL before /files and /batches; empty where there is none."""
    bases: Counter[str] = Counter()
    for entry in recorded:
        parts = urlsplit(_normalized(entry["request"]["url"]))
        match parts.path.rstrip("/").split("/"):
            case [*base, "batches", _, "cancel"] | [*base, "files", _, "content"]:
                pass
            case [*base, "batches" | "files"]:
                pass
            case [*base, "batches" | "files", _]:
                pass
            case _:
                continue
        bases[urlunsplit((parts.scheme, parts.netloc, "/".join(base), "", ""))] += 1
    return max(bases, key=lambda base: (bases[base], len(base)), default="")


def _why_unrelated(entry: Entry, base: str, results: set[str]) -> str:
    """Why an entry is not traffic of the service; empty where it is."""
    request, url = entry["request"], _normalized(entry["request"]["url"])
    if "_exchange" in entry:
        return ""
    if url not in results:
        if urlsplit(url).netloc != urlsplit(base).netloc:
            return "of another host"
        family = url.removeprefix(base + "/").partition("?")[0].partition("/")[0]
        if not url.startswith(base + "/") or family not in FAMILIES:
            return "of another path"
    if request["method"] == "OPTIONS":
        return "a CORS preflight"
    if entry["response"].get("status") == 304:
        return "a 304, whose body is in a cache"
    if not entry["response"].get("status"):
        return "without a response"
    return "without its request body" if lacks_request_body(entry) else ""


def _result_urls(recorded: list[Entry]) -> set[str]:
    """The URLs of result files that batches name."""
    urls = set()
    for entry in recorded:
        response = response_of(entry)
        body = parsed_json(response[2]) if response else None
        batches = body.get("data") if isinstance(body, dict) else None
        for batch in [body, *(batches if isinstance(batches, list) else [])]:
            if isinstance(batch, dict):
                urls |= {str(batch.get(name)) for name in RESULT_FIELDS}
    return {_normalized(url) for url in urls if url.startswith(("http://", "https://"))}


def _normalized(url: str) -> str:
    """A URL without user name, default port and fragment, its host in lower case."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2].lower()
    for scheme, port in (("http", ":80"), ("https", ":443")):
        host = host.removesuffix(port) if parts.scheme == scheme else host
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def _entry(one: Exchange, base: str) -> dict[str, Any]:
    return {
        "startedDateTime": datetime.fromtimestamp(one.at, UTC).isoformat(),
        "time": 0,
        "request": _request(one, base),
        "response": _response(one),
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "_exchange": {name: getattr(one, name) for name in OWN_FIELDS},
    }


def _request(one: Exchange, base: str) -> dict[str, Any]:
    query = urlencode(one.query, quote_via=quote)
    url = one.path if "://" in one.path else base + one.path
    headers = [("content-type", one.request_type)] if one.request_type else []
    headers += [] if one.authorization is None else [("authorization", one.authorization)]
    request: dict[str, Any] = {
        "method": one.method,
        "url": url + (f"?{query}" if query else ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": _pairs(list(one.query.items())),
        "headersSize": -1,
        "bodySize": len(one.request_body),
    }
    if one.request_body:
        text, encoding = _text(one.request_body)
        request["postData"] = {"mimeType": one.request_type, "text": text}
        request["postData"] |= {"_encoding": encoding} if encoding else {}
    return request


def _response(one: Exchange) -> dict[str, Any]:
    text, encoding = _text(one.body)
    content = {"size": len(one.body), "mimeType": one.headers.get("content-type", ""), "text": text}
    content |= {"encoding": encoding} if encoding else {}
    return {
        "status": one.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(list(one.headers.items())),
        "content": content,
        "redirectURL": one.headers.get("location", ""),
        "headersSize": -1,
        "bodySize": len(one.body),
    }


def _without_keys(accounts: Accounts, one: Exchange) -> Exchange:
    headers = {name: accounts.without_keys(value) for name, value in one.headers.items()}
    return replace(one, headers=headers, body=accounts.bytes_without_keys(one.body))


def _pairs(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _text(raw: bytes) -> tuple[str, str]:
    """The text and the encoding of bytes; the encoding is empty for UTF-8."""
    try:
        return raw.decode(), ""
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), "base64"
