"""
The ledger: what was wrong in the published documents, where, and how we know.

Rule 1: both sides of an entry are data: claims that one table of verbs judges, in `published/`, in
`openapi.yaml` and in whatever the vendor publishes next.
Rule 2: an entry without claims on both sides is refused, and so is a verb that is not in the table.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import yaml

from contract import document as documents
from contract.document import MISSING, Document, Nowhere, escape, locate, same, unfollowed
from contract.vendor_pages import Page

ROOT = Path(__file__).parents[1]
LEDGER = ROOT / "contract" / "corrections.yaml"
CONTRACT = ROOT / "openapi.yaml"


@attrs.frozen
class LedgerInvalid(Exception):
    """
    An entry of `corrections.yaml` that cannot be read.
    """

    entry: str
    reason: str

    def __str__(self) -> str:
        return f"corrections.yaml, entry {self.entry!r}: {self.reason}"


def _is(document: Document, at: str, expected: object) -> bool:
    _, value = locate(document, at)
    return value is not MISSING and same(value, expected)


def _has(document: Document, at: str, item: str) -> bool:
    _, value = locate(document, at)
    if isinstance(value, str):
        return item in " ".join(value.split())
    if isinstance(value, Mapping | list):
        return item in value
    raise Nowhere(at)


def _ref_siblings(document: Document, at: str, expected: list[str]) -> bool:
    value = unfollowed(document, at)
    if not isinstance(value, Mapping):
        raise Nowhere(at)
    return "$ref" in value and sorted(value) == sorted(["$ref", *expected])


VERBS: Mapping[str, Callable[[Document, str, Any], bool]] = {
    "is": _is,
    "has": _has,
    "lacks": lambda document, at, item: not _has(document, at, item),
    "accepts": documents.accepts,
    "rejects": lambda document, at, instance: not documents.accepts(document, at, instance),
    "ref_siblings": _ref_siblings,
    "calls": lambda document, at, call: call in documents.calls(document),
}
PLURAL = frozenset({"has", "lacks", "accepts", "rejects"})


@attrs.frozen
class Claim:
    """
    One sentence about one place: `holds` in the document, or not, or raises `Nowhere`.
    """

    at: str
    verb: str
    value: Any
    document: str = ""
    example: str | None = None

    def holds(self, document: Document) -> bool:
        return VERBS[self.verb](document, self.at, self.value)

    def holds_in(self, page: Page) -> bool:
        return self.holds(page.example(self.example).body if self.example else page.document)

    def place(self, document: Document) -> str:
        """
        Where the claim would change if the document did.
        """
        where, value = locate(document, self.at)
        inside = self.verb in ("has", "lacks") and isinstance(value, Mapping)
        return f"{where}/{escape(self.value)}" if inside else where

    def __str__(self) -> str:
        return f"{self.at} {self.verb} {self.value!r}"


@attrs.frozen
class Statement:
    """
    Claims that share a verb, as the ledger writes them: `each` names the places under `at`.
    """

    at: str
    verb: str
    value: Any
    document: str = ""
    example: str | None = None
    each: tuple[str, ...] = ()

    def claims(self) -> Iterator[Claim]:
        places = [f"{self.at}/{escape(name)}" for name in self.each] or [self.at]
        for place in places:
            for value in self.value if self.verb in PLURAL else [self.value]:
                yield Claim(place, self.verb, value, self.document, self.example)


@attrs.frozen
class Entry:
    """
    One published mistake. `shown` holds the part of the evidence that can be checked.
    """

    id: str
    title: str
    group: str
    sources: tuple[str, ...]
    certainty: str
    says: str
    right: str
    evidence: str
    effect: str
    published: tuple[Statement, ...]
    shown: tuple[Statement, ...]
    corrected: tuple[Statement, ...]

    def published_claims(self) -> list[Claim]:
        return [claim for statement in self.published for claim in statement.claims()]

    def shown_claims(self) -> list[Claim]:
        return [claim for statement in self.shown for claim in statement.claims()]

    def corrected_claims(self) -> list[Claim]:
        return [claim for statement in self.corrected for claim in statement.claims()]


@attrs.frozen
class Ledger:
    sources: Mapping[str, str]
    entries: tuple[Entry, ...]

    def groups(self) -> dict[str, list[Entry]]:
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.group, []).append(entry)
        return groups


def _statement(entry: str, fields: dict[str, Any], places: Mapping[str, str]) -> Statement:
    verbs = [verb for verb in VERBS if verb in fields]
    unknown = fields.keys() - {"document", "example", "at", "each", *verbs}
    if len(verbs) != 1 or unknown:
        raise LedgerInvalid(entry, f"a claim needs one verb of {', '.join(VERBS)}: {fields!r}")
    verb, at = verbs[0], str(fields.get("at", ""))
    if verb in PLURAL and not isinstance(fields[verb], list):
        raise LedgerInvalid(entry, f"{verb!r} takes a list, not {fields[verb]!r}")
    if at and not at.startswith("/"):
        name, _, rest = at.partition("/")
        if name not in places:
            raise LedgerInvalid(entry, f"{name!r} is no place; a pointer begins with '/'")
        at = f"{places[name]}/{rest}".rstrip("/")
    return Statement(
        at=at,
        verb=verb,
        value=fields[verb],
        document=fields.get("document", ""),
        example=fields.get("example"),
        each=tuple(fields.get("each", ())),
    )


def _entry(fields: dict[str, Any], places: Mapping[str, str]) -> Entry:
    name = str(fields.get("id"))
    sides = {
        side: tuple(_statement(name, claim, places) for claim in fields.get(side, []))
        for side in ("published", "shown", "corrected")
    }
    if not (sides["published"] and sides["corrected"]):
        raise LedgerInvalid(name, "both sides need a claim: 'published' and 'corrected'")
    if not all(claim.document for claim in sides["published"] + sides["shown"]):
        raise LedgerInvalid(name, "a published claim names its document")
    if fields.get("certainty") not in ("certain", "likely"):
        raise LedgerInvalid(name, f"certainty is {fields.get('certainty')!r}: certain or likely")
    try:
        return Entry(**{**fields, **sides, "sources": tuple(fields.get("sources", ()))})
    except TypeError as error:
        raise LedgerInvalid(name, str(error)) from None


def parse_ledger(fields: Mapping[str, Any]) -> Ledger:
    entries = tuple(_entry(entry, fields["places"]) for entry in fields["entries"])
    return Ledger(sources=fields["sources"], entries=entries)


@cache
def read_ledger(path: Path = LEDGER) -> Ledger:
    return parse_ledger(yaml.safe_load(path.read_text(encoding="utf-8")))


def read_contract(path: Path = CONTRACT) -> Document:
    contract: Document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return contract
