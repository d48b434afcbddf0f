"""
One step of a script: curl's configuration, its call, and the files that it writes.

Rule 1: this module imports the standard library, `exchange` and `ids` only.
Rule 2: a key is passed to curl in a file, and only for URLs below the base URL.
"""

import json
import os
import re
import zlib
from pathlib import Path
from typing import Any

from ..checks.exchange import Exchange, with_key
from .ids import variable

WITH_BODY = {"POST", "PUT", "PATCH"}
OPTIONS = (
    *("-q", "--silent", "--show-error", "--globoff", "--path-as-is", "--proto", "=http,https"),
    *("--connect-timeout", "30", "--max-time", "600", "--suppress-connect-headers"),
)
# curl's statuses for a response that is not well-formed HTTP, which is judged.
BROKEN = {
    1: "not an HTTP response",
    8: "not an HTTP response",
    18: "the body ends early",
    56: "the body does not end as its headers say",
}


def configuration(sent: Path, target: str, request: dict[str, Any]) -> list[str]:
    """The lines of curl's configuration file."""
    base = os.environ["SILICONFLOW_BASE_URL"]
    url = target if "://" in target else base + target
    method, media, authorization = (request[n] for n in ("method", "request_type", "authorization"))
    options = [
        f"url = {_quoted(url)}",
        "head" if method == "HEAD" else f"request = {_quoted(method)}",
    ]
    options += ['header = "Expect:"', f"header = {_quoted('Content-Type: ' + media)}"]
    if authorization is not None and url.startswith(base + "/"):
        name = variable(request["sender"])
        key = os.environ.get(name, "")
        if "{key}" in authorization.lower() and not (key.isprintable() and key):
            raise SystemExit(f"Set {name} to an API key.")
        value = with_key(authorization, key)
        line = f"Authorization: {value}" if value.strip() else "Authorization;"
        options.append(f"header = {_quoted(line)}")
    if method in WITH_BODY or sent.stat().st_size:
        options.append(f"data-binary = {_quoted(f'@{sent}')}")
    return options


def fetch(work: Path, step: str) -> None:
    """Runs curl with the configuration of a step; raises `SystemExit` without a response."""
    body = work / f"{step}.body"
    body.write_bytes(b"")
    files = ["--config", f"{work}/{step}.curl", "--dump-header", f"{work}/{step}.head"]
    command = ["curl", *OPTIONS, *files, "--output", str(body)]
    status = os.spawnvp(os.P_WAIT, command[0], command)  # noqa: S606 - faster than subprocess
    if status not in (0, *BROKEN):
        raise SystemExit(f"Step {step}: no response; curl exited with status {status}.")
    (work / f"{step}.broken").write_text(BROKEN.get(status, ""))


def read_exchange(work: Path, step: str) -> Exchange:
    """A step's request and response."""
    head, body, broken = (work / f"{step}.{end}" for end in ("head", "body", "broken"))
    # Proxies and 100 Continue put other heads before the last one.
    blocks = re.split(rb"\r?\n\r?\n", head.read_bytes())
    lines = ([block for block in blocks if block.startswith(b"HTTP/")] or [b"HTTP 0"])[
        -1
    ].splitlines()
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.decode("latin-1").partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    content, why = _decoded(body.read_bytes(), headers.get("content-encoding", ""))
    return Exchange(
        status=int(lines[0].split()[1]),
        request_body=(work / f"{step}.sent").read_bytes(),
        headers=headers,
        body=content,
        broken=broken.read_text() or why,
        shows_key=_shows_key(head.read_bytes() + content, work, step),
        at=max(head.stat().st_mtime, body.stat().st_mtime),
        **read_step(work, step)["request"],
    )


def _shows_key(response: bytes, work: Path, step: str) -> bool:
    key = os.environ.get(variable(str(read_step(work, step)["request"]["sender"])), "")
    return bool(key) and key.encode() in response


def _decoded(body: bytes, coding: str) -> tuple[bytes, str]:
    """A body without gzip or deflate, and why it could not be decoded."""
    if coding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body, ""
    try:
        return zlib.decompress(body, zlib.MAX_WBITS | 32), ""
    except zlib.error as error:
        return b"", f"the body does not have its Content-Encoding: {error}"


def read_step(work: Path, step: str) -> dict[str, Any]:
    """A step's `request`, and the status `was` of its response in the recorded run."""
    return dict(json.loads((work / f"{step}.json").read_text()))


def _quoted(text: str) -> str:
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escaped)
    return f'"{text}"'
