"""
The facts of downloaded pages: `python -m contract.page_facts NAME=FILE…` writes page_facts.yaml.

Each NAME is a page in `published/`, and FILE is the page as downloaded: Markdown with an OpenAPI
block, or the text of a rendered page.

Rule 1: facts are names, types, values and URLs. Prose is left out, except the words that
`published/` quotes, which must be on the page.
Rule 2: `published/` has the same facts. The tests compare them, so that a changed value is noticed.
"""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml

from contract.document import Document, PointerNotFound, escape, locate, operations
from contract.downloaded_document import (
    OPENAPI_KEY,
    DocumentUnreadable,
    read_downloaded_document,
)
from contract.vendor_pages import PROSE_KEYS, Page, read_pages, structure

TABLE = Path(__file__).parent / "page_facts.yaml"
COMMENT = "# Written from downloaded pages by contract/page_facts.py."
ELLIPSIS = "…"
TYPES = r"string\[\]|array<object>|string|integer|boolean|object"
# One field of a rendered page: its name and its type, on one line or on two.
FIELD = re.compile(rf"^([a-z_]+?)\n?({TYPES})$", re.MULTILINE)
SECTION = re.compile(r"^(Query Parameters|Body|Response|Response Body)$", re.MULTILINE)
SECTIONS = {"Query Parameters": "query", "Body": "request"}  # anything else is a response
EXAMPLE = re.compile(r"^Example:?\s*(.+)$", re.MULTILINE)
MINIMUM = re.compile(r"^Range(\d+) <= value$", re.MULTILINE)
HEADING = re.compile(r"^(GET|POST)\n((?:[\w{}/-]+\n)+)", re.MULTILINE)

Facts = dict[str, Any]


@attrs.frozen
class PageUnreadable(Exception):
    """The downloaded page lacks something that its recorded version has."""

    page: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}: {self.reason}"


def parse_call(text: str) -> Facts:
    """The first cURL example of a rendered page."""
    lines = text[text.index("curl --request") :].splitlines()
    for end in range(1, len(lines) + 1):
        try:
            words = shlex.split("\n".join(lines[:end]).replace("\\\n", " "))
        except ValueError:  # a quotation goes on in the next line
            continue
        if not lines[end - 1].endswith("\\"):
            break
    call: Facts = {"method": "GET", "url": "", "headers": {}}
    for option, value in zip(words[1::2], words[2::2], strict=True):
        match option:
            case "--request":
                call["method"] = value
            case "--url":
                call["url"] = value
            case "--header":
                name, _, content = value.partition(": ")
                call["headers"][name] = content
            case "--data":
                call["body"] = json.loads(value)
    return call


def parse_bodies(text: str) -> list[Any]:
    """The example bodies of a rendered page: JSON values, one after another."""
    bodies: list[Any] = []
    start = text.index("\n{") + 1
    while True:
        try:
            body, end = json.JSONDecoder().raw_decode(text[start:])
        except json.JSONDecodeError:
            return bodies
        bodies.append(body)
        start += end
        start += len(text[start:]) - len(text[start:].lstrip())


def parse_fields(text: str) -> Facts:
    """The parameters, the body's fields and the response's fields of a rendered page."""
    fields: Facts = {"query": {}, "request": {}, "response": {}}
    headings = [(match.start(), match[1]) for match in SECTION.finditer(text)]
    matches = list(FIELD.finditer(text))
    for match, following in zip(matches, [*matches[1:], None], strict=True):
        section = [name for start, name in headings if start < match.start()][-1]
        details = text[match.end() : following.start() if following else len(text)]
        kind = "object[]" if match[2] == "array<object>" else match[2]
        field: Facts = {"type": kind}
        if "\nrequired\n" in details:
            field["required"] = True
        if example := EXAMPLE.search(details):
            field["example"] = json.loads(example[1])
        if minimum := MINIMUM.search(details):
            field["minimum"] = int(minimum[1])
        fields[SECTIONS.get(section, "response")][match[1]] = field
    return fields


def _rendered_facts(text: str) -> Facts:
    heading = HEADING.search(text)
    operation = f"{heading[1]} {''.join(heading[2].split())}" if heading else ""
    return {
        "operation": operation,
        "call": parse_call(text),
        "bodies": parse_bodies(text),
        **parse_fields(text),
    }


def _quotes(value: object, at: str = "") -> Iterator[tuple[str, str]]:
    """The words of a page that are recorded: prose, and examples of whole bodies."""
    for key, item in value.items() if isinstance(value, Mapping) else ():
        pointer = f"{at}/{escape(key)}"
        quoted = key in PROSE_KEYS or (key == "example" and at.endswith("/application~1json"))
        if quoted and isinstance(item, str) and item != ELLIPSIS:
            yield pointer, item
        yield from _quotes(item, pointer)


def _checked_quotes(page: Page, text: str, document: Document | None) -> Facts:
    """Raises `PageUnreadable` when a quotation is not on the page, in its place."""
    quotes = dict(_quotes(page.document))
    for pointer, quote in quotes.items():
        try:
            place = text if document is None else str(locate(document, pointer)[1])
        except PointerNotFound:
            place = ""
        if quote not in " ".join(place.split()):
            raise PageUnreadable(page.name, f"{quote!r} is not at {pointer}.")
    return quotes


def downloaded_facts(page: Page, file: Path) -> Facts:
    """
    The facts of the downloaded version of a page.

    Raises `PageUnreadable` or `DocumentUnreadable`.
    """
    text = file.read_text(encoding="utf-8")
    if OPENAPI_KEY.search(text):
        document = read_downloaded_document(file)
        return {"document": structure(document), "quotes": _checked_quotes(page, text, document)}
    try:
        facts = _rendered_facts(text)
    except (ValueError, IndexError) as error:
        reason = f"it has no cURL example, no JSON body or no fields ({error})."
        raise PageUnreadable(page.name, reason) from error
    return {**facts, "quotes": _checked_quotes(page, text, None)}


def _field(schema: Mapping[str, Any], *, required: bool) -> Facts:
    kind = schema.get("type")
    if kind == "array":
        kind = f"{schema['items'].get('type')}[]"
    kept = {key: schema[key] for key in ("example", "minimum") if key in schema}
    return {"type": kind, **({"required": True} if required else {}), **kept}


def _fields(schema: Mapping[str, Any]) -> Facts:
    required = schema.get("required", [])
    return {
        name: _field(field, required=name in required)
        for name, field in schema.get("properties", {}).items()
    }


def recorded_facts(page: Page) -> Facts:
    """The same facts of the recorded version of a page."""
    quotes = dict(_quotes(page.document))
    if page.complete:
        return {"document": structure(page.document), "quotes": quotes}
    (method, path) = next(operations(page.document))
    operation = page.document["paths"][path][method]
    content = "content", "application/json", "schema"
    request, response = operation.get("requestBody", {}), operation["responses"]["200"]
    for key in content:
        request, response = request.get(key, {}), response.get(key, {})
    return {
        "operation": f"{method.upper()} {path}",
        "call": page.call,
        "bodies": [example.body for example in page.examples if not example.nested],
        "query": {
            parameter["name"]: _field(parameter["schema"], required=False)
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        },
        "request": _fields(request),
        "response": _fields(response),
        "quotes": quotes,
    }


def read_table(file: Path = TABLE) -> Facts:
    table: Facts = yaml.safe_load(file.read_text(encoding="utf-8"))
    return table


def main(arguments: list[str], table_file: Path = TABLE) -> int:
    pages = read_pages()
    files = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    if len(files) != len(arguments) or not files or not files.keys() <= pages.keys():
        sys.stderr.write("usage: python -m contract.page_facts NAME=FILE…, a NAME of published/\n")
        return 2
    table = read_table(table_file) if table_file.exists() else {}
    try:
        for name, file in files.items():
            table[name] = downloaded_facts(pages[name], Path(file))
    except (PageUnreadable, DocumentUnreadable, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"page_facts: {error}\n\nThe table is unchanged.\n")
        return 2
    text = yaml.safe_dump(table, allow_unicode=True, sort_keys=False, width=110)
    table_file.write_text(f"{COMMENT}\n{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
