"""
Recorded traffic as HAR 1.2 files, which browsers and proxies write and read.

Rule 1: no key leaves a file: it says who asked (`own`, `stranger`), and `{key}` for the key.
Rule 2: an entry of which not all is there is left out and counted, not judged.
Rule 3: what HAR has no field for is in `_exchange` of an entry and `_judgments` of the log, so that
a run's own file loses nothing.
"""

import base64
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from attrs import define, field

from ..checks.exchange import Exchange
from . import judgments
from .accounts import Accounts
from .entries import HarUnreadable, answer_of, at_of, entries, log_of, sent_of
from .judgments import Judgment

FAMILIES = {"files", "batches"}
KNOWN = ("number", "sender", "awaited", "at")
CREATOR = {"name": "siliconflow-batch", "version": "1"}


@define
class Capture:
    """What a file holds of a service's traffic; `left_out` counts the other entries by reason."""

    base_url: str
    exchanges: list[Exchange] = field(factory=list)
    judgments: list[Judgment] = field(factory=list)
    left_out: Counter[str] = field(factory=Counter)


def read(path: str | Path, base_url: str | None = None) -> list[Exchange]:
    """The exchanges of a file, in the order of their requests; raises `HarUnreadable`."""
    return capture(path, base_url).exchanges


def capture(path: str | Path, base_url: str | None = None) -> Capture:
    """As `read`, with the base URL that was found, what cases judged, and what was left out."""
    log = log_of(Path(path))
    found = entries(Path(path), log)
    base = _plain(base_url or _common_base(found)).rstrip("/")
    if not base:
        raise HarUnreadable(
            str(path),
            f"{len(found)} entries",
            "none of them is a request to /files or /batches",
            "Record the traffic of the Batch API, or name its base URL.",
        )
    made, kept = Capture(base), []
    results = _result_urls(found)
    for entry in found:
        reason = _left_out(entry, base, results)
        if reason:
            made.left_out[reason] += 1
        else:
            kept.append(entry)
    if not kept:
        raise HarUnreadable(
            str(path),
            f"{len(found)} entries",
            f"none is a whole exchange with {base}: " + (_counted(made.left_out) or "it is empty"),
            "Name another base URL, or record anew with the bodies of the answers.",
        )
    accounts = Accounts.of(kept)
    made.exchanges = [_exchange(n, entry, base, accounts) for n, entry in enumerate(kept, 1)]
    by_number = {one.number: one for one in made.exchanges}
    listed = log.get("_judgments")
    for told in listed if isinstance(listed, list) else ():
        judgment = judgments.heard(told, by_number)
        if judgment is None:
            made.left_out["a judgment of another version"] += 1
        else:
            made.judgments.append(judgment)
    return made


def write(
    path: str | Path,
    exchanges: list[Exchange],
    base_url: str,
    keys: tuple[str, ...] = (),
    judged: Iterable[Judgment] = (),
) -> None:
    """
    Writes a run's traffic and what its cases judged, without the keys where a service says them.

    Where the file cannot be written whole, none is there.
    """
    accounts = Accounts(dict.fromkeys(keys, ""))
    log = {
        "version": "1.2",
        "creator": CREATOR,
        "entries": [_entry(_without(accounts, one), base_url.rstrip("/")) for one in exchanges],
        "_judgments": json.loads(accounts.hidden(json.dumps(list(map(judgments.told, judged))))),
    }
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump({"log": log}, file, indent=1)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _exchange(number: int, entry: dict[str, Any], base: str, accounts: Accounts) -> Exchange:
    request, own = entry["request"], entry.get("_exchange", {})
    url = _plain(request["url"])
    path, query = request["url"] if own else url, {}
    sender, authorization = accounts.who(entry)
    if url.startswith(base + "/"):
        path, _, asked = url.removeprefix(base).partition("?")
        query = dict(parse_qsl(asked, keep_blank_values=True))
    elif accounts.redacted:
        authorization = None  # results are fetched without a key
    # `_left_out` has passed the entry, so it has an answer.
    status, headers, body = answer_of(entry) or (0, {}, b"")
    sent, sent_type = sent_of(entry)
    hidden = accounts.hidden
    return Exchange(
        number=own.get("number", number),
        method=request["method"],
        path=hidden(path),
        status=status,
        query={name: hidden(value) for name, value in query.items()},
        request_body=accounts.hidden_bytes(sent),
        request_type=sent_type,
        sender=sender,
        authorization=authorization,
        headers={name: hidden(value) for name, value in headers.items()},
        body=accounts.hidden_bytes(body),
        at=own.get("at", at_of(entry)),
        awaited=own.get("awaited", False),
    )


def _common_base(found: list[dict[str, Any]]) -> str:
    """The URL before /files and /batches that most entries have; empty where none has one."""
    bases: Counter[str] = Counter()
    for entry in found:
        parts = urlsplit(_plain(entry["request"]["url"]))
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


def _left_out(entry: dict[str, Any], base: str, results: set[str]) -> str:
    """Why an entry says nothing of the service; empty where it does."""
    request, url = entry["request"], _plain(entry["request"]["url"])
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
    if not entry["response"].get("status"):
        return "without an answer"
    return "without its body" if answer_of(entry) is None else ""


def _result_urls(found: list[dict[str, Any]]) -> set[str]:
    """The URLs of results that the answers name."""
    urls = set()
    for entry in found:
        answer = answer_of(entry)
        try:
            body = json.loads(answer[2]) if answer else None
        except (ValueError, RecursionError):
            continue
        batches = body.get("data") if isinstance(body, dict) else None
        for batch in [body, *(batches if isinstance(batches, list) else [])]:
            if isinstance(batch, dict):
                urls |= {str(batch.get(f"{name}_file_id")) for name in ("output", "error")}
    return {_plain(url) for url in urls if url.startswith(("http://", "https://"))}


def _plain(url: str) -> str:
    """A URL without a user's name and without what is never sent."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    place = parts.netloc.rpartition("@")[2].lower()
    for scheme, port in (("http", ":80"), ("https", ":443")):
        place = place.removesuffix(port) if parts.scheme == scheme else place
    return urlunsplit((parts.scheme, place, parts.path, parts.query, ""))


def _counted(left_out: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())


def _entry(one: Exchange, base: str) -> dict[str, Any]:
    query = urlencode(one.query, quote_via=quote)
    url = one.path if "://" in one.path else base + one.path
    sent = [("content-type", one.request_type)] if one.request_type else []
    sent += [] if one.authorization is None else [("authorization", one.authorization)]
    request: dict[str, Any] = {
        "method": one.method,
        "url": url + (f"?{query}" if query else ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(sent),
        "queryString": _named(list(one.query.items())),
        "headersSize": -1,
        "bodySize": len(one.request_body),
    }
    if one.request_body:
        text, encoding = _text(one.request_body)
        request["postData"] = {"mimeType": one.request_type, "text": text}
        request["postData"] |= {"_encoding": encoding} if encoding else {}
    text, encoding = _text(one.body)
    content = {"size": len(one.body), "mimeType": one.headers.get("content-type", ""), "text": text}
    content |= {"encoding": encoding} if encoding else {}
    return {
        "startedDateTime": datetime.fromtimestamp(one.at, UTC).isoformat(),
        "time": 0,
        "request": request,
        "response": {
            "status": one.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(list(one.headers.items())),
            "content": content,
            "redirectURL": one.headers.get("location", ""),
            "headersSize": -1,
            "bodySize": len(one.body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "_exchange": {name: getattr(one, name) for name in KNOWN},
    }


def _without(accounts: Accounts, one: Exchange) -> Exchange:
    headers = {name: accounts.hidden(value) for name, value in one.headers.items()}
    return replace(one, headers=headers, body=accounts.hidden_bytes(one.body))


def _named(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _text(raw: bytes) -> tuple[str, str]:
    """Bytes as a text and its encoding, which is empty for UTF-8."""
    try:
        return raw.decode(), ""
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), "base64"
