"""
A failure as a script that anyone can run who has curl and python3.

    sh LIST-3.sh https://api.siliconflow.cn/v1      1: it fails  0: it holds  2: nothing can be said

Rule 1: a script is read from its top: what is wrong, the requests, the judgment; how comes last.
Rule 2: no key is in a script; they come from the environment.
Rule 3: the judgment is the suite's own: the script carries the source of the check.
"""

import base64
import json
import re
import textwrap
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ..checks.exchange import BEARER, Exchange
from ..recordings.judgments import with_references
from ..requirements import SOURCES, Requirement
from ..verdicts import Failure
from . import replay
from .bundle import carried
from .ids import variable
from .story import Extract, goal, sent

MACHINERY = Path(__file__).with_name("replay.sh")
SAFE = "/%:@!$&'()*+,;=~-._"  # what stays as it is in a path
LONGEST = 6_000  # bytes of a body that is shown in the script, not packed
WIDTH = 98
USAGE = """\
This script sends the requests of one failure again and judges the answers. It needs curl and
python3 and installs nothing. Ids that the service issues now take the place of the recorded ones.

exit status: 1 the failure is there, 0 it is not, 2 nothing can be said
"""


def script(row: Requirement, failure: Failure, base_url: str) -> str:
    """The script as text; `base_url` is where it goes when it is not told otherwise."""
    part = sent(failure)
    places = {number: place for place, number in enumerate(part.steps, 1)}
    steps = [_step(one, places, part) for one in part.steps.values()]
    senders = dict.fromkeys(one.sender for one in part.steps.values() if _needs_key(one))
    blocks = [
        _head(row, failure, part),
        "# What is in single quotes is meant as it stands; not every script needs every function.\n"
        "# shellcheck disable=SC2016,SC2317\n"
        f"recorded_at={_quote(base_url.rstrip('/'))}\nEXPECTED={_quote(_plain(failure.expected))}",
        "steps() {\n" + textwrap.indent("\n\n".join(steps) or ":", "    ") + "\n}",
        "judgment() {\n    " + _judgment(failure, places) + "\n}",
        MACHINERY.read_text(encoding="utf-8").rstrip(),
        *carried(replay.__name__, failure.check),
        "fresh",
        "\n".join(f"probe {_quote(sender)}" for sender in ("own", *sorted({*senders} - {"own"}))),
        "steps\njudgment",
        "case $verdict in\n0) exit 0 ;;\n10) exit 1 ;;\n*) exit 2 ;;\nesac",
    ]
    return "#!/bin/sh\n" + "\n\n".join(blocks) + "\n"


def _head(row: Requirement, failure: Failure, part: Extract) -> str:
    needed = {variable(one.sender) for one in part.steps.values() if _needs_key(one)}
    keys = "  ".join(f"{name}=…" for name in sorted({"SILICONFLOW_API_KEY", *needed}))
    told = [
        f"{row.id}  {row.operation}: {row.says}  [{row.tier}]",
        f"  docs:      {SOURCES.get(row.source, row.source)}",
        *_told("  expected:  ", failure.expected),
        *_told("  actual:    ", failure.actual),
        "",
        *USAGE.splitlines(),
        f"usage: {keys} sh {row.id}.sh [base URL]",
    ]
    if any(one.operation == "POST /batches" for one in part.steps.values()):
        told += ["", "It creates batches, which are paid for where the service is not a simulator."]
    return "\n".join(f"# {line}".rstrip() for line in told)


def _told(name: str, text: str) -> list[str]:
    """A text of any characters, in lines that cannot end a comment."""
    rows = _plain(text).split("\n")
    lines = [line for row in rows for line in textwrap.wrap(row, WIDTH - 14)]
    first, *more = lines or [""]
    return [name + first, *(" " * len(name) + line for line in more)]


def _plain(text: str) -> str:
    """A text whose only control characters are its newlines."""
    escaped = (c.encode("unicode_escape").decode() for c in text)
    return "".join(
        c if c.isprintable() or c == "\n" else e for c, e in zip(text, escaped, strict=True)
    )


def _step(exchange: Exchange, places: dict[int, int], part: Extract) -> str:
    """A comment and the commands that send one request and take down what others need of it."""
    place, wanted = places[exchange.number], goal(exchange, part.story)
    name = exchange.operation or f"{exchange.method} {'a result' * ('://' in exchange.path)}"
    told = f"answered with {exchange.status} in the recorded run"
    told = "as far as it had come in the recorded run" if exchange.number < 0 else told
    lines = [f"# {place}. {_plain(name)}: {told}"]
    if exchange.authorization is None:
        lines.append("no_authorization")
    elif exchange.authorization != BEARER:
        lines.append(f"authorization {_quote(exchange.authorization)}")
    if exchange.request_body or exchange.request_type:
        lines.append(_body(exchange))
    words = [str(place), exchange.sender, exchange.method, _target(exchange, part)]
    tail = f" was {exchange.status}" + (f" until {_quote(wanted)}" if wanted else "")
    verb = "await " if wanted else "send "
    lines.append(verb + " ".join(map(_quote, words)) + tail)
    for (number, field), origin in part.taken.items():
        if number == exchange.number:
            lines.append(f"learn {place} {field} {_quote(origin.value)}")
    return "\n".join(lines)


def _target(exchange: Exchange, part: Extract) -> str:
    """Path and query, or the whole URL that an answer named."""
    query = urlencode(exchange.query, quote_via=quote)
    if "://" not in exchange.path:
        path = exchange.path if exchange.path.startswith("/") else f"/{exchange.path}"
        return quote(path, safe=SAFE) + (f"?{query}" if query else "")
    for origin in part.taken.values():
        if exchange.path in (origin.value, origin.value.partition("?")[0]):
            return origin.value
    return exchange.path + (f"?{query}" if query and "?" not in exchange.path else "")


def _body(exchange: Exchange) -> str:
    media = _quote(exchange.request_type)
    if len(exchange.request_body) > LONGEST:
        packed = base64.b64encode(zlib.compress(exchange.request_body, 9)).decode()
        return " \\\n    ".join([f"packed_body {media}", *textwrap.wrap(packed, WIDTH - 12)])
    rows = re.findall(rb"[^\n]*\n|[^\n]+", exchange.request_body) or [b""]
    return " \\\n    ".join([f"body {media}", *map(_escaped, rows)])


def _escaped(row: bytes) -> str:
    """Bytes as a word that `printf %b` turns back into them."""
    names = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    made = []
    for c in row.decode("utf-8", "surrogateescape"):
        octal = "".join(f"\\0{byte:03o}" for byte in c.encode("utf-8", "surrogateescape"))
        made.append(names.get(c) or (c if c.isprintable() and c != "'" else octal))
    return "'" + "".join(made) + "'"


def _judgment(failure: Failure, places: dict[int, int]) -> str:
    if failure.check is None:
        if not failure.story:
            return "nothing 'No request was recorded.'"
        last = failure.story[-1]
        then = [last.status, last.headers.get("content-type", ""), last.text]
        return f"compare {places[last.number]} {_json(then)}"
    given = with_references(failure.arguments, lambda one: {"$step": places[one.number]})
    words = [failure.check.__module__, failure.check.__name__, _json(given)]
    raised = _raised(failure)
    return "judge " + " ".join([*words, *([raised] if raised else [])])


def _raised(failure: Failure) -> str:
    """What the check raises on the recorded answers; empty where it speaks."""
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
