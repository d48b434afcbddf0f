"""
What the vendor has changed since `published/` was written: `python -m contract.drift FILE`.

Rule 1: a document is known by its operations, whatever its file is called.
Rule 2: the exit code is 0 when nothing changed, 1 when something did, 2 for an unreadable file.
"""

import json
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from contract.comparison import Change, Comparison, Finding, compare
from contract.document import MISSING, Document, Nowhere, locate, operations
from contract.ledger import Claim, Ledger, read_ledger
from contract.parsing import Unreadable, read_download
from contract.vendor_pages import Page, read_pages

SECONDS = 60
WIDTH = 70
OURS = ("/batches", "/files")
OUTCOMES = {
    "fixed": "fixed by the vendor",
    "fixed in part": "fixed in part",
    "moved": "gone with their place, fixed or moved",
}


def _common_path(path: str) -> str:
    """
    What stays of a path when a doubled prefix or a parameter's name is corrected.
    """
    return re.sub(r"{[^{}]*}", "{}", re.sub(r"^(/v1(?=/))+", "", path))


def _hosts(document: Document) -> set[str]:
    servers = document.get("servers")
    urls = [
        server.get("url")
        for server in (servers if isinstance(servers, list) else ())
        if isinstance(server, Mapping)
    ]
    return {url.split("/")[2] for url in urls if isinstance(url, str) and url.count("/") > 1}


def counterparts(fresh: Document, pages: Mapping[str, Page], method: str, path: str) -> list[Page]:
    """
    The published documents of one operation; of two sites' documents the one with the same server.
    """
    operation = (method, _common_path(path))
    named = [
        page
        for page in pages.values()
        if operation in {(verb, _common_path(known)) for verb, known in operations(page.document)}
    ]
    return [page for page in named if _hosts(page.document) & _hosts(fresh)] or named


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _brief(value: object) -> str:
    if value is MISSING:
        return "nothing"
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"


def _change(change: Change) -> str:
    at = _printable(change.at)
    if change.old is MISSING:
        return f"+ {at}: {_brief(change.new)}"
    if change.new is MISSING:
        return f"- {at}: {_brief(change.old)}"
    return f"~ {at}: {_brief(change.old)} is now {_brief(change.new)}"


def _claim(claim: Claim, fresh: Document) -> str:
    now = ""
    if claim.verb == "is":
        try:
            now = f"; now {_brief(locate(fresh, claim.at)[1])}"
        except Nowhere:
            now = "; its place is gone"
    return f"no longer: {claim}{now}"


def _findings(findings: list[Finding], heading: str, fresh: Document) -> Iterator[str]:
    if findings:
        yield f"  {heading}: {len(findings)}"
    for found in findings:
        yield f"    {found.entry}"
        for claim in found.fixed + found.moved:
            yield f"      {_claim(claim, fresh)}"


def report(comparison: Comparison, ledger: Ledger, fresh: Document) -> Iterator[str]:
    """
    The lines that a person reads.
    """
    page, findings = comparison.page, comparison.findings
    yield f"published/{page.name}.yaml, {ledger.sources[page.source]}"
    for outcome, heading in OUTCOMES.items():
        wanted = [found for found in findings if found.outcome == outcome]
        yield from _findings(wanted, heading, fresh)
    if comparison.changes:
        yield f"  changed elsewhere: {len(comparison.changes)}"
        yield from (f"    {_change(change)}" for change in comparison.changes)
    standing = [found.entry for found in findings if found.outcome == "standing"]
    yield f"  still standing: {len(standing)}"
    yield from (f"    {entry}" for entry in standing)


def drift(file: Path, ledger: Ledger, pages: Mapping[str, Page]) -> tuple[bool, list[str]]:
    """
    Whether anything changed, and the report. Raises `Unreadable`.
    """
    fresh = read_download(file)
    changed, lines, strangers = False, [], []  # type: tuple[bool, list[str], list[str]]
    for method, path in operations(fresh):
        for page in counterparts(fresh, pages, method, path):
            comparison = compare(page, ledger, fresh, method, path)
            changed |= comparison.changed
            lines += [*report(comparison, ledger, fresh), ""]
        if not counterparts(fresh, pages, method, path):
            strangers.append(f"{method.upper()} {_printable(path)}")
    ours = [name for name in strangers if _common_path(name.split()[1]).startswith(OURS)]
    if not lines and not ours:
        raise Unreadable(
            str(file),
            f"none of its operations is on record: {', '.join(strangers[:5])}.",
            "Batches and files are what published/ holds; name a document of theirs.",
        )
    lines += [f"new operation, not in published/: {name}" for name in ours]
    if changed or ours:
        lines.append("Something changed: contract/published/README.md says what to do now.")
    else:
        lines.append("Nothing changed.")
    return changed or bool(ours), lines


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m contract.drift FILE\n")
        return 2
    try:
        changed, lines = drift(Path(arguments[0]), read_ledger(), read_pages())
    except Unreadable as error:
        sys.stderr.write(f"drift: {error}\n")
        return 2
    sys.stdout.write("\n".join([*lines, ""]))
    return int(changed)


def _late(*_: object) -> None:
    sys.stderr.write(f"drift: comparing took longer than {SECONDS} s; gave up.\n")
    raise SystemExit(2)


if __name__ == "__main__":
    if hasattr(signal, "SIGALRM"):
        # A schema from outside can hold a pattern that takes for ever on the shortest text.
        signal.signal(signal.SIGALRM, _late)
        signal.alarm(SECONDS)
    sys.exit(main(sys.argv[1:]))
