"""
The entries of HAR files, as browsers and proxies write them.

Browsers leave fields out, proxies add fields that the standard does not have, and bodies are text,
base64 or missing.
"""

import base64
import binascii
import contextlib
import gzip
import io
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Entry = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

MOST_BYTES = 1_000_000_000  # of a file or a body, decompressed
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
EXPORT = "Save the traffic as HAR 1.2, with content."


class HarUnreadable(Exception):
    """A file that is not HAR, is incomplete, or has no traffic of the API."""

    def __init__(self, path: str, where: str, problem: str, remedy: str) -> None:
        super().__init__(path, where, problem, remedy)
        self.path, self.where, self.problem, self.remedy = path, where, problem, remedy

    def __str__(self) -> str:
        place = f"{self.path}, {self.where}" if self.where else self.path
        return f"{place}: {self.problem}\n\n{self.remedy}"


def log_of(path: Path) -> dict[str, Any]:
    """The `log` object of a file, with its list of entries; raises `HarUnreadable`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise HarUnreadable(str(path), "", str(error.strerror), "Name a HAR file.") from error
    content = _parsed(str(path), _unpacked(str(path), raw))
    log = content.get("log") if isinstance(content, dict) else None
    if not isinstance(log, dict) or not isinstance(log.get("entries"), list):
        raise HarUnreadable(str(path), "", "not a HAR file: no list at log.entries", EXPORT)
    return log


def entries(path: Path, log: dict[str, Any]) -> list[Entry]:
    """The entries of a log in the order of their requests; raises `HarUnreadable`."""
    checked = [_checked(str(path), place, entry) for place, entry in enumerate(log["entries"], 1)]
    is_own = all("_exchange" in entry for entry in checked)
    return checked if is_own else sorted(checked, key=_started)


def _unpacked(path: str, raw: bytes) -> bytes:
    if raw.startswith(GZIP):
        try:
            raw = _gunzipped(raw)
        except (OSError, EOFError, zlib.error) as error:
            problem = f"the gzip data is damaged: {error}"
            raise HarUnreadable(path, "", problem, "Copy the whole file again.") from error
        if len(raw) > MOST_BYTES:
            problem = f"the file has more than {MOST_BYTES:,} bytes when it is decompressed"
            raise HarUnreadable(path, "", problem, "Record less traffic, or split the file.")
        if raw.startswith((GZIP, ZIP)):
            raise HarUnreadable(
                path, "", "the file is compressed twice", "Decompress it once: gunzip FILE"
            )
    if raw.startswith(ZIP):
        raise HarUnreadable(path, "", "the file is a zip archive", "Extract the .har file from it.")
    return raw


def _parsed(path: str, raw: bytes) -> Any:
    if not raw.strip():
        raise HarUnreadable(path, "", "the file is empty", EXPORT)
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        # json reports an unclosed string, or half a literal, at its first character.
        is_cut = len(error.doc.rstrip()) - error.pos < 8 or error.msg.startswith("Unterminated")
        if is_cut and raw.lstrip().startswith((b"{", b"\xef\xbb\xbf")):
            remedy = "Save the traffic again, and wait until the file is complete."
            raise HarUnreadable(path, where, "the file is incomplete", remedy) from error
        raise HarUnreadable(path, where, f"not JSON: {error.msg}", EXPORT) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise HarUnreadable(path, "", f"not JSON: {error}", EXPORT) from error


def _checked(path: str, place: int, entry: Any) -> Entry:
    """An entry with a request and a response; an `_exchange` of another tool is removed."""
    request, response = (_object(_object(entry).get(name)) for name in ("request", "response"))
    if not response or not all(isinstance(request.get(n), str) for n in ("method", "url")):
        problem = "no request with method and url, or no response"
        raise HarUnreadable(path, f"entry {place}", problem, EXPORT)
    status = response.get("status")
    numeric = {"status": status if type(status) is int else 0}
    checked: Entry = {**entry, "response": {**response, **numeric}}
    kinds = {"number": int, "sender": str, "awaited": bool, "at": int | float}
    own = checked.get("_exchange")
    if not isinstance(own, dict) or not all(isinstance(own.get(n), k) for n, k in kinds.items()):
        checked.pop("_exchange", None)
    return checked


def headers_of(message: Entry) -> dict[str, str]:
    """Headers by name in lower case, without the pseudo headers of HTTP/2."""
    headers: dict[str, str] = {}
    pairs = message.get("headers")
    for header in map(_object, pairs if isinstance(pairs, list) else []):
        name, value = str(header.get("name", "")).lower(), str(header.get("value", ""))
        if name and not name.startswith(":"):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def lacks_request_body(entry: Entry) -> bool:
    """Whether the tool has not kept the request's body, as browsers do with the files of a form."""
    body, request_type = request_of(entry)
    headers = headers_of(entry["request"])
    sizes = (entry["request"].get("bodySize"), headers.get("content-length"))
    stated = max((int(str(size)) for size in sizes if _is_positive(size)), default=0)
    is_form = request_type.startswith("multipart/") and entry["request"]["method"] == "POST"
    is_compressed = "content-encoding" in headers  # the size is that of other bytes
    return (len(body) < stated and not is_compressed) or (is_form and not body)


def request_of(entry: Entry) -> tuple[bytes, str]:
    """The request body and its content type; empty where the tool did not keep it."""
    posted = _object(entry["request"].get("postData"))
    media, text = str(posted.get("mimeType", "")), posted.get("text")
    request_type = headers_of(entry["request"]).get("content-type", media)
    if isinstance(text, str) and text:
        encoding = posted.get("encoding") or posted.get("_encoding") or ""
        return _bytes(text, str(encoding), media, "_exchange" in entry) or b"", request_type
    params = posted.get("params")
    if isinstance(params, list) and media.startswith("application/x-www-form-urlencoded"):
        pairs = [(p.get("name", ""), p.get("value", "")) for p in map(_object, params)]
        return urlencode(pairs).encode(), request_type
    return b"", request_type


def response_of(entry: Entry) -> Response | None:
    """Status, headers and body of a response; None where the tool did not keep all of the body."""
    response, own = entry["response"], "_exchange" in entry
    headers = headers_of(response)
    content = _object(response.get("content"))
    text = content.get("text")
    if not isinstance(text, str):
        sizes = (content.get("size"), response.get("bodySize"), headers.get("content-length"))
        had_body = entry["request"]["method"] != "HEAD" and any(map(_is_positive, sizes))
        return None if had_body else (response["status"], headers, b"")
    body = _bytes(text, str(content.get("encoding", "")), str(content.get("mimeType", "")), own)
    if body is None:
        return None
    if not own:
        headers.pop("set-cookie", None)
        body = _decompressed(body, headers.get("content-encoding", ""))
        size = content.get("size")
        is_packed = "content-encoding" in headers and size == response.get("bodySize")
        if _is_positive(size) and len(body) < int(str(size)) and not is_packed:
            return None
    return response["status"], headers, body


def at_of(entry: Entry) -> float:
    """When the response arrived, in Unix seconds; 0 where it is unknown."""
    duration = entry.get("time")  # in milliseconds
    seconds = duration / 1000 if isinstance(duration, int | float) and duration > 0 else 0
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
    """The decoded body; a few tools keep the compressed one."""
    if encoding.strip().lower() == "gzip" and body.startswith(GZIP):
        with contextlib.suppress(OSError, EOFError, zlib.error):
            return _gunzipped(body)
    return body


def _gunzipped(raw: bytes) -> bytes:
    """The decompressed data; of more than `MOST_BYTES` the first ones, and one more."""
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
        return file.read(MOST_BYTES + 1)


def _object(value: Any) -> Entry:
    return value if isinstance(value, dict) else {}


def _is_positive(size: object) -> bool:
    text = str(size).strip()
    return text.isdecimal() and int(text) > 0
