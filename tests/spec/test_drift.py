"""
`make drift` on documents with and without changes, and as a command.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.drift import matching_pages
from contract.ledger import ROOT
from contract.vendor_pages import Page
from support.vendor_documents import Drift, Edit, as_downloaded, batch_schema, create_operation


class TestNoChanges:
    @pytest.mark.parametrize("form", ["yaml", "json", "indented json", "page", "byte order mark"])
    def test_published_document(self, drift: Drift, published: dict[str, Any], form: str) -> None:
        """The published document has no changes, as YAML, as JSON, or in a Markdown page."""
        text = {
            "yaml": yaml.safe_dump(published),
            "json": json.dumps(published),
            "indented json": json.dumps(published, indent="\t"),
            "page": f"# Create batch\n\n````yaml post /batches\n{yaml.safe_dump(published)}\n````",
            "byte order mark": f"\ufeff{yaml.safe_dump(published)}",
        }[form]

        status, report, error = drift(text)

        assert (status, error) == (0, "")
        assert "No changes." in report
        assert "not fixed: 38" in report

    @pytest.mark.parametrize(
        "edit",
        [
            lambda d: d["info"].update(title="Another title", license={"name": "MIT"}),
            lambda d: batch_schema(d)["properties"]["id"].update(description="The batch's id."),
            lambda d: create_operation(d)["requestBody"].update(description="What to run."),
            lambda d: batch_schema(d).update(
                properties=dict(reversed(batch_schema(d)["properties"].items()))
            ),
            lambda d: d["components"]["schemas"]["BadRquestData"]["required"].reverse(),
            lambda d: d["components"]["schemas"].update(Unused={"type": "string"}),
        ],
    )
    def test_prose_and_order_are_ignored(
        self, drift: Drift, published: dict[str, Any], edit: Edit
    ) -> None:
        """New descriptions, another order of keys and unused components are not changes."""
        edit(published)

        assert drift(json.dumps(published))[0] == 0

    def test_status_without_quotes(self, drift: Drift, published: dict[str, Any]) -> None:
        """`200:` and `'200':` are the same key."""
        text = yaml.safe_dump(published).replace("'200'", "200")

        assert drift(text)[0] == 0

    @pytest.mark.parametrize(
        "name",
        [
            *("create-batch.cn", "list-batches", "retrieve-batch", "cancel-batch"),
            *("upload-file", "list-files"),
        ],
    )
    def test_additions_to_incomplete_pages_are_ignored(
        self, drift: Drift, pages: dict[str, Page], name: str
    ) -> None:
        """Structure that an incomplete page does not record is not a change."""
        document = as_downloaded(pages[name])
        for item in document["paths"].values():
            for operation in item.values():
                # The China site's current pages have it, and the older list page does not show it.
                operation.setdefault("operationId", "getBatchEvaluationJob")
                operation["responses"]["200"]["headers"] = {
                    "x-trace": {"schema": {"type": "string"}}
                }

        status, report, _ = drift(yaml.safe_dump(document))

        assert status == 0
        assert f"published/{name}.yaml" in report


class TestMatchingPages:
    @pytest.mark.parametrize(
        ("host", "path", "method", "names"),
        [
            ("api.siliconflow.cn", "/v1/batches", "post", {"create-batch.cn"}),
            ("api.siliconflow.com", "/batches", "post", {"create-batch.com"}),
            ("api.siliconflow.cn", "/batches", "get", {"list-batches", "list-batches.cn.current"}),
            ("other.example", "/batches", "post", {"create-batch.cn", "create-batch.com"}),
        ],
    )
    def test_have_the_host_or_none(
        self, pages: dict[str, Page], host: str, path: str, method: str, names: set[str]
    ) -> None:
        """A document is compared with pages of its host and pages whose host is not recorded."""
        downloaded = {"servers": [{"url": f"https://{host}/v1"}], "paths": {path: {method: {}}}}

        assert {page.name for page in matching_pages(downloaded, pages, method, path)} == names

    def test_current_page_is_compared(self, drift: Drift, pages: dict[str, Page]) -> None:
        """An operationId that the vendor corrects on the current list page is reported as fixed."""
        document = as_downloaded(pages["list-batches"])
        document["paths"]["/batches"]["get"]["operationId"] = "listBatches"

        status, report, _ = drift(yaml.safe_dump(document))

        assert status == 1
        assert "fixed by the vendor: 1\n    batch-operation-id-twice" in report


class TestOtherChanges:
    @pytest.mark.parametrize(
        ("edit", "line"),
        [
            (
                lambda d: create_operation(d)["responses"].update(
                    {"418": {"description": "Teapot"}}
                ),
                "+ /paths/~1batches/post/responses/418: {}",
            ),
            (
                lambda d: create_operation(d)["responses"].pop("504"),
                "- /paths/~1batches/post/responses/504: {",
            ),
            (
                lambda d: batch_schema(d)["properties"]["created_at"].update(type="string"),
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
                lambda d: create_operation(d).update(deprecated=0),
                "~ /paths/~1batches/post/deprecated: false is now 0",
            ),
        ],
    )
    def test_has_pointer_and_values(
        self, drift: Drift, published: dict[str, Any], edit: Edit, line: str
    ) -> None:
        """A change that fixes no mistake is reported with its pointer and both values."""
        edit(published)

        status, report, _ = drift(json.dumps(published))

        assert status == 1
        assert line in report

    def test_new_operation(self, drift: Drift, published: dict[str, Any]) -> None:
        """A new operation on files or batches is a change; one on chat is not."""
        published["paths"]["/chat/completions"] = {"post": {}}
        unrelated = drift(json.dumps(published))[0]
        published["paths"]["/files/{file_id}/content"] = {"get": {}}
        status, report, _ = drift(json.dumps(published))

        assert unrelated == 0
        assert status == 1
        assert "new operation, not in published/: GET /files/{file_id}/content" in report

    def test_document_with_many_operations(
        self, drift: Drift, published: dict[str, Any], pages: dict[str, Page]
    ) -> None:
        """A document is compared with the page of each of its operations."""
        for name in ("list-batches", "retrieve-batch", "upload-file", "list-files"):
            for path, item in pages[name].document["paths"].items():
                published["paths"].setdefault(path, {}).update(item)
        published["servers"].append({"url": "https://api.siliconflow.cn/v1"})

        status, report, _ = drift(json.dumps(published))

        assert status == 1  # the second server
        assert report.count("published/") >= 5

    def test_control_characters_are_escaped(self, drift: Drift, published: dict[str, Any]) -> None:
        """Control characters in the document are not printed."""
        create_operation(published)["responses"]["\x1b[2J"] = {"x": "\x1b]0;title\x07"}

        _, report, _ = drift(json.dumps(published))

        assert "\x1b" not in report
        assert "\\x1b[2J" in report


class TestCommand:
    def test_runs_as_a_module(self, tmp_path: Path, published: dict[str, Any]) -> None:
        """`python -m contract.drift FILE` prints the report and exits with 0, 1 or 2."""
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
        assert "No changes." in runs[0].stdout
        assert "usage: python -m contract.drift FILE" in runs[1].stderr
        assert "Is a directory" in runs[2].stderr
