"""
A published document beside its fresh version.

Rule 1: a correction stands while its published claims hold in the fresh document.
Rule 2: only structure is compared; prose counts where a claim is about it.
Rule 3: of a page that is not complete, more than is on record is no change.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from contract.document import METHODS, MISSING, Document, Nowhere, escape, operations, same
from contract.ledger import Claim, Ledger
from contract.vendor_pages import Page, structure

UNORDERED = ("/required", "/enum")


@attrs.frozen
class Change:
    """
    A place whose structure differs; `MISSING` on the side that lacks it.
    """

    at: str
    old: Any
    new: Any


@attrs.frozen
class Finding:
    """
    What became of one correction. A `moved` claim has lost its place, perhaps with the mistake.
    """

    entry: str
    standing: tuple[Claim, ...]
    fixed: tuple[Claim, ...]
    moved: tuple[Claim, ...]

    @property
    def outcome(self) -> str:
        if not self.fixed and not self.moved:
            return "standing"
        if self.standing:
            return "fixed in part"
        return "fixed" if self.fixed else "moved"


@attrs.frozen
class Comparison:
    page: Page
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]

    @property
    def changed(self) -> bool:
        return bool(self.changes) or any(found.outcome != "standing" for found in self.findings)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _references(item)


def _components(document: Document, root: object) -> dict[str, dict[str, Any]]:
    """
    The components that are in use from `root` on, and every security scheme.
    """
    components = document.get("components")
    kinds: dict[str, Mapping[str, Any]] = {
        kind: named
        for kind, named in (components.items() if isinstance(components, Mapping) else ())
        if isinstance(named, Mapping)
    }
    kept: dict[str, dict[str, Any]] = {}
    waiting = list(_references(root))
    waiting += [f"#/components/securitySchemes/{name}" for name in kinds.get("securitySchemes", ())]
    while waiting:
        kind, _, rest = waiting.pop().removeprefix("#/components/").partition("/")
        name = rest.partition("/")[0]
        if name in kinds.get(kind, {}) and name not in kept.get(kind, {}):
            kept.setdefault(kind, {})[name] = kinds[kind][name]
            waiting += _references(kinds[kind][name])
    return kept


def excerpt(document: Document, method: str, path: str, name: str) -> dict[str, Any]:
    """
    One operation with all that it refers to; its path is written as `name`.
    """
    item = {
        key: value
        for key, value in document["paths"][path].items()
        if key == method or key not in METHODS
    }
    whole = {
        key: document[key] for key in ("openapi", "info", "servers", "security") if key in document
    }
    return {**whole, "paths": {name: item}, "components": _components(document, item)}


def _sorted(values: list[Any]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def changes(old: Any, new: Any, at: str = "") -> Iterator[Change]:
    """
    The topmost places that differ. The order of `required` and of `enum` means nothing.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from changes(old.get(key, MISSING), new.get(key, MISSING), f"{at}/{escape(key)}")
    elif isinstance(old, list) and isinstance(new, list) and at.endswith(UNORDERED):
        if _sorted(old) != _sorted(new):
            yield Change(at, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            one, other = (
                values[index] if index < len(values) else MISSING for values in (old, new)
            )
            yield from changes(one, other, f"{at}/{index}")
    elif old is MISSING or new is MISSING or not same(old, new):
        yield Change(at, old, new)


def _find(entry: str, claims: list[Claim], fresh: Document, aligned: Document) -> Finding:
    """
    Each claim is judged where the vendor's path leads, and else where the published one would.
    """
    found: dict[str, list[Claim]] = {"standing": [], "fixed": [], "moved": []}
    for claim in claims:
        outcome = "moved"
        for document in (aligned, fresh):
            try:
                outcome = "standing" if claim.holds(document) else "fixed"
            except Nowhere:
                continue
        found[outcome].append(claim)
    return Finding(entry, *(tuple(found[outcome]) for outcome in ("standing", "fixed", "moved")))


def _explains(claim: Claim, change: Change, documents: tuple[Document, Document]) -> bool:
    """
    Whether the change is the correction itself: a claim of presence explains its own place alone.
    """
    if claim.verb == "calls" or claim.at == "/paths":
        return change.at == "/paths"
    for document in documents:
        try:
            place = claim.place(document)
        except Nowhere:
            continue
        inside = change.at.startswith(f"{place}/") and claim.verb not in ("has", "lacks")
        if change.at == place or inside:
            return True
    return False


def compare(page: Page, ledger: Ledger, fresh: Document, method: str, path: str) -> Comparison:
    """
    The page beside the fresh document's operation `method path`, which is the same one.
    """
    name = next(known for verb, known in operations(page.document) if verb == method)
    aligned = {**fresh, "paths": {**fresh["paths"], name: fresh["paths"][path]}}
    claims = {
        entry.id: [
            claim
            for claim in entry.published_claims()
            if claim.document == page.name and claim.example is None
        ]
        for entry in ledger.entries
    }
    findings = tuple(_find(entry, mine, fresh, aligned) for entry, mine in claims.items() if mine)
    found = list(
        changes(
            structure(excerpt(page.document, method, name, name)),
            structure(excerpt(fresh, method, path, name)),
        )
    )
    if path != name:
        found.insert(0, Change("/paths", name, path))
    fixed = [claim for finding in findings for claim in finding.fixed]
    unexplained = tuple(
        change
        for change in found
        if (page.complete or change.old is not MISSING)
        and not any(_explains(claim, change, (page.document, aligned)) for claim in fixed)
    )
    return Comparison(page, findings, unexplained)
