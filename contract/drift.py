"""
Reports what the vendor has changed since `published/` was written: `python -m contract.drift FILE`.

Rule 1: a downloaded document is recognized by its operations, not by the name of its file.
Rule 2: the exit status is 0 without changes, 1 with changes, 2 for a file that cannot be read.
"""

import json
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from contract.comparison import Change, Comparison, Finding, compare
from contract.document import MISSING, Document, PointerNotFound, locate, operations
from contract.downloaded_document import DocumentUnreadable, read_downloaded_document
from contract.ledger import Claim, Ledger, read_ledger
from contract.vendor_pages import Page, read_pages

TIME_LIMIT = 60  # seconds
MAX_WIDTH = 70  # characters of a value in the report
BATCH_API = ("/batches", "/files")
HEADINGS = {
    "fixed": "fixed by the vendor",
    "partly fixed": "partly fixed",
    "unknown": "can no longer be checked (fixed or moved)",
}


def _normalized_path(path: str) -> str:
    """The path without `/v1` prefixes and without the names of its parameters."""
    return re.sub(r"{[^{}]*}", "{}", re.sub(r"^(/v1(?=/))+", "", path))


def _hosts(document: Document) -> set[str]:
    servers = document.get("servers")
    urls = [
        server.get("url")
        for server in (servers if isinstance(servers, list) else ())
        if isinstance(server, Mapping)
    ]
    return {url.split("/")[2] for url in urls if isinstance(url, str) and url.count("/") > 1}


def matching_pages(
    downloaded: Document, pages: Mapping[str, Page], method: str, path: str
) -> list[Page]:
    """The pages of one operation, without those of another host when one has the same host."""
    operation = (method, _normalized_path(path))
    matching = [
        page
        for page in pages.values()
        if operation in {(verb, _normalized_path(path)) for verb, path in operations(page.document)}
    ]
    hosts = {page.name: _hosts(page.document) for page in matching}
    same_host = [page for page in matching if hosts[page.name] & _hosts(downloaded)]
    if not same_host:
        return matching
    return [page for page in matching if page in same_host or not hosts[page.name]]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _shortened(value: object) -> str:
    if value is MISSING:
        return "nothing"
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= MAX_WIDTH else f"{text[:MAX_WIDTH]}…"


def _change_line(change: Change) -> str:
    at = _printable(change.at)
    if change.old is MISSING:
        return f"+ {at}: {_shortened(change.new)}"
    if change.new is MISSING:
        return f"- {at}: {_shortened(change.old)}"
    return f"~ {at}: {_shortened(change.old)} is now {_shortened(change.new)}"


def _claim_line(claim: Claim, downloaded: Document) -> str:
    suffix = ""
    if claim.verb == "is":
        try:
            suffix = f"; now {_shortened(locate(downloaded, claim.at)[1])}"
        except PointerNotFound:
            suffix = "; now not found"
    return f"no longer true: {claim}{suffix}"


def _finding_lines(findings: list[Finding], heading: str, downloaded: Document) -> Iterator[str]:
    if findings:
        yield f"  {heading}: {len(findings)}"
    for finding in findings:
        yield f"    {finding.entry}"
        for claim in finding.fixed + finding.unknown:
            yield f"      {_claim_line(claim, downloaded)}"


def report_lines(comparison: Comparison, ledger: Ledger, downloaded: Document) -> Iterator[str]:
    page, findings = comparison.page, comparison.findings
    yield f"published/{page.name}.yaml, {ledger.sources[page.source].name}"
    for outcome, heading in HEADINGS.items():
        with_outcome = [finding for finding in findings if finding.outcome == outcome]
        yield from _finding_lines(with_outcome, heading, downloaded)
    if comparison.changes:
        yield f"  other changes: {len(comparison.changes)}"
        yield from (f"    {_change_line(change)}" for change in comparison.changes)
    unfixed = [finding.entry for finding in findings if finding.outcome == "not fixed"]
    yield f"  not fixed: {len(unfixed)}"
    yield from (f"    {entry}" for entry in unfixed)


def drift(file: Path, ledger: Ledger, pages: Mapping[str, Page]) -> tuple[bool, list[str]]:
    """
    Whether anything has changed, and the lines of the report.

    Raises `DocumentUnreadable`.
    """
    downloaded = read_downloaded_document(file)
    changed, lines, unknown = False, [], []  # type: tuple[bool, list[str], list[str]]
    for method, path in operations(downloaded):
        matching = matching_pages(downloaded, pages, method, path)
        for page in matching:
            comparison = compare(page, ledger, downloaded, method, path)
            changed |= comparison.changed
            lines += [*report_lines(comparison, ledger, downloaded), ""]
        if not matching:
            unknown.append(f"{method.upper()} {_printable(path)}")
    new = [name for name in unknown if _normalized_path(name.split()[1]).startswith(BATCH_API)]
    if not lines and not new:
        raise DocumentUnreadable(
            str(file),
            f"published/ has none of its operations: {', '.join(unknown[:5])}.",
            "Pass a document with operations on /batches or /files.",
        )
    lines += [f"new operation, not in published/: {name}" for name in new]
    if changed or new:
        lines.append("Changes found. contract/published/README.md lists the next steps.")
    else:
        lines.append("No changes.")
    return changed or bool(new), lines


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m contract.drift FILE\n")
        return 2
    try:
        changed, lines = drift(Path(arguments[0]), read_ledger(), read_pages())
    except DocumentUnreadable as error:
        sys.stderr.write(f"drift: {error}\n")
        return 2
    sys.stdout.write("\n".join([*lines, ""]))
    return int(changed)


def _exit_at_time_limit(*_: object) -> None:
    sys.stderr.write(f"drift: stopped: the comparison took longer than {TIME_LIMIT} seconds.\n")
    raise SystemExit(2)


if __name__ == "__main__":
    if hasattr(signal, "SIGALRM"):
        # A regular expression in a downloaded schema can take forever.
        signal.signal(signal.SIGALRM, _exit_at_time_limit)
        signal.alarm(TIME_LIMIT)
    sys.exit(main(sys.argv[1:]))
