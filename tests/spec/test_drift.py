"""
The comparison of a freshly downloaded document with `published/`.
"""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.drift import main
from contract.ledger import ROOT
from contract.parsing import BYTES, Unreadable, read_download
from contract.vendor_pages import Page

Edit = Callable[[dict[str, Any]], object]
Drift = Callable[[str], tuple[int, str, str]]

CREATE = "create-batch.com"


@pytest.fixture
def published(pages: dict[str, Page]) -> dict[str, Any]:
    """
    The create page's document as it would be downloaded today: the structure, with prose again.
    """
    document: dict[str, Any] = copy.deepcopy(dict(pages[CREATE].document))
    document["info"]["description"] = "The REST API"
    document["paths"]["/batches"]["post"]["responses"]["200"]["description"] = "Successful"
    return document


@pytest.fixture
def drift(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Drift:
    """
    The command on a file with the given text: its exit code, what it reports, what it complains of.
    """

    def run(text: str) -> tuple[int, str, str]:
        file = tmp_path / "downloaded"
        file.write_text(text, encoding="utf-8")
        code = main([str(file)])
        return code, *capsys.readouterr()

    return run


def operation(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/batches"]["post"]
    return found


def created(document: dict[str, Any]) -> dict[str, Any]:
    content = operation(document)["responses"]["200"]["content"]
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema


class TestUnchanged:
    @pytest.mark.parametrize("form", ["yaml", "json", "indented json", "page", "byte order mark"])
    def test_document_in_any_form(self, drift: Drift, published: dict[str, Any], form: str) -> None:
        """
        The published document differs in nothing from itself, as YAML, JSON, or a Markdown page.
        """
        text = {
            "yaml": yaml.safe_dump(published),
            "json": json.dumps(published),
            "indented json": json.dumps(published, indent="\t"),
            "page": f"# Create batch\n\n````yaml post /batches\n{yaml.safe_dump(published)}\n````",
            "byte order mark": f"\ufeff{yaml.safe_dump(published)}",
        }[form]

        code, report, complaint = drift(text)

        assert (code, complaint) == (0, "")
        assert "Nothing changed." in report
        assert "still standing: 35" in report

    @pytest.mark.parametrize(
        "edit",
        [
            lambda d: d["info"].update(title="Another title", license={"name": "MIT"}),
            lambda d: created(d)["properties"]["id"].update(description="The batch's id."),
            lambda d: operation(d)["requestBody"].update(description="What to run."),
            lambda d: created(d).update(
                properties=dict(reversed(created(d)["properties"].items()))
            ),
            lambda d: d["components"]["schemas"]["BadRquestData"]["required"].reverse(),
            lambda d: d["components"]["schemas"].update(Unused={"type": "string"}),
        ],
    )
    def test_prose_and_order_count_for_nothing(
        self, drift: Drift, published: dict[str, Any], edit: Edit
    ) -> None:
        """
        New descriptions, another order and components that nothing refers to are no change.
        """
        edit(published)

        assert drift(json.dumps(published))[0] == 0

    def test_status_without_quotes(self, drift: Drift, published: dict[str, Any]) -> None:
        """
        `200:` and `'200':` are the same key.
        """
        text = yaml.safe_dump(published).replace("'200'", "200")

        assert drift(text)[0] == 0

    @pytest.mark.parametrize(
        "name",
        [
            *("create-batch.cn", "list-batches", "retrieve-batch", "cancel-batch"),
            *("upload-file", "list-files"),
        ],
    )
    def test_page_that_is_known_in_part(
        self, drift: Drift, pages: dict[str, Page], name: str
    ) -> None:
        """
        Of a page that is known in part, more than is on record is no change.
        """
        document: Any = copy.deepcopy({"openapi": "3.0.0", **pages[name].document})
        for item in document["paths"].values():
            for found in item.values():
                found["responses"]["200"]["headers"] = {"x-trace": {"schema": {"type": "string"}}}

        code, report, _ = drift(yaml.safe_dump(document))

        assert code == 0
        assert f"published/{name}.yaml" in report


class TestFixed:
    @pytest.mark.parametrize(
        ("entry", "edit"),
        [
            ("create-operation-id", lambda d: operation(d).update(operationId="createBatch")),
            ("create-summary", lambda d: operation(d).update(summary="Create", description="It")),
            ("body-not-required", lambda d: operation(d)["requestBody"].update(required=True)),
            ("missing-429", lambda d: operation(d)["responses"].update({"429": {}})),
            ("missing-500", lambda d: operation(d)["responses"].update({"500": {}})),
            (
                "errors-null",
                lambda d: created(d)["properties"]["errors"].update(nullable=True),
            ),
            (
                "default-false-integer",
                lambda d: d["components"]["schemas"]["BadRquestData"]["properties"]["code"].pop(
                    "default"
                ),
            ),
            (
                "completion-window-swapped",
                lambda d: operation(d)["requestBody"]["content"]["application/json"]["schema"][
                    "properties"
                ]["completion_window"].update(description="From 24 to 336 hours."),
            ),
        ],
    )
    def test_correction_that_the_vendor_took_over(
        self, drift: Drift, published: dict[str, Any], entry: str, edit: Edit
    ) -> None:
        """
        A mistake that is gone is reported under its entry, and not as a change elsewhere.
        """
        edit(published)

        code, report, _ = drift(json.dumps(published))

        assert code == 1
        assert f"    {entry}\n      no longer: " in report.partition("still standing")[0]
        assert "changed elsewhere" not in report

    def test_half_a_correction(self, drift: Drift, published: dict[str, Any]) -> None:
        """
        Where one of two places was corrected, the entry is fixed in part and names that place.
        """
        created(published)["properties"]["output_file_id"]["nullable"] = True

        code, report, _ = drift(json.dumps(published))

        assert code == 1
        assert "fixed in part: 1\n    result-files-null" in report
        assert "output_file_id rejects None" in report
        assert "error_file_id rejects None" not in report

    def test_single_v1(self, drift: Drift, pages: dict[str, Page]) -> None:
        """
        The China page without its doubled prefix is still known as that page, and is fixed.
        """
        document: Any = copy.deepcopy({"openapi": "3.0.0", **pages["create-batch.cn"].document})
        document["paths"]["/batches"] = document["paths"].pop("/v1/batches")

        code, report, _ = drift(yaml.safe_dump(document))

        assert code == 1
        assert "published/create-batch.cn.yaml" in report
        assert "published/create-batch.com.yaml" not in report
        assert "fixed by the vendor: 1\n    doubled-path" in report
        assert "changed elsewhere" not in report

    def test_parameter_named_as_in_the_path(self, drift: Drift, pages: dict[str, Page]) -> None:
        """
        The cancel page is known by its path even when the parameter's name in it is another.
        """
        document: Any = copy.deepcopy({"openapi": "3.0.0", **pages["cancel-batch"].document})
        paths = document["paths"]
        paths["/batches/{batchId}/cancel"] = paths.pop("/batches/{batch_id}/cancel")

        code, report, _ = drift(yaml.safe_dump(document))

        assert code == 1
        assert '"/batches/{batch_id}/cancel" is now "/batches/{batchId}/cancel"' in report

    def test_renamed_schema(self, drift: Drift, published: dict[str, Any]) -> None:
        """
        Spelling a schema right fixes that one entry; the mistakes inside it stand.
        """
        text = json.dumps(published).replace("BadRquestData", "BadRequestData")

        code, report, _ = drift(text)

        assert code == 1
        assert "fixed by the vendor: 1\n    bad-request-misspelled" in report
        assert "default-false-integer" in report.partition("still standing")[2]


class TestChangedElsewhere:
    @pytest.mark.parametrize(
        ("edit", "line"),
        [
            (
                lambda d: operation(d)["responses"].update({"418": {"description": "Teapot"}}),
                "+ /paths/~1batches/post/responses/418: {}",
            ),
            (
                lambda d: operation(d)["responses"].pop("504"),
                "- /paths/~1batches/post/responses/504: {",
            ),
            (
                lambda d: created(d)["properties"]["created_at"].update(type="string"),
                "~ /paths/~1batches/post/responses/200/content/application~1json/schema"
                '/properties/created_at/type: "integer" is now "string"',
            ),
            (
                lambda d: d["servers"][0].update(url="https://api.siliconflow.com/v2"),
                '~ /servers/0/url: "https://api.siliconflow.com/v1" is now',
            ),
            (
                lambda d: d["info"].update(version="1.0.1"),
                '~ /info/version: "1.0.0" is now "1.0.1"',
            ),
            (
                lambda d: operation(d).update(deprecated=0),
                "~ /paths/~1batches/post/deprecated: false is now 0",
            ),
        ],
    )
    def test_is_named_by_its_place(
        self, drift: Drift, published: dict[str, Any], edit: Edit, line: str
    ) -> None:
        """
        What no correction explains is added, removed or changed, at one place, with both values.
        """
        edit(published)

        code, report, _ = drift(json.dumps(published))

        assert code == 1
        assert line in report

    def test_new_operation(self, drift: Drift, published: dict[str, Any]) -> None:
        """
        An operation on files or batches that is not on record is a change; one on chat is not.
        """
        published["paths"]["/chat/completions"] = {"post": {}}
        unrelated = drift(json.dumps(published))[0]
        published["paths"]["/files/{file_id}/content"] = {"get": {}}
        code, report, _ = drift(json.dumps(published))

        assert unrelated == 0
        assert code == 1
        assert "new operation, not in published/: GET /files/{file_id}/content" in report

    def test_many_operations(
        self, drift: Drift, published: dict[str, Any], pages: dict[str, Page]
    ) -> None:
        """
        A document of many operations is compared with every page that has one of them.
        """
        for name in ("list-batches", "retrieve-batch", "upload-file", "list-files"):
            for path, item in pages[name].document["paths"].items():
                published["paths"].setdefault(path, {}).update(item)
        published["servers"].append({"url": "https://api.siliconflow.cn/v1"})

        code, report, _ = drift(json.dumps(published))

        assert code == 1  # the second server
        assert report.count("published/") >= 5

    def test_escapes_what_a_terminal_would_obey(
        self, drift: Drift, published: dict[str, Any]
    ) -> None:
        """
        Control characters of the document do not reach the terminal.
        """
        operation(published)["responses"]["\x1b[2J"] = {"x": "\x1b]0;title\x07"}

        _, report, _ = drift(json.dumps(published))

        assert "\x1b" not in report
        assert "\\x1b[2J" in report


LAUGHS = "openapi: 3.0.0\na0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGES = "openapi: 3.0.0\na0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)
PATHS = "openapi: 3.0.0\npaths: "


class TestUnreadable:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "no OpenAPI document"),
            ("POST\n/\nv1\n/\nbatches\n", "no OpenAPI document"),
            ("<!DOCTYPE html><html><body>Not found</body></html>", "no OpenAPI document"),
            ("# Create batch\n\n```bash\ncurl\n```\n", "no OpenAPI document"),
            ("[1, 2]", "no OpenAPI document"),
            ("{}", "no OpenAPI document"),
            ('{"openapi": ', "Expecting value: line 1"),
            ("openapi: 3.0.0\npaths: [}", "expected the node content"),
            ("openapi: 3.0.0\n\tpaths: {}", "line 2, column 1"),
            ("openapi: 3.0.0\n---\nopenapi: 3.0.0\n", "expected a single document"),
            ("openapi: 3.0.0\npaths: !!python/object/apply:os.getcwd []\n", "could not determine"),
            ("openapi: 3.0.0\npaths: !!bool perhaps\n", "perhaps"),
            ("openapi: 3.0.0\npaths: !!timestamp soon\n", "group"),
            (f"openapi: {'9' * 5000}\n", "digits"),
            ("openapi: 3.0.0\npaths: {? [a] : b}\n", "unhashable"),
            ("openapi: 3.0.0\npaths: \x00\n", "special characters"),
            ("swagger: '2.0'\npaths: {}\n", "Swagger 2"),
            (PATHS + "null", "no operation"),
            (PATHS + "[]", "no operation"),
            (PATHS + "{/batches: null}", "no operation"),
            (PATHS + "{/batches: {summary: x}}", "no operation"),
            (PATHS + "{/embeddings: {post: {}}}", "on record: POST /embeddings"),
            (LAUGHS, "more than 200,000 values"),
            (MERGES, "more than 200,000 values"),
            ("openapi: 3.0.0\na: &a [*a]\n", "deeper than 60"),
            (PATHS + "[" * 5000, "deeper than 60"),
            (PATHS + "[" * 70 + "]" * 70, "deeper than 60"),
            ('{"openapi": ' + "[" * 5000 + "]" * 5000 + "}", "deeper than 60"),
            ('{"openapi": ' + "[" * 70 + "]" * 70 + "}", "deeper than 60"),
            ("openapi: 3.0.0\n" + "#" * BYTES, "larger than"),
            ("```yaml\nopenapi: 3.0.0\n```\n```yaml\nopenapi: 3.0.0\n```\n", "2 OpenAPI blocks"),
        ],
        ids=lambda value: repr(value[:40]),
    )
    def test_is_refused_with_a_reason(self, drift: Drift, text: str, reason: str) -> None:
        """
        A file that holds no comparable document ends in 2, with what is wrong and what to do.
        """
        code, report, complaint = drift(text)

        assert (code, report) == (2, "")
        assert complaint.startswith("drift: cannot read ")
        assert reason in complaint
        assert complaint.count("\n\n") == 1
        assert "Traceback" not in complaint

    @pytest.mark.parametrize(
        ("name", "reason"), [("absent", "No such file"), (".", "Is a directory"), ("\0", "null")]
    )
    def test_path_that_is_no_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str
    ) -> None:
        """
        A path without a file behind it ends in 2 as well.
        """
        assert main([str(tmp_path / name)]) == 2
        assert reason in capsys.readouterr().err

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        """
        A file that is not UTF-8 is refused with the place of the first such byte.
        """
        file = tmp_path / "downloaded"
        file.write_bytes(b"openapi: \xff")

        with pytest.raises(Unreadable, match="byte 9 is not UTF-8"):
            read_download(file)

    @pytest.mark.parametrize(
        "shape",
        [
            {"post": {}},
            {"post": None},
            {"post": []},
            {"post": {"responses": []}},
            {"post": {"responses": {"200": {"content": "text"}}}},
            {"post": {"$ref": "#/paths/~1batches/post"}},
            {"post": {"$ref": "#/nowhere"}},
            {"post": {"$ref": "https://example.invalid/openapi.yaml"}},
            {"post": {"responses": {"400": {"$ref": 7}}}},
            {"post": {"responses": {"200": {"content": {"application/json": {"schema": 1}}}}}},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("rest", [{}, {"servers": 1}, {"components": []}, {"info": "none"}])
    def test_odd_shapes_are_changes(
        self, drift: Drift, shape: dict[str, Any], rest: dict[str, Any]
    ) -> None:
        """
        A document of the right operation and otherwise of any shape is compared, not refused.
        """
        document = {"openapi": "3.0.0", "paths": {"/batches": shape}, **rest}

        code, report, complaint = drift(json.dumps(document))

        assert (code, complaint) == (1, "")
        assert "changed elsewhere" in report

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "no such type"},
            {"pattern": "("},
            {"$ref": "#/components/schemas/none"},
            {"$ref": "https://example.invalid/schema.json"},
            {"allOf": 3},
            {"required": 3},
            {"minimum": "x"},
            {"items": [[]]},
        ],
        ids=str,
    )
    def test_broken_schemas_are_changes(
        self, drift: Drift, published: dict[str, Any], schema: dict[str, Any]
    ) -> None:
        """
        A schema that nothing can be judged by leaves its corrections gone with their place.
        """
        properties = created(published)["properties"]
        properties["request_counts"] = schema

        code, _, complaint = drift(json.dumps(published))

        assert (code, complaint) == (1, "")


class TestCommand:
    def test_runs_as_a_module(self, tmp_path: Path, published: dict[str, Any]) -> None:
        """
        `python -m contract.drift FILE` reports on standard output and exits as a job needs it.
        """
        file = tmp_path / "create.json"
        file.write_text(json.dumps(published))
        command = [sys.executable, "-m", "contract.drift"]

        runs = [
            subprocess.run(  # noqa: S603 - a fixed command
                [*command, *files], cwd=ROOT, capture_output=True, text=True, check=False
            )
            for files in ([str(file)], [], [str(tmp_path)])
        ]

        assert [run.returncode for run in runs] == [0, 2, 2]
        assert "Nothing changed." in runs[0].stdout
        assert "usage: python -m contract.drift FILE" in runs[1].stderr
        assert "Is a directory" in runs[2].stderr
