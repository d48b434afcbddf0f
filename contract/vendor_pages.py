"""
The vendor's pages, as recorded in `published/`.

Rule 1: only structure is recorded. `…` replaces prose, except words that are themselves a mistake.
Rule 2: nothing follows from what an incomplete page leaves out. The ledger enforces this.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import attrs
import yaml

from contract.document import Document, PointerNotFound, accepts, operations, response_schema

PUBLISHED = Path(__file__).parent / "published"
PROSE_KEYS = frozenset({"description", "summary", "title"})
VALUE_KEYS = frozenset({"default", "enum", "const", "example", "examples"})

Verdict = Literal["accepted", "rejected", "undeclared"]


@attrs.frozen
class Example:
    """
    A response body shown on a page: JSON in `body`, anything else in `text`.

    `judged_by` names the page whose schema applies when the example's own page has none.
    An `excerpt` lacks fields that the page shows; a `nested` example is part of another one.
    """

    name: str
    status: int
    verdict: Verdict
    operation: str = "POST /batches"  # for pages of errors, which name no operation
    media_type: str = "application/json"
    body: Any = None
    text: str | None = None
    excerpt: bool = False
    nested: bool = False
    judged_by: str | None = None


@attrs.frozen
class Page:
    """
    A published page. `complete` means that all of its structure is recorded.

    `source` is the letter of the page in `corrections.yaml`. `whole` has pointers to the parts of
    an incomplete page that are recorded in full. `call` is the page's cURL example.
    """

    name: str
    source: str
    complete: bool
    document: Document
    examples: tuple[Example, ...]
    whole: Sequence[str] = ()
    call: Mapping[str, Any] | None = None

    def example(self, name: str) -> Example:
        for example in self.examples:
            if example.name == name:
                return example
        raise PointerNotFound(f"published/{self.name}.yaml, example {name!r}")

    def records_all_of(self, pointer: str, example: str | None = None) -> bool:
        """Whether something that is not recorded there is not on the vendor's page either."""
        if example is not None:
            return not self.example(example).excerpt
        return self.complete or any(f"{pointer}/".startswith(f"{part}/") for part in self.whole)


def read_page(path: Path) -> Page:
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    examples = tuple(Example(**example) for example in fields.pop("examples", []))
    return Page(name=path.stem, examples=examples, **fields)


@cache
def read_pages(folder: Path = PUBLISHED) -> dict[str, Page]:
    return {page.name: page for page in map(read_page, sorted(folder.glob("*.yaml")))}


def judge(pages: Mapping[str, Page], page: Page, example: Example) -> Verdict:
    """Validate a published example against the published schema for its status."""
    document = pages[example.judged_by].document if example.judged_by else page.document
    operation = next((f"{method} {path}" for method, path in operations(document)), None)
    if operation is None:
        return "undeclared"
    schema = response_schema(operation, example.status, example.media_type)
    try:
        accepted = accepts(document, schema, example.body)
    except PointerNotFound:
        return "undeclared"
    return "accepted" if accepted else "rejected"


def structure(document: Document) -> dict[str, Any]:
    """The document without prose, and with the version as its only `info`."""
    kept: dict[str, Any] = _without_prose(document)
    if isinstance(kept.get("info"), Mapping):
        kept["info"] = {key: item for key, item in kept["info"].items() if key == "version"}
    return kept


def _without_prose(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_prose(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: item if key in VALUE_KEYS else _without_prose(item)
        for key, item in value.items()
        if not (key in PROSE_KEYS and isinstance(item, str))
    }
