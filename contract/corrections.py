"""
The page `docs/corrections.md`, rendered from the ledger: `python -m contract.corrections`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from contract.ledger import ROOT, Entry, Ledger, LedgerInvalid, Statement, read_ledger

RENDERED: Path = ROOT / "docs" / "corrections.md"

# The pointers are long and mostly alike; corrections.yaml has them in full.
OPERATION = re.compile(
    r"/paths/(?P<path>[^/]+)/(?P<method>get|post)"
    r"(/requestBody/content/application~1json/schema(?=/))?"
    r"(/responses/(?P<answer>\d+)(/content/application~1json/schema)?)?(?P<rest>(/.*)?)"
)

HEAD = """\
# Corrections

What the published documents of the SiliconFlow Batch API get wrong, what is right instead, and how
we know. Written by `make corrections` from
[contract/corrections.yaml](../contract/corrections.yaml); the tests show both sides of every entry.
Nothing here was measured against the service: the evidence is what the documents say.
"""


def _slug(heading: str) -> str:
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _where(statement: Statement) -> str:
    """
    The place of a statement, without what it claims.
    """
    if statement.verb == "calls":
        return _code(statement.value)
    if statement.example:
        return f"example _{statement.example}_ " + _code(statement.at or "/")
    found = OPERATION.fullmatch(statement.at)
    if not found:
        return _code(statement.at + _each(statement))
    method, path = found["method"].upper(), found["path"].replace("~1", "/")
    rest = f"{found['rest']}{_each(statement)}".strip("/").replace("~1", "/")
    parts = [_code(f"{method} {path}"), found["answer"] or "", _code(rest) if rest else ""]
    return " ".join(part for part in parts if part)


def _each(statement: Statement) -> str:
    return "/{" + ",".join(statement.each) + "}" if statement.each else ""


def _places(statements: tuple[Statement, ...]) -> Iterator[str]:
    seen: dict[str, list[str]] = {}
    for statement in statements:
        file = f"published/{statement.document}.yaml" if statement.document else "openapi.yaml"
        where = seen.setdefault(file, [])
        if _where(statement) not in where:
            where.append(_where(statement))
    for file, where in seen.items():
        folder = ".." if file == "openapi.yaml" else "../contract"
        yield f"  - [{file}]({folder}/{file}): " + ", ".join(where)


def _section(entry: Entry) -> Iterator[str]:
    yield f"### {entry.title}\n"
    yield f"`{entry.id}` · {', '.join(entry.sources)} · **{entry.certainty}**\n"
    for label in ("says", "right", "evidence", "effect"):
        text = " ".join(getattr(entry, label).split())
        yield f"- **{label.capitalize()}:** {text}"
    yield "- **Where:**"
    yield from _places((*entry.published, *entry.corrected))
    yield ""


def _contents(ledger: Ledger) -> Iterator[str]:
    likely = sum(entry.certainty == "likely" for entry in ledger.entries)
    yield f"{len(ledger.entries)} corrections; {likely} of them are likely rather than certain.\n"
    for group, entries in ledger.groups().items():
        yield f"- [{group}](#{_slug(group)})"
        for entry in entries:
            mark = "" if entry.certainty == "certain" else " (likely)"
            yield f"  - [{entry.title}](#{_slug(entry.title)}){mark}"
    yield ""


def _sources(ledger: Ledger) -> Iterator[str]:
    yield "## Sources\n"
    yield "| letter | document |\n|---|---|"
    yield from (f"| {letter} | {name} |" for letter, name in ledger.sources.items())


def render(ledger: Ledger) -> str:
    lines = [HEAD, *_contents(ledger)]
    for group, entries in ledger.groups().items():
        lines.append(f"## {group}\n")
        for entry in entries:
            lines += _section(entry)
    lines += _sources(ledger)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        RENDERED.write_text(render(read_ledger()), encoding="utf-8")
    except LedgerInvalid as error:
        sys.exit(f"{error}. docs/corrections.md is unchanged.")
