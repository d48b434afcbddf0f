"""
`make drift` on files with any content: no OpenAPI document, a hostile one, or an unusual one.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from contract.downloaded_document import (
    MAX_BYTES,
    DocumentUnreadable,
    read_downloaded_document,
)
from contract.drift import main
from support.vendor_documents import Drift, batch_schema

NESTED_ALIASES = "openapi: 3.0.0\na0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
NESTED_MERGES = "openapi: 3.0.0\na0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)
PATHS_KEY = "openapi: 3.0.0\npaths: "


class TestDownloadedDocument:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "contains no OpenAPI document"),
            ("POST\n/\nv1\n/\nbatches\n", "contains no OpenAPI document"),
            ("<!DOCTYPE html><html><body>Not found</body></html>", "contains no OpenAPI document"),
            ("# Create batch\n\n```bash\ncurl\n```\n", "contains no OpenAPI document"),
            ("[1, 2]", "contains no OpenAPI document"),
            ("{}", "contains no OpenAPI document"),
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
            (PATHS_KEY + "null", "contain no operation"),
            (PATHS_KEY + "[]", "contain no operation"),
            (PATHS_KEY + "{/batches: null}", "contain no operation"),
            (PATHS_KEY + "{/batches: {summary: x}}", "contain no operation"),
            (PATHS_KEY + "{/embeddings: {post: {}}}", "none of its operations: POST /embeddings"),
            (NESTED_ALIASES, "more than 200,000 values"),
            (NESTED_MERGES, "more than 200,000 values"),
            ("openapi: 3.0.0\na: &a [*a]\n", "deeper than 60"),
            (PATHS_KEY + "[" * 5000, "deeper than 60"),
            (PATHS_KEY + "[" * 70 + "]" * 70, "deeper than 60"),
            ('{"openapi": ' + "[" * 5000 + "]" * 5000 + "}", "deeper than 60"),
            ('{"openapi": ' + "[" * 70 + "]" * 70 + "}", "deeper than 60"),
            ("openapi: 3.0.0\n" + "#" * MAX_BYTES, "larger than"),
            ("```yaml\nopenapi: 3.0.0\n```\n```yaml\nopenapi: 3.0.0\n```\n", "2 OpenAPI blocks"),
        ],
        ids=lambda value: repr(value[:40]),
    )
    def test_is_refused_with_reason_and_advice(self, drift: Drift, text: str, reason: str) -> None:
        """A file without a usable document exits with 2 and says what is wrong and what to do."""
        status, report, error = drift(text)

        assert (status, report) == (2, "")
        assert error.startswith("drift: cannot read ")
        assert reason in error
        assert error.count("\n\n") == 1
        assert "Traceback" not in error

    @pytest.mark.parametrize(
        ("name", "reason"), [("absent", "No such file"), (".", "Is a directory"), ("\0", "null")]
    )
    def test_path_without_a_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str
    ) -> None:
        """A path that is not a file exits with 2 and the reason of the system."""
        assert main([str(tmp_path / name)]) == 2
        assert reason in capsys.readouterr().err

    def test_invalid_utf_8(self, tmp_path: Path) -> None:
        """A file that is not UTF-8 is refused with the position of the first invalid byte."""
        file = tmp_path / "downloaded"
        file.write_bytes(b"openapi: \xff")

        with pytest.raises(DocumentUnreadable, match="byte 9 is not valid UTF-8"):
            read_downloaded_document(file)

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
    def test_unexpected_types_are_changes(
        self, drift: Drift, shape: dict[str, Any], rest: dict[str, Any]
    ) -> None:
        """A document with the right operation is compared, whatever else it contains."""
        document = {"openapi": "3.0.0", "paths": {"/batches": shape}, **rest}

        status, report, error = drift(json.dumps(document))

        assert (status, error) == (1, "")
        assert "other changes" in report

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
    def test_invalid_schemas_are_changes(
        self, drift: Drift, published: dict[str, Any], schema: dict[str, Any]
    ) -> None:
        """A document with an invalid schema is compared; the entry about the schema has changed."""
        properties = batch_schema(published)["properties"]
        properties["request_counts"] = schema

        status, report, error = drift(json.dumps(published))

        assert (status, error) == (1, "")
        assert "request-counts-" in report.partition("  not fixed: ")[0]
