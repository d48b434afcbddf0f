"""
A shell script that repeats one failure: with curl alone if a status shows it, else with python3.

    sh LIST-3.sh https://api.siliconflow.cn/v1      1: it fails  0: it holds  2: inconclusive

Rule 1: a script begins with the failure, the requests and the judgment; the machinery comes last.
Rule 2: a script contains no key; keys come from environment variables.
Rule 3: a script judges like the suite: by the statuses that are right, or by the source of the
check, which it contains.
"""

import base64
import json
import re
import textwrap
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ..checks.exchange import BEARER, Exchange
from ..recordings.judgments import with_references
from ..requirements import Requirement
from ..verdicts import Failure
from . import plain, replay
from .bundle import bundled
from .ids import variable
from .story import Extract, goal, steps_to_send

# What runs before the packed code is unpacked; it is Python, and a few functions of the shell.
START = """\
# ---- How: python3 runs curl and judges. The code is the same in every script; it is packed. -----
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || {
    printf '%s\\n' 'Python 3.10 or newer is required; set PYTHON to its path.' \\
        'The result is inconclusive.' >&2
    exit 2
}
umask 077
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM"""
END = "case $verdict in 0) exit 0 ;; 10) exit 1 ;; *) exit 2 ;; esac"
MACHINERY, PLAIN = (Path(__file__).with_name(name) for name in ("replay.sh", "plain.sh"))
SAFE = "/%:@!$&'()*+,;=~-._"  # characters of a path that are not percent-encoded
LONGEST = 6_000  # bytes; longer bodies are compressed
WIDTH = 98
USAGE = """\
This script repeats the requests of one failure and judges the responses. It needs curl and
python3 and installs nothing. It replaces recorded ids by those that the service issues now.

exit status: 1 the failure occurs, 0 it does not, 2 inconclusive
"""
USAGE_OF_CURL = USAGE.replace("curl and\npython3 and", "curl\nand")


def script(row: Requirement, failure: Failure, base_url: str) -> str:
    """The script as text; `base_url` is its default target."""
    part = steps_to_send(failure)
    places = {number: place for place, number in enumerate(part.steps, 1)}
    steps = [_step(one, places, part) for one in part.steps.values()]
    by_status = plain.judgment(failure, part, LONGEST)
    judgment = _status_judgment(by_status, places) if by_status else _judgment(failure, places)
    blocks = [
        _head(row, failure, part, USAGE_OF_CURL if by_status else USAGE),
        "# Single quotes are intended (SC2016), and not every function is called or in this file.\n"
        f"# shellcheck disable=SC2016,SC2317{'' if by_status else ',SC1091,SC2034,SC2154'}\n"
        f"recorded_at={_quote(base_url.rstrip('/'))}"
        + ("" if by_status else f"\nEXPECTED={_quote(_plain(failure.expected))}"),
        "steps() {\n" + textwrap.indent("\n\n".join(steps) or ":", "    ") + "\n}",
        "judgment() {\n    " + judgment + "\n}",
        PLAIN.read_text(encoding="utf-8").rstrip() if by_status else _machinery(failure),
    ]
    if not by_status:
        senders = dict.fromkeys(one.sender for one in part.steps.values() if _needs_key(one))
        probes = [f"probe {_quote(sender)}" for sender in ("own", *sorted({*senders} - {"own"}))]
        blocks.append("\n".join(["new_request", *probes, "steps", "judgment", END]))
    return "#!/bin/sh\n" + "\n\n".join(blocks) + "\n"


def _machinery(failure: Failure) -> str:
    """Finds Python, and unpacks the code that replays and judges; the shell reads its part."""
    code = bundled(replay.main, failure.check, MACHINERY.read_text(encoding="utf-8"))
    return f'{START}\n{code}\n. "$work/replay.sh"'


def _head(row: Requirement, failure: Failure, part: Extract, usage: str) -> str:
    needed = {variable(one.sender) for one in part.steps.values() if _needs_key(one)}
    keys = "  ".join(f"{name}=…" for name in sorted({"SILICONFLOW_API_KEY", *needed}))
    lines = [
        f"{row.id}  {row.operation}: {row.says}  [{row.tier}]",
        f"  docs:      {row.provenance}",
        *_wrapped("  expected:  ", failure.expected),
        *_wrapped("  actual:    ", failure.actual),
        "",
        *usage.splitlines(),
        f"usage: {keys} sh {row.id}.sh [base URL]",
    ]
    if any(one.operation == "POST /batches" for one in part.steps.values()):
        lines += ["", "It creates batches, which cost money unless the service is a simulator."]
    return "\n".join(f"# {line}".rstrip() for line in lines)


def _wrapped(label: str, text: str) -> list[str]:
    """A labelled text in lines that are safe in a comment."""
    rows = _plain(text).split("\n")
    lines = [line for row in rows for line in textwrap.wrap(row, WIDTH - 14)]
    first, *more = lines or [""]
    return [label + first, *(" " * len(label) + line for line in more)]


def _plain(text: str) -> str:
    """The text with all control characters but newlines escaped."""
    escaped = (c.encode("unicode_escape").decode() for c in text)
    return "".join(
        c if c.isprintable() or c == "\n" else e for c, e in zip(text, escaped, strict=True)
    )


def _step(exchange: Exchange, places: dict[int, int], part: Extract) -> str:
    """A comment, and the commands that send one request and read the ids from its response."""
    place, awaited = places[exchange.number], goal(exchange, part.story)
    name = exchange.operation or f"{exchange.method} {'a result' * ('://' in exchange.path)}"
    comment = f"returned {exchange.status} in the recorded run"
    comment = "wait until it is as far as in the recorded run" if exchange.number < 0 else comment
    lines = [f"# {place}. {_plain(name)}: {comment}"]
    if exchange.authorization is None:
        lines.append("no_authorization")
    elif exchange.authorization != BEARER:
        lines.append(f"authorization {_quote(exchange.authorization)}")
    if exchange.request_body or exchange.request_type:
        lines.append(_body(exchange))
    arguments = [str(place), exchange.sender, exchange.method, _target(exchange, part)]
    tail = f" was {exchange.status}" + (f" until {_quote(awaited)}" if awaited else "")
    lines.append("request " + " ".join(map(_quote, arguments)) + tail)
    for (number, field), origin in part.used.items():
        if number == exchange.number:
            lines.append(f"learn {place} {field} {_quote(origin.value)}")
    return "\n".join(lines)


def _target(exchange: Exchange, part: Extract) -> str:
    """The path and query, or the whole URL of a result file."""
    query = urlencode(exchange.query, quote_via=quote)
    if "://" not in exchange.path:
        path = exchange.path if exchange.path.startswith("/") else f"/{exchange.path}"
        return quote(path, safe=SAFE) + (f"?{query}" if query else "")
    for origin in part.used.values():
        if exchange.path in (origin.value, origin.value.partition("?")[0]):
            return origin.value
    return exchange.path + (f"?{query}" if query and "?" not in exchange.path else "")


def _body(exchange: Exchange) -> str:
    media = _quote(exchange.request_type)
    if len(exchange.request_body) > LONGEST:
        packed = base64.b64encode(zlib.compress(exchange.request_body, 9)).decode()
        return " \\\n    ".join([f"packed_body {media}", *textwrap.wrap(packed, WIDTH - 12)])
    rows = re.findall(rb"[^\n]*\n|[^\n]+", exchange.request_body) or [b""]
    return " \\\n    ".join([f"body {media}", *_in_lines(map(_escaped, rows))])


def _in_lines(arguments: Iterable[str]) -> list[str]:
    """As many arguments in each line as fit."""
    lines = [""]
    for one in arguments:
        longer = f"{lines[-1]} {one}".strip()
        if lines[-1] and len(longer) > WIDTH - 8:
            lines.append(one)
        else:
            lines[-1] = longer
    return lines


def _escaped(row: bytes) -> str:
    """Bytes as a quoted argument from which `printf %b` restores them."""
    names = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    characters = []
    for c in row.decode("utf-8", "surrogateescape"):
        octal = "".join(f"\\0{byte:03o}" for byte in c.encode("utf-8", "surrogateescape"))
        characters.append(names.get(c) or (c if c.isprintable() and c != "'" else octal))
    return "'" + "".join(characters) + "'"


def _judgment(failure: Failure, places: dict[int, int]) -> str:
    if failure.check is None:
        if not failure.story:
            return "inconclusive 'No request was recorded.'"
        last = failure.story[-1]
        recorded = [last.status, last.headers.get("content-type", ""), last.text]
        return f"compare {places[last.number]} {_json(recorded)}"
    arguments = with_references(failure.arguments, lambda one: {"$step": places[one.number]})
    parts = [failure.check.__module__, failure.check.__name__, _json(arguments)]
    raised = _raised(failure)
    return "check " + " ".join([*parts, *([raised] if raised else [])])


def _status_judgment(judged: tuple[Exchange, list[int]], places: dict[int, int]) -> str:
    exchange, right = judged
    return " ".join(map(str, ["judge", places[exchange.number], *right]))


def _raised(failure: Failure) -> str:
    """The name of the exception that the check raised; empty if it returned."""
    try:
        failure.check(*failure.arguments) if failure.check else None
    except Exception as error:
        return type(error).__name__
    return ""


def _json(value: Any) -> str:
    return _quote(json.dumps(value).replace("'", "\\u0027"))


def _quote(text: str) -> str:
    return (
        text if re.fullmatch(r"[A-Za-z0-9_./:-]+", text) else "'" + text.replace("'", "'\\''") + "'"
    )


def _needs_key(exchange: Exchange) -> bool:
    return "{key}" in (exchange.authorization or "").lower()
