"""
Measures which lies about one value the suite catches: `make lies`.

The lies are generated from openapi.yaml: for each operation and each value of its 200 response, the
value is wrong in one way and has the right type. A proxy in front of a sound simulator tells the
lie in every response, the core of the suite runs against it, and what survives is the list of what
the suite does not see. The result is docs/lies.md.
"""

import contextlib
import io
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml
from attrs import define

from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service import target
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS
from siliconflow_batch_simulator import Simulator
from support.repeated_scripts import KEYS, QUICK
from support.spoiling_proxy import spoiled

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "lies.md"
PATHS = {
    "/batches": "/batches$",
    "/batches/{batch_id}": "/batches/[^/]+$",
    "/batches/{batch_id}/cancel": "/batches/[^/]+/cancel$",
    "/files": "/files$",
}
# How a value can be wrong, by its type; None where a value cannot be wrong in this way.
CHANGES: dict[type, dict[str, Callable[[Any], Any]]] = {
    str: {
        "another": lambda text: text + "x" if text else None,
        "shorter": lambda text: text[:-1] or None,
        "in other case": lambda text: text.swapcase() if text.swapcase() != text else None,
        "empty": lambda text: "" if text else None,
    },
    int: {
        "one more": lambda number: number + 1,
        "one less": lambda number: number - 1 if number else None,
        "an hour more": lambda number: number + 3_600 if number > 10**6 else None,
        "a thousand times": lambda number: number * 1_000 if number else None,
        "zero": lambda number: 0 if number else None,
    },
    bool: {"the opposite": lambda value: not value},
    dict: {"empty": lambda value: {} if value else None},
    list: {
        "without its last item": lambda items: items[:-1] if items else None,
        "with its last item twice": lambda items: [*items, items[-1]] if items else None,
        "reversed": lambda items: items[::-1] if len(items) > 1 else None,
    },
}
TYPES = {
    **{"string": str, "integer": int, "boolean": bool, "object": dict, "array": list},
    **{"number": int, "null": type(None)},
}
NULL = "null"
# Why the suite cannot judge a lie, by a pattern of its name.
REASONS = {
    r"`message`": "a text for people, which no document fixes",
    r"^GET /batches .*_file_id": "a download URL may be signed anew for each response",
    r"^GET /files `data.data`: reversed": "an alternative of the open question files-order",
    r"^GET /batches .*metadata": "an alternative of the open question list-metadata",
}


@define(frozen=True)
class Lie:
    """An operation, the place of a value in its response (`*` is each item), and what is wrong."""

    operation: str
    place: tuple[str, ...]
    change: str

    def __str__(self) -> str:
        return f"{self.operation} `{'.'.join(self.place)}`: {self.change}"


def lies() -> Iterator[Lie]:
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    schemas = contract["components"]["schemas"]
    for (path, item), method in itertools.product(contract["paths"].items(), ("get", "post")):
        if method in item and path in PATHS:
            content = item[method]["responses"]["200"]["content"]["application/json"]
            for place, kinds in _places(content["schema"], schemas):
                changes = [name for kind in kinds for name in CHANGES.get(TYPES[kind], ())]
                for change in (*dict.fromkeys(changes), NULL):
                    yield Lie(f"{method.upper()} {path}", place, change)


def _places(
    schema: dict[str, Any], schemas: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """The place of each value and its types; an object and a list are values too."""
    if reference := schema.get("$ref"):
        schema = schemas[reference.rpartition("/")[2]]
    for option in _options(schema):
        yield from _places(option, schemas)
    for name, one in schema.get("properties", {}).items():
        yield (name,), _types(one, schemas)
        yield from (((name, *rest), kinds) for rest, kinds in _places(one, schemas))
    if "items" in schema:
        yield from ((("*", *rest), kinds) for rest, kinds in _places(schema["items"], schemas))


def _options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for name in ("anyOf", "oneOf", "allOf") for one in schema.get(name, ())]


def _types(schema: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    if reference := schema.get("$ref"):
        schema = schemas[reference.rpartition("/")[2]]
    given = schema.get("type", [])
    own = [given] if isinstance(given, str) else list(given)
    return own + [kind for option in _options(schema) for kind in _types(option, schemas)]


def told(value: Any, place: tuple[str, ...], change: str) -> tuple[Any, bool]:
    """The value with the lie at a place, and whether there was something to lie about."""
    if not place:
        if value is None:
            return value, False
        if change == NULL:
            return None, True
        changes = CHANGES.get(type(value), {})
        wrong = changes[change](value) if change in changes else None
        return (value, False) if wrong is None else (wrong, True)
    first, *rest = place
    if first == "*" and isinstance(value, list):
        pairs = [told(one, tuple(rest), change) for one in value]
        return [one for one, _ in pairs], any(changed for _, changed in pairs)
    if isinstance(value, dict) and first in value:
        wrong, changed = told(value[first], tuple(rest), change)
        return {**value, first: wrong}, changed
    return value, False


@define(frozen=True)
class Outcome:
    lie: Lie
    told: bool
    failed: tuple[str, ...]


def outcome(lie: Lie) -> Outcome:
    method, path = lie.operation.split(" ")
    was_told = []

    def spoil(raw: bytes) -> bytes:
        head, _, body = raw.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            return raw
        wrong, changed = told(json.loads(body), lie.place, lie.change)
        was_told.append(changed)
        body = json.dumps(wrong).encode()
        return re.sub(rb"(?<=Content-Length: )\d+", b"%d" % len(body), head) + b"\r\n\r\n" + body

    target.LIST_LAG = 1  # a sound simulator lists a batch at once
    with (
        Simulator(keys=KEYS, pace=QUICK) as simulator,
        spoiled(simulator, f"^{method} {PATHS[path]}", spoil) as url,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        rig = Rig.at(url, *KEYS, writes=True, patience=2, unmetered=True)
        try:
            run = judge(rig, 1, selected(core=True)).run()
        finally:
            rig.close()
    failed = [id for id, verdict in run.verdicts.items() if verdict.outcome == FAILS]
    return Outcome(lie, any(was_told), tuple(failed))


def main() -> int:
    wanted = [lie for lie in dict.fromkeys(lies()) if not sys.argv[1:] or sys.argv[1] in str(lie)]
    with ProcessPoolExecutor(3 * (os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        outcomes = []
        for one in pool.map(outcome, wanted):
            outcomes.append(one)
            print(one.lie, "-" if not one.told else ", ".join(one.failed) or "SURVIVES", flush=True)  # noqa: T201
    if not sys.argv[1:]:
        PAGE.write_text(page([one for one in outcomes if one.told]), encoding="utf-8")
    return 0


def page(outcomes: list[Outcome]) -> str:
    survivors = [one for one in outcomes if not one.failed]
    tiers = {id: row.tier for id, row in load().items()}
    by_must = sum(any(tiers[id] == "must" for id in one.failed) for one in outcomes)
    caught = len(outcomes) - len(survivors)
    lines = [
        "# Lies that the suite sees",
        "",
        f"Written by `make lies` on {time.strftime('%Y-%m-%d')}. Each value of each 200 response "
        "of the contract is wrong in one way, with the right type or null, in every response of a "
        "proxy in front of a sound simulator. "
        f"The core of the suite catches {caught} of {len(outcomes)} lies "
        f"({caught / len(outcomes):.0%}), {by_must} of them by a `must`.",
        "",
        "## What it does not see",
        "",
        *(f"- {one.lie} ({_reason(one.lie)})" for one in survivors),
        "",
        "## What it sees",
        "",
        "| lie | caught by |",
        "|---|---|",
        *(f"| {one.lie} | {', '.join(one.failed[:4])} |" for one in outcomes if one.failed),
    ]
    return "\n".join(lines) + "\n"


def _reason(lie: Lie) -> str:
    reasons = (text for pattern, text in REASONS.items() if re.search(pattern, str(lie)))
    return next(reasons, "not looked into yet")


if __name__ == "__main__":
    sys.exit(main())
