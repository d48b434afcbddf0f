"""
The entries of corrections.yaml: their claims about both sides, and the page written from them.
"""

import copy
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from contract.corrections import PAGE, render
from contract.document import (
    Document,
    PointerNotFound,
    accepts,
    locate,
    operation_urls,
    response_schema,
    value_before_reference,
)
from contract.ledger import (
    LEDGER,
    Claim,
    Entry,
    Ledger,
    LedgerInvalid,
    check_absences,
    parse_ledger,
    read_ledger,
)
from contract.vendor_pages import Page

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


# The letter of a source in a sentence.
SOURCE = re.compile(rf"\b({'|'.join(read_ledger().sources)})\b")


def holds(claim: Claim, document: Document) -> bool:
    """A claim about a place that does not exist does not hold."""
    try:
        return claim.holds(document)
    except PointerNotFound:
        return False


def parent_and_key(document: Any, pointer: str) -> tuple[Any, Any]:
    parent_pointer, _, token = locate(document, pointer)[0].rpartition("/")
    parent = locate(document, parent_pointer)[1]
    key = token.replace("~1", "/").replace("~0", "~")
    return parent, int(key) if isinstance(parent, list) else key


def replace(document: Any, claim: Claim, value: Any) -> None:
    parent, key = parent_and_key(document, claim.at)
    parent[key] = value


def remove(document: Any, claim: Claim) -> None:
    value: Any = locate(document, claim.at)[1]
    if isinstance(value, str):
        replace(document, claim, "".join(value.split()).replace(claim.value.replace(" ", ""), ""))
    elif isinstance(value, dict):
        del value[claim.value]
    else:
        value.remove(claim.value)


def add(document: Any, claim: Claim) -> None:
    value: Any = locate(document, claim.at)[1]
    if isinstance(value, str):
        replace(document, claim, value + claim.value)
    elif isinstance(value, dict):
        value[claim.value] = "added"
    else:
        value.append(claim.value)


def remove_reference(document: Any, claim: Claim) -> None:
    value: Any = value_before_reference(document, claim.at)
    del value["$ref"]


def rename_paths(document: Any, claim: Claim) -> None:
    document["paths"] = {f"/elsewhere{path}": item for path, item in document["paths"].items()}


# For each verb, the smallest edit of a document that makes a claim with this verb false.
EDITS: dict[str, Callable[[Any, Claim], None]] = {
    "is": lambda document, claim: replace(document, claim, "something else"),
    "has": remove,
    "lacks": add,
    "accepts": lambda document, claim: replace(document, claim, {"not": {}}),
    "rejects": lambda document, claim: replace(document, claim, {}),
    "ref_siblings": remove_reference,
    "calls": rename_paths,
}


class TestEntries:
    def test_have_unique_ids(self, ledger: Ledger) -> None:
        """No two of the ledger's forty and more entries share an id."""
        ids = [entry.id for entry in ledger.entries]

        assert len(ids) == len(set(ids)) >= 40

    def test_start_with_the_three_best_known(self, ledger: Ledger) -> None:
        """The doubled path, the swapped limits and the wrong operationId are the first entries."""
        first = [entry.id for entry in ledger.entries[:3]]

        assert first == ["doubled-path", "completion-window-swapped", "create-operation-id"]

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_name_their_sources(self, ledger: Ledger, pages: dict[str, Page], entry: Entry) -> None:
        """Each entry names the sources of its documents, and the ledger explains every source."""
        documents = {pages[claim.document].source for claim in entry.published_claims()}

        assert set(entry.sources) <= ledger.sources.keys()
        assert documents <= set(entry.sources)

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_cite_their_sources(self, entry: Entry) -> None:
        """The text names each source of an entry and no other; the evidence names at least one."""
        cited = set(SOURCE.findall(f"{entry.says} {entry.evidence}"))

        assert cited == set(entry.sources)
        assert SOURCE.search(entry.evidence)

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_claim_absence_only_where_it_is_known(
        self, pages: dict[str, Page], entry: Entry
    ) -> None:
        """An entry says that something is missing only from a part that is recorded in full."""
        claims = [*entry.published_claims(), *entry.shown_claims()]

        for claim in filter(Claim.depends_on_absence, claims):
            page = pages[claim.document]
            assert page.records_all_of(claim.at, claim.example), str(claim)

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_name_their_pages(self, ledger: Ledger, entry: Entry) -> None:
        """The page has the address of each document of an entry, or says that it is unknown."""
        section = render(ledger).partition(f"### {entry.title}\n")[2].partition("\n### ")[0]
        line = next(line for line in section.splitlines() if line.startswith("- **Pages:** "))

        for name, address in ledger.addresses(entry).items():
            assert (f"[{name}]({address})" if address else f"{name} (address unknown)") in line

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_are_corrected_in_the_contract(self, contract: Document, entry: Entry) -> None:
        """No published claim about the structure of a document holds in openapi.yaml."""
        claims = [claim for claim in entry.published_claims() if claim.example is None]

        assert [str(claim) for claim in claims if holds(claim, contract)] == []

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_are_explained(self, entry: Entry) -> None:
        """An entry says what is published, what is right, the evidence and the effect on users."""
        assert all(
            len(text) > 5 for text in (entry.says, entry.right, entry.evidence, entry.effect)
        )

    def test_cover_every_published_document(self, ledger: Ledger, pages: dict[str, Page]) -> None:
        """Every document in published/ is used by an entry."""
        used = {
            claim.document
            for entry in ledger.entries
            for claim in [*entry.published_claims(), *entry.shown_claims()]
        }

        assert used == pages.keys()


class TestPublishedSide:
    @pytest.mark.parametrize("claim", PUBLISHED)
    def test_has_the_mistake(self, pages: dict[str, Page], claim: Claim) -> None:
        """The published claims of an entry, and its evidence, hold in the published document."""
        assert claim.holds_in(pages[claim.document])

    @pytest.mark.parametrize("claim", PUBLISHED)
    def test_detects_an_edit(self, pages: dict[str, Page], claim: Claim) -> None:
        """A claim does not hold after an edit of its place in the published document."""
        page = pages[claim.document]
        body = page.example(claim.example).body if claim.example else page.document
        document = copy.deepcopy(body)

        EDITS[claim.verb](document, claim)

        assert not holds(claim, document)


class TestCorrectedSide:
    @pytest.mark.parametrize("claim", CORRECTED)
    def test_has_the_correction(self, contract: Document, claim: Claim) -> None:
        """The corrected claims of an entry hold in openapi.yaml."""
        assert claim.holds(contract)

    @pytest.mark.parametrize("claim", CORRECTED)
    def test_detects_an_edit(self, contract: Document, claim: Claim) -> None:
        """A claim does not hold after an edit of its place in openapi.yaml."""
        document = copy.deepcopy(contract)

        EDITS[claim.verb](document, claim)

        assert not holds(claim, document)


class TestEvidence:
    def test_published_defaults_are_invalid(self, pages: dict[str, Page]) -> None:
        """The three `false` defaults are the only errors of openapi-spec-validator."""
        document: Any = copy.deepcopy(pages["create-batch.com"].document)
        validator = OpenAPIV30SpecValidator

        messages = sorted(error.message for error in validator(document).iter_errors())
        for name in ("UnauthorizedData", "NotFoundData"):
            del document["components"]["schemas"][name]["default"]
        del document["components"]["schemas"]["BadRquestData"]["properties"]["code"]["default"]

        assert messages == [
            "False is not of type 'integer'",
            "False is not of type 'string'",
            "False is not of type 'string'",
        ]
        assert list(validator(document).iter_errors()) == []

    def test_every_rejected_example_has_an_entry(
        self, ledger: Ledger, pages: dict[str, Page]
    ) -> None:
        """Each batch property whose schema rejects its own example is in the ledger."""
        document = pages["create-batch.com"].document
        pointer = f"{response_schema('POST /batches', 200)}/properties"
        properties: Any = locate(document, pointer)[1]
        rejected = {
            f"{pointer}/{name}"
            for name, field in properties.items()
            if "example" in field and not accepts(document, f"{pointer}/{name}", field["example"])
        }

        in_ledger = {
            claim.at
            for entry in ledger.entries
            for claim in entry.published_claims()
            if claim.verb == "rejects" and claim.document == "create-batch.com"
        }

        assert rejected <= in_ledger

    def test_server_and_path_repeat_the_version(self, pages: dict[str, Page]) -> None:
        """The China page's server and path form the URL of its cURL example, with `/v1` twice."""
        document = pages["create-batch.cn"].document

        assert operation_urls(document) == {"POST https://api.siliconflow.cn/v1/v1/batches"}


class TestLedger:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"published": []}, "need at least one claim each"),
            ({"corrected": []}, "need at least one claim each"),
            ({"published": [{"at": "/paths", "has": ["/x"]}]}, "needs a `document`"),
            ({"corrected": [{"at": "/paths", "holds": 1}]}, "exactly one of is, has, lacks"),
            ({"corrected": [{"at": "/paths", "has": ["/x"], "is": 1}]}, "exactly one of"),
            ({"corrected": [{"at": "/paths", "has": "/x"}]}, "'has' needs a list"),
            ({"corrected": [{"at": "somewhere/x", "is": 1}]}, "unknown place 'somewhere'"),
            ({"certainty": "maybe"}, "certain or likely"),
            ({"remark": "and another thing"}, "unexpected keyword argument 'remark'"),
        ],
    )
    def test_rejects_an_entry(self, change: dict[str, Any], message: str) -> None:
        """An incomplete or misspelt entry is rejected with its id and the reason."""
        fields = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
        fields["entries"][0] |= change

        with pytest.raises(LedgerInvalid, match=message) as error:
            parse_ledger(fields)

        assert error.value.entry == "doubled-path"

    @pytest.mark.parametrize(
        "claim",
        [
            {"at": "/paths/~1files/post/responses", "lacks": ["429"]},
            {"at": "/paths/~1files/post/requestBody", "rejects": [None]},
            {"at": "/paths/~1files/post/requestBody", "accepts": [{}]},
            {"at": "/paths/~1files/post/requestBody", "ref_siblings": []},
            {"at": "/paths/~1files/post/responses/200", "is": {}},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("side", ["published", "shown"])
    def test_rejects_absence_from_an_incomplete_page(
        self, pages: dict[str, Page], side: str, claim: dict[str, Any]
    ) -> None:
        """A page that is recorded in part cannot lack anything."""
        fields = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
        fields["entries"][0].setdefault(side, []).append({"document": "upload-file", **claim})

        with pytest.raises(LedgerInvalid, match=r"upload-file\.yaml is not recorded in full"):
            check_absences(parse_ledger(fields), pages)

    def test_rejects_absence_from_an_excerpt(self, pages: dict[str, Page]) -> None:
        """An excerpt of an example cannot lack anything."""
        fields = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
        claim = {"document": "cancel-batch", "example": "cancelled, in part", "lacks": ["id"]}
        fields["entries"][0]["shown"].append(claim)

        with pytest.raises(LedgerInvalid, match=r"cancel-batch\.yaml is not recorded in full"):
            check_absences(parse_ledger(fields), pages)

    def test_whole_part_does_not_extend_to_its_neighbours(self, pages: dict[str, Page]) -> None:
        """A part that is recorded in full covers what is below it and nothing beside it."""
        page = attrs.evolve(pages["guide"], whole=["/statuses"])

        assert page.records_all_of("/statuses")
        assert page.records_all_of("/statuses/0")
        assert not page.records_all_of("/statuses_of_lines")
        assert not page.records_all_of("")

    def test_page_is_up_to_date(self, ledger: Ledger) -> None:
        """docs/corrections.md equals the output of `make corrections`."""
        assert PAGE.read_text(encoding="utf-8") == render(ledger)

    @pytest.mark.parametrize("entry", ENTRIES)
    def test_page_links_every_entry(self, ledger: Ledger, entry: Entry) -> None:
        """Each entry has one line in the table of contents and one section."""
        page = render(ledger)

        assert page.count(f"[{entry.title}](#") == page.count(f"### {entry.title}\n") == 1
