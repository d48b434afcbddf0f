"""
The entries of a HAR file as tools really write them, one shape for all.

Browsers leave fields out, proxies write what the standard does not know, and bodies come as text,
as base64 or not at all.
"""

import base64
import binascii
import contextlib
import gzip
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Entry = dict[str, Any]

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
EXPORT = "Save the traffic as HAR 1.2, with content."


class HarUnreadable(Exception):
    """A file that is no HAR, not all of one, or holds nothing of the API."""

    def __init__(self, path: str, where: str, problem: str, remedy: str) -> None:
        super().__init__(path, where, problem, remedy)
        self.path, self.where, self.problem, self.remedy = path, where, problem, remedy

    def __str__(self) -> str:
        place = f"{self.path}, {self.where}" if self.where else self.path
        return f"{place}: {self.problem}\n\n{self.remedy}"


def log_of(path: Path) -> dict[str, Any]:
    """The log of a file, whose entries are a list; raises `HarUnreadable`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise HarUnreadable(str(path), "", str(error.strerror), "Name a HAR file.") from error
    found = _parsed(str(path), _unpacked(str(path), raw))
    log = found.get("log") if isinstance(found, dict) else None
    listed = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(listed, list):
        raise HarUnreadable(str(path), "", "it has no list at log.entries: it is no HAR", EXPORT)
    return dict(_object(log))


def entries(path: Path, log: dict[str, Any]) -> list[Entry]:
    """The entries of a log in the order of their requests; raises `HarUnreadable`."""
    made = [_checked(str(path), place, entry) for place, entry in enumerate(log["entries"], 1)]
    ordered = all("_exchange" in entry for entry in made)
    return made if ordered else sorted(made, key=_started)


def _unpacked(path: str, raw: bytes) -> bytes:
    if raw.startswith(GZIP):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            broken = f"it is compressed with gzip, and broken: {error}"
            raise HarUnreadable(path, "", broken, "Copy it anew, whole.") from error
        if raw.startswith((GZIP, ZIP)):
            raise HarUnreadable(path, "", "it is compressed twice", "Unpack it once: gunzip FILE")
    if raw.startswith(ZIP):
        raise HarUnreadable(path, "", "it is a zip archive", "Name the .har file that is in it.")
    return raw


def _parsed(path: str, raw: bytes) -> Any:
    if not raw.strip():
        raise HarUnreadable(path, "", "it is empty", EXPORT)
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        # An unclosed string is told of at its beginning, as is half a word.
        cut = len(error.doc.rstrip()) - error.pos < 8 or error.msg.startswith("Unterminated")
        if cut and raw.lstrip().startswith((b"{", b"\xef\xbb\xbf")):
            remedy = "Save it anew, and wait until it is whole."
            raise HarUnreadable(path, where, "it ends in the middle", remedy) from error
        raise HarUnreadable(path, where, f"it is no JSON: {error.msg}", EXPORT) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise HarUnreadable(path, "", f"it is no JSON: {error}", EXPORT) from error


def _checked(path: str, place: int, entry: Any) -> Entry:
    """An entry whose request and response are there, and nothing in `_exchange` but ours."""
    request, response = (_object(_object(entry).get(name)) for name in ("request", "response"))
    if not response or not all(isinstance(request.get(n), str) for n in ("method", "url")):
        problem = "it has no request with method and url, or no response"
        raise HarUnreadable(path, f"entry {place}", problem, EXPORT)
    status = response.get("status")
    answered = {"status": status if type(status) is int else 0}
    made: Entry = {**entry, "response": {**response, **answered}}
    kinds = {"number": int, "sender": str, "awaited": bool, "at": int | float}
    own = made.get("_exchange")
    if not isinstance(own, dict) or not all(isinstance(own.get(n), k) for n, k in kinds.items()):
        made.pop("_exchange", None)
    return made


def headers_of(message: Entry) -> dict[str, str]:
    """By name in lower case; those of HTTP/2 that are no headers are left out."""
    found: dict[str, str] = {}
    listed = message.get("headers")
    for header in map(_object, listed if isinstance(listed, list) else []):
        name, value = str(header.get("name", "")).lower(), str(header.get("value", ""))
        if name and not name.startswith(":"):
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def sent_of(entry: Entry) -> tuple[bytes, str]:
    """What was sent, and its type; no bytes where the tool did not keep a form's files."""
    posted = _object(entry["request"].get("postData"))
    media, text = str(posted.get("mimeType", "")), posted.get("text")
    sent_type = headers_of(entry["request"]).get("content-type", media)
    if isinstance(text, str) and text:
        encoding = posted.get("encoding") or posted.get("_encoding") or ""
        return _bytes(text, str(encoding), media, "_exchange" in entry) or b"", sent_type
    params = posted.get("params")
    if isinstance(params, list) and media.startswith("application/x-www-form-urlencoded"):
        pairs = [(p.get("name", ""), p.get("value", "")) for p in map(_object, params)]
        return urlencode(pairs).encode(), sent_type
    return b"", sent_type


def answer_of(entry: Entry) -> tuple[int, dict[str, str], bytes] | None:
    """Status, headers and body of an answer; None where its body was not kept."""
    response, own = entry["response"], "_exchange" in entry
    headers = headers_of(response)
    content = _object(response.get("content"))
    text = content.get("text")
    if not isinstance(text, str):
        sizes = (content.get("size"), response.get("bodySize"), headers.get("content-length"))
        expected = entry["request"]["method"] != "HEAD" and any(map(_is_positive, sizes))
        return None if expected else (response["status"], headers, b"")
    body = _bytes(text, str(content.get("encoding", "")), str(content.get("mimeType", "")), own)
    if body is None:
        return None
    if not own:
        headers.pop("set-cookie", None)
        body = _decompressed(body, headers.get("content-encoding", ""))
    return response["status"], headers, body


def at_of(entry: Entry) -> float:
    """When the answer had come, in Unix seconds; 0 where nobody noted it."""
    took = entry.get("time")
    seconds = took / 1000 if isinstance(took, int | float) and took > 0 else 0
    return _started(entry) + seconds if _started(entry) else 0.0


def _started(entry: Entry) -> float:
    try:
        moment = datetime.fromisoformat(str(entry.get("startedDateTime", "")).strip())
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _bytes(text: str, encoding: str, media: str, own: bool) -> bytes | None:
    if encoding.lower() == "base64":
        try:
            return base64.b64decode(text, validate=not any(c.isspace() for c in text))
        except (binascii.Error, ValueError):
            return None
    charset = media.lower().partition("charset=")[2].partition(";")[0].strip("\"' ")
    with contextlib.suppress(LookupError, UnicodeError):
        return text.encode("utf-8" if own or not charset else charset)
    return text.encode("utf-8", "surrogatepass")


def _decompressed(body: bytes, encoding: str) -> bytes:
    """A few tools keep what came instead of what was meant."""
    if encoding.strip().lower() == "gzip" and body.startswith(GZIP):
        with contextlib.suppress(OSError, EOFError, zlib.error):
            return gzip.decompress(body)
    return body


def _object(value: Any) -> Entry:
    return value if isinstance(value, dict) else {}


def _is_positive(size: object) -> bool:
    text = str(size).strip()
    return text.isdecimal() and int(text) > 0
