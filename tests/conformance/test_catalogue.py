"""The catalogue of requirements against the cases, the rules, the contract and its page."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from siliconflow_batch_conformance import requirements
from siliconflow_batch_conformance.rules import OBSERVED, SHOWN_BY_CASES

ROOT = Path(__file__).parents[2]
REQUESTS = {"CreateBatchRequest", "ModelReplacement", "UploadFileRequest"}
CASES = Path(requirements.__file__).parent / "cases"


PUBLISHED = (ROOT / "contract" / "published").glob("*.yaml")
RECORDED = [path.read_text(encoding="utf-8") for path in PUBLISHED]
PAGES = ("upload file", "list files", "retrieve batch", "cancel batch")


def recorded(source: str) -> str:
    """What the contract records of a source: its pages, or the contract itself."""
    if source == "C":
        contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
        return " ".join(
            f"{method.upper()} {path}"
            for path, item in contract["paths"].items()
            for method in item
        )
    return "\n".join(text for text in RECORDED if f"source: {source}\n" in text)


def cases() -> Iterator[ast.Module]:
    for module in CASES.glob("test_*.py"):
        yield ast.parse(module.read_text(encoding="utf-8"))


class TestCatalogue:
    def test_every_requirement_has_a_case_and_every_case_a_requirement(self) -> None:
        """The ids of the catalogue are exactly the ids that cases and rules name."""
        ids = {*OBSERVED, *(f"SCHEMA-{number}" for number in range(1, 8))}
        for module in cases():
            ids |= set(re.findall(r"'([A-Z]+-\d+)'", ast.unparse(module)))

        assert ids == requirements.load().keys()

    def test_requirements_that_only_cases_can_show(self) -> None:
        """SHOWN_BY_CASES are the observed requirements for which a case applies a check itself."""
        checked = set()
        for case in itertools.chain.from_iterable(module.body for module in cases()):
            fixtures = case.args.args if isinstance(case, ast.FunctionDef) else []
            if "check" in [fixture.arg for fixture in fixtures]:
                checked |= set(re.findall(r"requirement\('(.+?)'\)", ast.unparse(case)))

        assert checked & set(OBSERVED) == set(SHOWN_BY_CASES)

    def test_every_status_and_every_field_is_covered(self) -> None:
        """Every status and every response field of the contract is covered by a requirement."""
        contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
        covered = {entry for row in requirements.load().values() for entry in row.covers}
        responses = {name for name in contract["components"]["schemas"] if name not in REQUESTS}

        fields = {
            f"{name}.{field}"
            for name in responses
            for field in contract["components"]["schemas"][name].get("properties", ())
        }
        statuses = {
            (f"{method.upper()} {path}", status)
            for path, item in contract["paths"].items()
            for method, operation in item.items()
            if "responses" in operation
            for status in operation["responses"]
        }
        assert fields - covered == set()
        assert {
            f"{operation} {status}"
            for operation, status in statuses
            if not {f"{operation} {status}", f"* {status}"} & covered
        } == set()

    def test_needs_have_no_cycle(self) -> None:
        """Every need is a requirement, and none needs itself, directly or not."""
        rows = requirements.load()

        def follow(id: str, path: tuple[str, ...]) -> None:
            assert id not in path, path
            for other in rows[id].needs:
                if other != "*":
                    follow(other, (*path, id))

        for id in rows:
            follow(id, ())

    def test_every_source_is_known(self) -> None:
        """The source, the tier and the confidence of a requirement are known values."""
        for row in requirements.load().values():
            assert row.source in requirements.SOURCES, row.id
            assert row.tier in requirements.TIERS, row.id
            assert row.confidence in ("high", "medium", "low"), row.id

    def test_every_fact_is_in_its_source(self) -> None:
        """The names and the quoted texts of a fact are in the record of the page that it names."""
        for row in requirements.load().values():
            texts = re.findall(r"`(.+?)`|\"(.+?)\"", f"{row.place} {row.fact}")
            for text in map("".join, texts):
                assert row.source == "H" or text in recorded(row.source) or text in PAGES, row.id

    def test_facts_are_specific(self) -> None:
        """At most four requirements, all of one family, follow from the same fact."""
        places: dict[str, list[str]] = {}
        for row in requirements.load().values():
            places.setdefault(row.provenance, []).append(row.id)

        for ids in places.values():
            assert len(ids) <= 4, ids
            assert len({id.partition("-")[0] for id in ids}) <= 2, ids

    def test_a_must_has_a_document(self) -> None:
        """What public programs do is `should` at most, and rules of HTTP are `hygiene`."""
        tiers = {(row.source, row.tier) for row in requirements.load().values()}

        assert {tier for source, tier in tiers if source == "U"} == {"should"}
        assert {source for source, tier in tiers if tier == "hygiene"} == {"H"}

    def test_the_page_matches_the_catalogue(self) -> None:
        """docs/requirements.md is the output of `make requirements`."""
        assert (ROOT / "docs" / "requirements.md").read_text(
            encoding="utf-8"
        ) == requirements.as_markdown()
