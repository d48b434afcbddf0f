"""
Compares a published page with a newly downloaded document of the same operation.

Rule 1: a mistake is not fixed as long as its published claims hold in the downloaded document.
Rule 2: only structure is compared. Prose is examined only by claims about it.
Rule 3: additions to a page that is recorded in part are not changes.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from contract.document import (
    METHODS,
    MISSING,
    Document,
    PointerNotFound,
    escape,
    json_equal,
    operations,
)
from contract.ledger import Claim, Ledger
from contract.vendor_pages import Page, structure

UNORDERED_KEYS = ("/required", "/enum")


@attrs.frozen
class Change:
    """A difference at the pointer `at`. `old` or `new` is `MISSING` on the side that lacks it."""

    at: str
    old: Any
    new: Any


@attrs.frozen
class Finding:
    """
    The claims of one ledger entry, by their state in the downloaded document.

    An `unknown` claim cannot be checked, because its place does not exist or is not valid.
    """

    entry: str
    unfixed: tuple[Claim, ...]
    fixed: tuple[Claim, ...]
    unknown: tuple[Claim, ...]

    @property
    def outcome(self) -> str:
        if not self.fixed and not self.unknown:
            return "not fixed"
        if self.unfixed:
            return "partly fixed"
        return "fixed" if self.fixed else "unknown"


@attrs.frozen
class Comparison:
    """`changes` are the differences that no fixed claim explains."""

    page: Page
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]

    @property
    def changed(self) -> bool:
        return bool(self.changes) or any(
            finding.outcome != "not fixed" for finding in self.findings
        )


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _references(item)


def _used_components(document: Document, root: object) -> dict[str, dict[str, Any]]:
    """The components that `root` refers to, directly or not, and every security scheme."""
    components = document.get("components")
    sections: dict[str, Mapping[str, Any]] = {
        section: named
        for section, named in (components.items() if isinstance(components, Mapping) else ())
        if isinstance(named, Mapping)
    }
    used: dict[str, dict[str, Any]] = {}
    references = list(_references(root))
    references += [
        f"#/components/securitySchemes/{name}" for name in sections.get("securitySchemes", ())
    ]
    while references:
        section, _, rest = references.pop().removeprefix("#/components/").partition("/")
        name = rest.partition("/")[0]
        if name in sections.get(section, {}) and name not in used.get(section, {}):
            used.setdefault(section, {})[name] = sections[section][name]
            references += _references(sections[section][name])
    return used


def _operation_document(document: Document, method: str, path: str, name: str) -> dict[str, Any]:
    """A document of one operation and its components, in which the path is called `name`."""
    item = {
        key: value
        for key, value in document["paths"][path].items()
        if key == method or key not in METHODS
    }
    root = {
        key: document[key] for key in ("openapi", "info", "servers", "security") if key in document
    }
    return {**root, "paths": {name: item}, "components": _used_components(document, item)}


def _sorted(values: list[Any]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def find_changes(old: Any, new: Any, at: str = "") -> Iterator[Change]:
    """The topmost differences. The order of `required` and `enum` is ignored."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            pointer = f"{at}/{escape(key)}"
            yield from find_changes(old.get(key, MISSING), new.get(key, MISSING), pointer)
    elif isinstance(old, list) and isinstance(new, list) and at.endswith(UNORDERED_KEYS):
        if _sorted(old) != _sorted(new):
            yield Change(at, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            old_item, new_item = (
                values[index] if index < len(values) else MISSING for values in (old, new)
            )
            yield from find_changes(old_item, new_item, f"{at}/{index}")
    elif old is MISSING or new is MISSING or not json_equal(old, new):
        yield Change(at, old, new)


def _finding(entry: str, claims: list[Claim], documents: tuple[Document, ...]) -> Finding:
    """Evaluate each claim in the last of the documents that has its place."""
    states: dict[str, list[Claim]] = {"unfixed": [], "fixed": [], "unknown": []}
    for claim in claims:
        state = "unknown"
        for document in documents:
            try:
                state = "unfixed" if claim.holds(document) else "fixed"
            except PointerNotFound:
                continue
        states[state].append(claim)
    return Finding(entry, **{state: tuple(found) for state, found in states.items()})


def _explains(claim: Claim, change: Change, documents: tuple[Document, ...]) -> bool:
    """Whether the change is what fixed the claim."""
    if claim.verb == "calls" or claim.at == "/paths":
        return change.at == "/paths"
    for document in documents:
        try:
            location = claim.location(document)
        except PointerNotFound:
            continue
        # `has` and `lacks` are about the presence of a key, not about what is below it.
        below = change.at.startswith(f"{location}/") and claim.verb not in ("has", "lacks")
        if change.at == location or below:
            return True
    return False


def _claims_about(page: Page, ledger: Ledger) -> dict[str, list[Claim]]:
    """The claims about the structure of a page, by ledger entry."""
    claims = {
        entry.id: [
            claim
            for claim in entry.published_claims()
            if claim.document == page.name and claim.example is None
        ]
        for entry in ledger.entries
    }
    return {entry: about_page for entry, about_page in claims.items() if about_page}


def compare(page: Page, ledger: Ledger, downloaded: Document, method: str, path: str) -> Comparison:
    """
    Compare a page with the operation `method path` of a downloaded document.

    The path may be written differently on the page; claims are evaluated with either spelling.
    """
    published_path = next(path for verb, path in operations(page.document) if verb == method)
    paths = {**downloaded["paths"], published_path: downloaded["paths"][path]}
    renamed = {**downloaded, "paths": paths}
    findings = tuple(
        _finding(entry, claims, (renamed, downloaded))
        for entry, claims in _claims_about(page, ledger).items()
    )
    changes = list(
        find_changes(
            structure(_operation_document(page.document, method, published_path, published_path)),
            structure(_operation_document(downloaded, method, path, published_path)),
        )
    )
    if path != published_path:
        changes.insert(0, Change("/paths", published_path, path))
    fixed = [claim for finding in findings for claim in finding.fixed]
    unexplained = tuple(
        change
        for change in changes
        if (page.complete or change.old is not MISSING)
        and not any(_explains(claim, change, (page.document, renamed)) for claim in fixed)
    )
    return Comparison(page, findings, unexplained)
