"""
What the vendor's pages declare, as `published/` keeps it.

Rule 1: structure only: `…` stands for prose, and the words that are themselves a mistake are kept.
Rule 2: a page that is not complete says nothing of what it leaves out.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import attrs
import yaml

from contract import document
from contract.document import Document, Nowhere

FOLDER = Path(__file__).parent / "published"
PROSE = frozenset({"description", "summary", "title"})
VALUES = frozenset({"default", "enum", "const", "example", "examples"})

Verdict = Literal["accepted", "rejected", "undeclared"]


@attrs.frozen
class Example:
    """
    A body that a page shows: JSON in `body`, or anything else in `text`.
    """

    name: str
    status: int
    verdict: Verdict
    operation: str = (
        "POST /batches"  # the pages of errors name none, and every operation fails alike
    )
    media_type: str = "application/json"
    body: Any = None
    text: str | None = None
    excerpt: bool = False
    judged_by: str | None = None


@attrs.frozen
class Page:
    """
    One published document. `complete` when all of its structure is on record.
    """

    name: str
    source: str
    complete: bool
    document: Document
    examples: tuple[Example, ...]

    def example(self, name: str) -> Example:
        for example in self.examples:
            if example.name == name:
                return example
        raise Nowhere(f"published/{self.name}.yaml, example {name!r}")


def read_page(path: Path) -> Page:
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    examples = tuple(Example(**example) for example in fields.pop("examples", []))
    return Page(name=path.stem, examples=examples, **fields)


@cache
def read_pages(folder: Path = FOLDER) -> dict[str, Page]:
    return {page.name: page for page in map(read_page, sorted(folder.glob("*.yaml")))}


def response_schema(operation: str, status: int, media_type: str = "application/json") -> str:
    """
    The place of a response's schema.
    """
    method, path = operation.split()
    media_type, path = document.escape(media_type), document.escape(path)
    return f"/paths/{path}/{method.lower()}/responses/{status}/content/{media_type}/schema"


def judge(pages: Mapping[str, Page], page: Page, example: Example) -> Verdict:
    """
    What the published schema says of a published example.

    An example without a schema of its own is judged by the create page's schema for its status.
    """
    judge_page = pages[example.judged_by] if example.judged_by else page
    methods_and_paths = list(document.operations(judge_page.document))
    if not methods_and_paths:
        return "undeclared"
    method, path = methods_and_paths[0]
    place = response_schema(f"{method} {path}", example.status, example.media_type)
    try:
        accepted = document.accepts(judge_page.document, place, example.body)
    except Nowhere:
        return "undeclared"
    return "accepted" if accepted else "rejected"


def structure(whole: Document) -> dict[str, Any]:
    """
    The document without its prose: what then differs between two versions is a change.
    """
    bare: dict[str, Any] = _without_prose(whole)
    if isinstance(bare.get("info"), Mapping):
        bare["info"] = {key: item for key, item in bare["info"].items() if key == "version"}
    return bare


def _without_prose(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_prose(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: item if key in VALUES else _without_prose(item)
        for key, item in value.items()
        if not (key in PROSE and isinstance(item, str))
    }
