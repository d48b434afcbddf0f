"""
The ledger `corrections.yaml`: each mistake in the published documents, and how it is corrected.

Rule 1: both sides of an entry are data. One table of verbs evaluates the claims of both sides, in
`published/`, in `openapi.yaml` and in documents that the vendor publishes later.
Rule 2: an entry needs claims on both sides, and every verb must be in the table.
Rule 3: a published page can be blamed for lacking something only where it is recorded in full.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import yaml

from contract.document import (
    MISSING,
    Document,
    PointerNotFound,
    accepts,
    escape,
    json_equal,
    locate,
    operation_urls,
    value_before_reference,
)
from contract.vendor_pages import Page, read_pages

ROOT = Path(__file__).parents[1]
LEDGER = ROOT / "contract" / "corrections.yaml"
CONTRACT = ROOT / "openapi.yaml"


@attrs.frozen
class LedgerInvalid(Exception):
    """An entry of `corrections.yaml` is incomplete or misspelt."""

    entry: str
    reason: str

    def __str__(self) -> str:
        return f"corrections.yaml, entry {self.entry!r}: {self.reason}"


def _is(document: Document, at: str, expected: object) -> bool:
    _, value = locate(document, at)
    return value is not MISSING and json_equal(value, expected)


def _has(document: Document, at: str, item: str) -> bool:
    _, value = locate(document, at)
    if isinstance(value, str):
        return item in " ".join(value.split())
    if isinstance(value, Mapping | list):
        return item in value
    raise PointerNotFound(at)


def _ref_siblings(document: Document, at: str, expected: list[str]) -> bool:
    value = value_before_reference(document, at)
    if not isinstance(value, Mapping):
        raise PointerNotFound(at)
    return "$ref" in value and sorted(value) == sorted(["$ref", *expected])


VERBS: Mapping[str, Callable[[Document, str, Any], bool]] = {
    "is": _is,
    "has": _has,
    "lacks": lambda document, at, item: not _has(document, at, item),
    "accepts": accepts,
    "rejects": lambda document, at, instance: not accepts(document, at, instance),
    "ref_siblings": _ref_siblings,
    "calls": lambda document, at, url: url in operation_urls(document),
}
# A claim with one of these verbs can change when more of the page is recorded.
ABSENCE_VERBS = frozenset({"lacks", "accepts", "rejects", "ref_siblings"})
LIST_VERBS = frozenset({"has", "lacks", "accepts", "rejects"})


@attrs.frozen
class Claim:
    """A statement about one place in a document. `at` is a JSON Pointer."""

    at: str
    verb: str
    value: Any
    document: str = ""
    example: str | None = None

    def holds(self, document: Document) -> bool:
        """Raises `PointerNotFound` when the place does not exist."""
        return VERBS[self.verb](document, self.at, self.value)

    def holds_in(self, page: Page) -> bool:
        return self.holds(page.example(self.example).body if self.example else page.document)

    def depends_on_absence(self) -> bool:
        """
        Whether the claim is false or unknown when the vendor's page has more than is recorded.

        An object or a list is compared as a whole, unless it is an example value.
        """
        compares_whole = isinstance(self.value, Mapping | list) and not self.at.endswith("/example")
        return self.verb in ABSENCE_VERBS or (self.verb == "is" and compares_whole)

    def location(self, document: Document) -> str:
        """The resolved pointer to the value that decides whether the claim holds."""
        pointer, value = locate(document, self.at)
        about_child = self.verb in ("has", "lacks") and isinstance(value, Mapping)
        return f"{pointer}/{escape(self.value)}" if about_child else pointer

    def __str__(self) -> str:
        return f"{self.at} {self.verb} {self.value!r}"


@attrs.frozen
class Statement:
    """One or more claims as written in the ledger; `each` lists keys below `at`."""

    at: str
    verb: str
    value: Any
    document: str = ""
    example: str | None = None
    each: tuple[str, ...] = ()

    def claims(self) -> Iterator[Claim]:
        pointers = [f"{self.at}/{escape(key)}" for key in self.each] or [self.at]
        for pointer in pointers:
            for value in self.value if self.verb in LIST_VERBS else [self.value]:
                yield Claim(pointer, self.verb, value, self.document, self.example)


@attrs.frozen
class Entry:
    """One mistake and its correction. `shown` is the evidence that can be checked."""

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
class Source:
    """
    One of the sources. `pages` maps documents in `published/` to addresses.

    An address is where the vendor publishes the page of the operation now; the recorded version may
    be older. It is absent where no source states it.
    """

    name: str
    pages: Mapping[str, str] = attrs.field(factory=dict)
    note: str = ""


@attrs.frozen
class Ledger:
    sources: Mapping[str, Source]
    entries: tuple[Entry, ...]

    def addresses(self, entry: Entry) -> dict[str, str | None]:
        """The address of each published document that the entry is about."""
        known = {
            name: url for source in self.sources.values() for name, url in source.pages.items()
        }
        claims = [*entry.published_claims(), *entry.shown_claims()]
        return {claim.document: known.get(claim.document) for claim in claims}

    def groups(self) -> dict[str, list[Entry]]:
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.group, []).append(entry)
        return groups


def _statement(entry: str, fields: dict[str, Any], places: Mapping[str, str]) -> Statement:
    verbs = [verb for verb in VERBS if verb in fields]
    unknown = fields.keys() - {"document", "example", "at", "each", *verbs}
    if len(verbs) != 1 or unknown:
        raise LedgerInvalid(entry, f"a claim needs exactly one of {', '.join(VERBS)}: {fields!r}")
    verb, at = verbs[0], str(fields.get("at", ""))
    if verb in LIST_VERBS and not isinstance(fields[verb], list):
        raise LedgerInvalid(entry, f"{verb!r} needs a list, not {fields[verb]!r}")
    if at and not at.startswith("/"):
        name, _, rest = at.partition("/")
        if name not in places:
            raise LedgerInvalid(
                entry, f"unknown place {name!r}: add it to `places`, or start with '/'"
            )
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
        raise LedgerInvalid(name, "`published` and `corrected` need at least one claim each")
    if not all(claim.document for claim in sides["published"] + sides["shown"]):
        raise LedgerInvalid(name, "every claim in `published` and `shown` needs a `document`")
    if fields.get("certainty") not in ("certain", "likely"):
        raise LedgerInvalid(
            name, f"`certainty` must be certain or likely, not {fields.get('certainty')!r}"
        )
    try:
        return Entry(**{**fields, **sides, "sources": tuple(fields.get("sources", ()))})
    except TypeError as error:
        raise LedgerInvalid(name, str(error)) from None


def parse_ledger(fields: Mapping[str, Any]) -> Ledger:
    entries = tuple(_entry(entry, fields["places"]) for entry in fields["entries"])
    sources = {letter: Source(**source) for letter, source in fields["sources"].items()}
    return Ledger(sources=sources, entries=entries)


def check_absences(ledger: Ledger, pages: Mapping[str, Page]) -> None:
    """
    Raises `LedgerInvalid` for a claim about what is missing from a page that is recorded in part.
    """
    for entry in ledger.entries:
        for claim in [*entry.published_claims(), *entry.shown_claims()]:
            page = pages[claim.document]
            if claim.depends_on_absence() and not page.records_all_of(claim.at, claim.example):
                raise LedgerInvalid(
                    entry.id,
                    f"published/{claim.document}.yaml is not recorded in full at {claim.at}, so "
                    f"nothing is known to be missing there: {claim}",
                )


@cache
def read_ledger(path: Path = LEDGER) -> Ledger:
    ledger = parse_ledger(yaml.safe_load(path.read_text(encoding="utf-8")))
    check_absences(ledger, read_pages())
    return ledger


def read_contract(path: Path = CONTRACT) -> Document:
    contract: Document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return contract
