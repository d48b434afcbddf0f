"""
What curl is told, and what it wrote: one step of a script that repeats a failure.

Rule 1: nothing but the standard library and `exchange` and `naming`.
Rule 2: a key is told to curl in a file, for URLs below the base URL only.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from ..checks.exchange import Exchange, with_key
from .ids import variable

WITH_BODY = {"POST", "PUT", "PATCH"}


def configuration(sent: Path, target: str, request: dict[str, Any]) -> list[str]:
    """The lines of the file that curl reads its options from."""
    base = os.environ["SILICONFLOW_BASE_URL"]
    url = target if "://" in target else base + target
    method, media, authorization = (request[n] for n in ("method", "request_type", "authorization"))
    options = [f"url = {_word(url)}", "head" if method == "HEAD" else f"request = {_word(method)}"]
    options += ['header = "Expect:"', f"header = {_word('Content-Type: ' + media)}"]
    if authorization is not None and url.startswith(base + "/"):
        name = variable(request["sender"])
        key = os.environ.get(name, "")
        if "{key}" in authorization.lower() and not (key.isprintable() and key):
            raise SystemExit(f"Set {name} to an API key.")
        given = with_key(authorization, key)
        line = f"Authorization: {given}" if given.strip() else "Authorization;"
        options.append(f"header = {_word(line)}")
    if method in WITH_BODY or sent.stat().st_size:
        options.append(f"data-binary = {_word(f'@{sent}')}")
    return options


def answered(work: Path, step: str) -> Exchange:
    """A step as it was sent now, and what was answered."""
    head, body = work / f"{step}.head", work / f"{step}.body"
    # Before the answer there may be others: 100 Continue, and those of proxies.
    blocks = re.split(rb"\r?\n\r?\n", head.read_bytes())
    lines = [block for block in blocks if block.startswith(b"HTTP/")][-1].splitlines()
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.decode("latin-1").partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Exchange(
        status=int(lines[0].split()[1]),
        request_body=(work / f"{step}.sent").read_bytes(),
        headers=headers,
        body=body.read_bytes(),
        at=max(head.stat().st_mtime, body.stat().st_mtime),
        **recorded(work, step)["request"],
    )


def recorded(work: Path, step: str) -> dict[str, Any]:
    """The request of a step, and the status `was` that it had in the recorded run."""
    return dict(json.loads((work / f"{step}.json").read_text()))


def _word(text: str) -> str:
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escaped)
    return f'"{text}"'
