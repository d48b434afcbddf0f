"""
Writes the page `docs/corrections.md` from the ledger: `python -m contract.corrections`.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from contract.ledger import ROOT, Entry, Ledger, LedgerInvalid, Statement, read_ledger

PAGE: Path = ROOT / "docs" / "corrections.md"

# Pointers are shortened on the page; corrections.yaml has them in full.
OPERATION_POINTER = re.compile(
    r"/paths/(?P<path>[^/]+)/(?P<method>get|post)"
    r"(/requestBody/content/application~1json/schema(?=/))?"
    r"(/responses/(?P<status>\d+)(/content/application~1json/schema)?)?(?P<rest>(/.*)?)"
)

INTRODUCTION = """\
# Corrections

This page lists the mistakes in the published documents of the SiliconFlow Batch API, with a
correction and its evidence for each. `make corrections` writes it from
[contract/corrections.yaml](../contract/corrections.yaml). The tests check the claims of every entry
against the recorded pages and against `openapi.yaml`.

Nothing was measured against the service. The evidence is what the sources at the end of this page
say. An entry is *certain* when the documents show both the mistake and its correction. It is
*likely* when the mistake is shown and only the service could confirm the correction.

An entry says that something is missing from a page only where that page is recorded in full. An
address is where the vendor publishes the page of the operation now; the recorded version may be
older.
"""


def _anchor(heading: str) -> str:
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _location(statement: Statement) -> str:
    """Where a statement applies, without what it claims."""
    if statement.verb == "calls":
        return _code(statement.value)
    if statement.example:
        return f"example _{statement.example}_ " + _code(statement.at or "/")
    match = OPERATION_POINTER.fullmatch(statement.at)
    if not match:
        return _code(statement.at + _keys(statement))
    method, path = match["method"].upper(), match["path"].replace("~1", "/")
    rest = f"{match['rest']}{_keys(statement)}".strip("/").replace("~1", "/")
    parts = [_code(f"{method} {path}"), match["status"] or "", _code(rest) if rest else ""]
    return " ".join(part for part in parts if part)


def _keys(statement: Statement) -> str:
    return "/{" + ",".join(statement.each) + "}" if statement.each else ""


def _location_lines(statements: tuple[Statement, ...]) -> Iterator[str]:
    locations: dict[str, list[str]] = {}
    for statement in statements:
        file = f"published/{statement.document}.yaml" if statement.document else "openapi.yaml"
        in_file = locations.setdefault(file, [])
        if _location(statement) not in in_file:
            in_file.append(_location(statement))
    for file, in_file in locations.items():
        folder = ".." if file == "openapi.yaml" else "../contract"
        yield f"  - [{file}]({folder}/{file}): " + ", ".join(in_file)


def _page_lines(addresses: Mapping[str, str | None]) -> Iterator[str]:
    yield "- **Pages:** " + ", ".join(
        f"[{name}]({address})" if address else f"{name} (address unknown)"
        for name, address in addresses.items()
    )


def _section(ledger: Ledger, entry: Entry) -> Iterator[str]:
    yield f"### {entry.title}\n"
    yield f"`{entry.id}` · {', '.join(entry.sources)} · **{entry.certainty}**\n"
    for label in ("says", "right", "evidence", "effect"):
        text = " ".join(getattr(entry, label).split())
        yield f"- **{label.capitalize()}:** {text}"
    yield from _page_lines(ledger.addresses(entry))
    yield "- **Where:**"
    yield from _location_lines((*entry.published, *entry.corrected))
    yield ""


def _contents(ledger: Ledger) -> Iterator[str]:
    likely = sum(entry.certainty == "likely" for entry in ledger.entries)
    yield f"{len(ledger.entries)} corrections; {likely} of them are likely rather than certain.\n"
    for group, entries in ledger.groups().items():
        yield f"- [{group}](#{_anchor(group)})"
        for entry in entries:
            mark = "" if entry.certainty == "certain" else " (likely)"
            yield f"  - [{entry.title}](#{_anchor(entry.title)}){mark}"
    yield ""


def _sources(ledger: Ledger) -> Iterator[str]:
    yield "## Sources\n"
    yield "| letter | source | addresses |\n|---|---|---|"
    for letter, source in ledger.sources.items():
        addresses = "<br>".join(f"<{url}>" for url in dict.fromkeys(source.pages.values()))
        yield f"| {letter} | {source.name} | {addresses or 'unknown'} {source.note}".rstrip() + " |"


def render(ledger: Ledger) -> str:
    lines = [INTRODUCTION, *_contents(ledger)]
    for group, entries in ledger.groups().items():
        lines.append(f"## {group}\n")
        for entry in entries:
            lines += _section(ledger, entry)
    lines += _sources(ledger)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        PAGE.write_text(render(read_ledger()), encoding="utf-8")
    except LedgerInvalid as error:
        sys.exit(f"{error}. docs/corrections.md is unchanged.")
