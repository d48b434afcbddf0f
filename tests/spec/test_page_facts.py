"""
published/ has the facts of the vendor's pages that page_facts.yaml lists.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from contract.document import json_equal, operation_urls
from contract.page_facts import PageUnreadable, downloaded_facts, main, read_table, recorded_facts
from contract.vendor_pages import Page, read_pages

NAMES = ["create-batch.cn", "create-batch.com", "list-batches"]
# Leaves that no page shows in this form: omitted prose, the server, which is tested with the URL of
# the call, and the schemas around the fields.
OWN_PARTS = ("/servers/0/url", "/content/application/json/schema/type")

Path_ = tuple[str | int, ...]


def leaves(value: Any, at: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield from leaves(item, (*at, key))
    if not isinstance(value, dict | list):
        yield at, value


def parts(page: Page) -> dict[str, Any]:
    """The parts of a page that come from the vendor."""
    bodies = [example.body for example in page.examples if not example.nested]
    call = {} if page.call is None else {"call": page.call}
    return {"document": page.document, "bodies": bodies, **call}


def with_parts(page: Page, changed: dict[str, Any]) -> Page:
    bodies = iter(changed["bodies"])
    examples = tuple(
        example if example.nested else attrs.evolve(example, body=next(bodies))
        for example in page.examples
    )
    return attrs.evolve(
        page, document=changed["document"], call=changed.get("call"), examples=examples
    )


def changed_at(value: Any, at: Path_, new: Any) -> Any:
    copied = copy.deepcopy(value)
    parent = copied
    for key in at[:-1]:
        parent = parent[key]
    parent[at[-1]] = new
    return copied


def bound_leaves(name: str) -> list[Any]:
    """Each place of a page whose value must be the vendor's."""
    page = read_pages()[name]
    found = []
    for at, value in leaves(parts(page)):
        text = "/" + "/".join(map(str, at))
        own = text.endswith(OWN_PARTS) and not page.complete
        if not own and value != "…":
            found.append(pytest.param(name, at, id=f"{name}{text}"))
    return found


class TestRecordedPages:
    @pytest.mark.parametrize("name", NAMES)
    def test_have_the_facts(self, pages: dict[str, Page], name: str) -> None:
        """The names, types, values and URLs in published/ are those of the vendor's page."""
        assert json_equal(recorded_facts(pages[name]), read_table()[name])

    def test_table_has_these_pages(self) -> None:
        """The table lists the pages that can be downloaded as text, and no others."""
        assert sorted(read_table()) == NAMES

    @pytest.mark.parametrize(
        ("name", "at"), [place for name in NAMES for place in bound_leaves(name)]
    )
    def test_changed_value_is_detected(self, pages: dict[str, Page], name: str, at: Path_) -> None:
        """A page with one changed value no longer has the facts of the vendor's page."""
        page = with_parts(pages[name], changed_at(parts(pages[name]), at, "another value"))

        assert not json_equal(recorded_facts(page), read_table()[name])

    @pytest.mark.parametrize("name", NAMES)
    def test_renamed_field_is_detected(self, pages: dict[str, Page], name: str) -> None:
        """A page with a renamed field of the response no longer has the facts."""
        document = json.loads(json.dumps(pages[name].document).replace('"object": {', '"obj": {'))

        page = attrs.evolve(pages[name], document=document)

        assert not json_equal(recorded_facts(page), read_table()[name])

    @pytest.mark.parametrize("name", ["create-batch.cn", "list-batches"])
    def test_server_is_that_of_the_call(self, pages: dict[str, Page], name: str) -> None:
        """The server and the path form the URL of the cURL example."""
        call = pages[name].call
        assert call is not None

        assert operation_urls(pages[name].document) == {f"{call['method']} {call['url']}"}

    def test_every_status_has_an_example(self, pages: dict[str, Page]) -> None:
        """The statuses of the list page are those of its examples."""
        page = pages["list-batches"]
        responses = page.document["paths"]["/batches"]["get"]["responses"]
        shown = [str(example.status) for example in page.examples if not example.nested]

        assert list(responses) == shown


def field_lines(field: dict[str, Any], name: str, *, joined: bool) -> Iterator[str]:
    kind = field["type"].replace("object[]", "array<object>") if joined else field["type"]
    yield from [f"{name}{kind}"] if joined else [name, kind]
    if field.get("required"):
        yield "required"
    yield "\nWhat it means.\n"
    if "minimum" in field:
        yield f"Range{field['minimum']} <= value"
    if "example" in field:
        example = json.dumps(field["example"])
        yield from [f"Example{example}"] if joined else ["Example:", "", example, ""]


def rendered(page: Page, *, joined: bool) -> str:
    """A page with the facts of a recorded one, as a browser shows it, and prose of our own."""
    facts = recorded_facts(page)
    call = facts["call"]
    method, path = facts["operation"].split()
    curl = [f"curl --request {call['method']}", f"--url {call['url']}"]
    curl += [f"--header '{name}: {value}'" for name, value in call["headers"].items()]
    if "body" in call:
        curl.append(f"--data '{json.dumps(call['body'], indent=2)}'")
    bodies = [json.dumps(body, indent=2) for body in facts["bodies"]]
    shown = [" \\\n  ".join(curl), *bodies]
    lines = [method, *(path.replace("/", "\n/\n").split()), ""]
    lines += ["Query Parameters", ""]
    for name, field in facts["query"].items():
        lines += field_lines(field, name, joined=joined)
    if not joined:
        lines = [*lines[:-2], *shown]
    lines += ["Body", ""]
    for name, field in facts["request"].items():
        lines += field_lines(field, name, joined=joined)
    lines += ["Response", "", *(text for text in facts["quotes"].values())]
    for name, field in facts["response"].items():
        lines += field_lines(field, name, joined=joined)
    return "\n".join(lines if not joined else [*lines, *shown])


class TestDownloadedPages:
    @pytest.mark.parametrize(
        ("name", "joined"), [("create-batch.cn", False), ("list-batches", True)]
    )
    def test_rendered_page(
        self, tmp_path: Path, pages: dict[str, Page], name: str, joined: bool
    ) -> None:
        """The facts of a rendered page are read, with a name and its type on one or two lines."""
        file = tmp_path / "page.txt"
        file.write_text(rendered(pages[name], joined=joined), encoding="utf-8")

        assert json_equal(downloaded_facts(pages[name], file), read_table()[name])

    def test_openapi_block(
        self, tmp_path: Path, pages: dict[str, Page], published: dict[str, Any]
    ) -> None:
        """The facts of an OpenAPI block are its structure, without the prose around it."""
        published["info"]["title"] = "SiliconFlow API"
        file = tmp_path / "page.md"
        file.write_text(f"# Create\n\n````yaml\n{yaml.safe_dump(published)}\n````", "utf-8")

        facts = downloaded_facts(pages["create-batch.com"], file)

        assert json_equal(facts, read_table()["create-batch.com"])

    def test_changed_page_has_other_facts(self, tmp_path: Path, pages: dict[str, Page]) -> None:
        """A value that the vendor changes is in the facts."""
        file = tmp_path / "page.txt"
        text = rendered(pages["list-batches"], joined=True).replace("1749023566", "1")
        file.write_text(text, encoding="utf-8")

        facts = downloaded_facts(pages["list-batches"], file)

        assert facts["bodies"][0]["data"][0]["created_at"] == 1

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ("maximum value is 24 hours", "maximum value is 336 hours", "is not at /paths"),
            ("curl --request", "wget", "no cURL example"),
            ("\n{", "\n[", "no JSON body"),
        ],
    )
    def test_page_without_a_recorded_part_is_refused(
        self, tmp_path: Path, pages: dict[str, Page], old: str, new: str, reason: str
    ) -> None:
        """A page without a quotation, a call or a body is refused with the reason."""
        file = tmp_path / "page.txt"
        text = rendered(pages["create-batch.cn"], joined=False).replace(old, new)
        file.write_text(text, encoding="utf-8")

        with pytest.raises(PageUnreadable, match=reason):
            downloaded_facts(pages["create-batch.cn"], file)


class TestCommand:
    def test_writes_the_table(self, tmp_path: Path, pages: dict[str, Page]) -> None:
        """The command adds the facts of a page to the table."""
        file, table = tmp_path / "page.txt", tmp_path / "table.yaml"
        file.write_text(rendered(pages["list-batches"], joined=True), encoding="utf-8")

        assert main([f"list-batches={file}"], table) == 0

        assert read_table(table) == {"list-batches": read_table()["list-batches"]}

    @pytest.mark.parametrize("arguments", [[], ["list-batches"], ["nothing=file"]], ids=str)
    def test_explains_its_usage(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        """Arguments that name no page and file are refused."""
        assert main(arguments, tmp_path / "table.yaml") == 2
        assert "usage: python -m contract.page_facts NAME=FILE" in capsys.readouterr().err

    def test_keeps_the_table_when_a_page_is_unreadable(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A file that cannot be read leaves the table as it was."""
        table = tmp_path / "table.yaml"
        table.write_text("{}", encoding="utf-8")

        assert main([f"list-batches={tmp_path / 'absent'}"], table) == 2

        assert table.read_text(encoding="utf-8") == "{}"
        assert "The table is unchanged." in capsys.readouterr().err
