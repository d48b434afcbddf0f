"""
Both sides of every correction, and the page that is rendered from them.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from contract.corrections import RENDERED, render
from contract.document import Document, Nowhere, accepts, calls, locate, unfollowed
from contract.ledger import LEDGER, Claim, Entry, Ledger, LedgerInvalid, parse_ledger, read_ledger
from contract.vendor_pages import Page, response_schema

ENTRIES = [pytest.param(entry, id=entry.id) for entry in read_ledger().entries]
PUBLISHED = [
    pytest.param(claim, id=f"{entry.id}-{number}")
    for entry in read_ledger().entries
    for number, claim in enumerate([*entry.published_claims(), *entry.shown_claims()])
]
CORRECTED = [
    pytest.param(claim, id=f"{entry.id}-{number}")
    for entry in read_ledger().entries
    for number, claim in enumerate(entry.corrected_claims())
]


def holds(claim: Claim, document: Document) -> bool:
    """
    A claim about a place that is not there does not hold.
    """
    try:
        return claim.holds(document)
    except Nowhere:
        return False


def parent_and_key(document: Any, pointer: str) -> tuple[Any, Any]:
    where, _, token = locate(document, pointer)[0].rpartition("/")
    parent = locate(document, where)[1]
    key = token.replace("~1", "/").replace("~0", "~")
    return parent, int(key) if isinstance(parent, list) else key


def replace(document: Any, claim: Claim, value: Any) -> None:
    parent, key = parent_and_key(document, claim.at)
    parent[key] = value


def remove(document: Any, claim: Claim) -> None:
    held: Any = locate(document, claim.at)[1]
    if isinstance(held, str):
        replace(document, claim, "".join(held.split()).replace(claim.value.replace(" ", ""), ""))
    elif isinstance(held, dict):
        del held[claim.value]
    else:
        held.remove(claim.value)


def add(document: Any, claim: Claim) -> None:
    held: Any = locate(document, claim.at)[1]
    if isinstance(held, str):
        replace(document, claim, held + claim.value)
    elif isinstance(held, dict):
        held[claim.value] = "added"
    else:
        held.append(claim.value)


def unref(document: Any, claim: Claim) -> None:
    held: Any = unfollowed(document, claim.at)
    del held["$ref"]


def move(document: Any, claim: Claim) -> None:
    document["paths"] = {f"/elsewhere{path}": item for path, item in document["paths"].items()}


# For each verb, the smallest edit of a document that makes a claim of it false.
EDITS: dict[str, Callable[[Any, Claim], None]] = {
    "is": lambda document, claim: replace(document, claim, "something else"),
    "has": remove,
    "lacks": add,
    "accepts": lambda document, claim: replace(document, claim, {"not": {}}),
    "rejects": lambda document, claim: replace(document, claim, {}),
    "ref_siblings": unref,
    "calls": move,
}


class TestEntries:
    def test_are_many(self, ledger: Ledger) -> None:
        """
        The ledger holds more than the twenty entries that were asked for, each under its own id.
        """
        ids = [entry.id for entry in ledger.entries]

        assert len(ids) == len(set(ids)) >= 40

    def test_begin_with_the_three_best_known(self, ledger: Ledger) -> None:
        """
        The doubled path, the swapped limits and the wrong operationId come first.
        """
        first = [entry.id for entry in ledger.entries[:3]]

        assert first == ["doubled-path", "completion-window-swapped", "create-operation-id"]

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_name_their_sources(self, ledger: Ledger, pages: dict[str, Page], entry: Entry) -> None:
        """
        An entry's sources are explained, and those of its documents are among them or its evidence.
        """
        documents = {pages[claim.document].source for claim in entry.published_claims()}

        assert set(entry.sources) <= ledger.sources.keys()
        assert documents <= set(entry.sources)

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_are_false_of_the_contract(self, contract: Document, entry: Entry) -> None:
        """
        Not one published claim about a document's structure holds in openapi.yaml.
        """
        claims = [claim for claim in entry.published_claims() if claim.example is None]

        assert [str(claim) for claim in claims if holds(claim, contract)] == []

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_are_told_in_full(self, entry: Entry) -> None:
        """
        An entry says what is published, what is right, how we know, and what it does to a user.
        """
        assert all(
            len(text) > 5 for text in (entry.says, entry.right, entry.evidence, entry.effect)
        )

    def test_use_every_published_document(self, ledger: Ledger, pages: dict[str, Page]) -> None:
        """
        Nothing lies in published/ that no entry speaks of.
        """
        used = {
            claim.document
            for entry in ledger.entries
            for claim in [*entry.published_claims(), *entry.shown_claims()]
        }

        assert used == pages.keys()


class TestPublishedSide:
    @pytest.mark.parametrize("claim", PUBLISHED)
    def test_has_the_mistake(self, pages: dict[str, Page], claim: Claim) -> None:
        """
        What an entry says of a published document, and of the evidence in it, holds there.
        """
        assert claim.holds_in(pages[claim.document])

    @pytest.mark.parametrize("claim", PUBLISHED)
    def test_notices_an_edit(self, pages: dict[str, Page], claim: Claim) -> None:
        """
        A claim no longer holds once the published document says otherwise in that one place.
        """
        page = pages[claim.document]
        body = page.example(claim.example).body if claim.example else page.document
        document = copy.deepcopy(body)

        EDITS[claim.verb](document, claim)

        assert not holds(claim, document)


class TestCorrectedSide:
    @pytest.mark.parametrize("claim", CORRECTED)
    def test_is_right(self, contract: Document, claim: Claim) -> None:
        """
        What an entry says of openapi.yaml holds there.
        """
        assert claim.holds(contract)

    @pytest.mark.parametrize("claim", CORRECTED)
    def test_notices_an_edit(self, contract: Document, claim: Claim) -> None:
        """
        A claim no longer holds once openapi.yaml says otherwise in that one place.
        """
        document = copy.deepcopy(contract)

        EDITS[claim.verb](document, claim)

        assert not holds(claim, document)


class TestEvidence:
    def test_validator_refuses_the_published_defaults(self, pages: dict[str, Page]) -> None:
        """
        openapi-spec-validator refuses the create page's document for its three `false` defaults,
        and for nothing else.
        """
        document: Any = copy.deepcopy(pages["create-batch.com"].document)
        validator = OpenAPIV30SpecValidator

        complaints = sorted(error.message for error in validator(document).iter_errors())
        for name in ("UnauthorizedData", "NotFoundData"):
            del document["components"]["schemas"][name]["default"]
        del document["components"]["schemas"]["BadRquestData"]["properties"]["code"]["default"]

        assert complaints == [
            "False is not of type 'integer'",
            "False is not of type 'string'",
            "False is not of type 'string'",
        ]
        assert list(validator(document).iter_errors()) == []

    def test_every_refused_null_has_an_entry(self, ledger: Ledger, pages: dict[str, Page]) -> None:
        """
        Each property of a batch whose published example its own schema refuses is in the ledger.
        """
        document = pages["create-batch.com"].document
        place = f"{response_schema('POST /batches', 200)}/properties"
        properties: Any = locate(document, place)[1]
        refused = {
            f"{place}/{name}"
            for name, field in properties.items()
            if "example" in field and not accepts(document, f"{place}/{name}", field["example"])
        }

        named = {
            claim.at
            for entry in ledger.entries
            for claim in entry.published_claims()
            if claim.verb == "rejects" and claim.document == "create-batch.com"
        }

        assert refused <= named

    def test_doubled_path_is_what_the_page_calls(self, pages: dict[str, Page]) -> None:
        """
        The China site's server and path make up the address of its cURL example.
        """
        document = pages["create-batch.cn"].document

        assert calls(document) == {"POST https://api.siliconflow.cn/v1/v1/batches"}


class TestLedger:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"published": []}, "both sides need a claim"),
            ({"corrected": []}, "both sides need a claim"),
            ({"published": [{"at": "/paths", "has": ["/x"]}]}, "names its document"),
            ({"corrected": [{"at": "/paths", "holds": 1}]}, "one verb of is, has, lacks"),
            ({"corrected": [{"at": "/paths", "has": ["/x"], "is": 1}]}, "one verb of"),
            ({"corrected": [{"at": "/paths", "has": "/x"}]}, "'has' takes a list"),
            ({"corrected": [{"at": "somewhere/x", "is": 1}]}, "'somewhere' is no place"),
            ({"certainty": "maybe"}, "certain or likely"),
            ({"remark": "and another thing"}, "unexpected keyword argument 'remark'"),
        ],
    )
    def test_refuses_an_entry(self, change: dict[str, Any], message: str) -> None:
        """
        An entry that could not be judged or shown is refused by its id, with the reason.
        """
        fields = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
        fields["entries"][0] |= change

        with pytest.raises(LedgerInvalid, match=message) as caught:
            parse_ledger(fields)

        assert caught.value.entry == "doubled-path"

    def test_page_is_up_to_date(self, ledger: Ledger) -> None:
        """
        docs/corrections.md is what `make corrections` writes.
        """
        assert RENDERED.read_text(encoding="utf-8") == render(ledger)

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_page_links_every_entry(self, ledger: Ledger, entry: Entry) -> None:
        """
        An entry has one line in the table of contents and one section.
        """
        page = render(ledger)

        assert page.count(f"[{entry.title}](#") == page.count(f"### {entry.title}\n") == 1
