"""
`make drift` on documents in which the vendor has fixed a mistake.
"""

import json
from typing import Any

import pytest
import yaml

from contract.vendor_pages import Page
from support.vendor_documents import Drift, Edit, as_downloaded, batch_schema, create_operation


class TestFixedMistakes:
    @pytest.mark.parametrize(
        ("entry", "edit"),
        [
            (
                "create-operation-id",
                lambda d: create_operation(d).update(operationId="createBatch"),
            ),
            (
                "create-summary",
                lambda d: create_operation(d).update(summary="Create", description="It"),
            ),
            (
                "body-not-required",
                lambda d: create_operation(d)["requestBody"].update(required=True),
            ),
            ("missing-429", lambda d: create_operation(d)["responses"].update({"429": {}})),
            ("missing-500", lambda d: create_operation(d)["responses"].update({"500": {}})),
            (
                "errors-null",
                lambda d: batch_schema(d)["properties"]["errors"].update(nullable=True),
            ),
            (
                "default-false-integer",
                lambda d: d["components"]["schemas"]["BadRquestData"]["properties"]["code"].pop(
                    "default"
                ),
            ),
            (
                "completion-window-swapped",
                lambda d: create_operation(d)["requestBody"]["content"]["application/json"][
                    "schema"
                ]["properties"]["completion_window"].update(description="From 24 to 336 hours."),
            ),
        ],
    )
    def test_is_reported_under_its_entry(
        self, drift: Drift, published: dict[str, Any], entry: str, edit: Edit
    ) -> None:
        """A fixed mistake is reported under its entry and not as another change."""
        edit(published)

        status, report, _ = drift(json.dumps(published))

        assert status == 1
        assert f"    {entry}\n      no longer true: " in report.partition("  not fixed: ")[0]
        assert "other changes" not in report

    def test_is_partly_fixed(self, drift: Drift, published: dict[str, Any]) -> None:
        """When one of two places is fixed, the entry is partly fixed and names that place."""
        batch_schema(published)["properties"]["output_file_id"]["nullable"] = True

        status, report, _ = drift(json.dumps(published))

        assert status == 1
        assert "partly fixed: 1\n    result-files-null" in report
        assert "output_file_id rejects None" in report
        assert "error_file_id rejects None" not in report

    def test_path_without_the_second_v1(self, drift: Drift, pages: dict[str, Page]) -> None:
        """The China page is recognized when its path no longer has `/v1` twice."""
        document = as_downloaded(pages["create-batch.cn"])
        document["paths"]["/batches"] = document["paths"].pop("/v1/batches")

        status, report, _ = drift(yaml.safe_dump(document))

        assert status == 1
        assert "published/create-batch.cn.yaml" in report
        assert "published/create-batch.com.yaml" not in report
        assert "fixed by the vendor: 1\n    doubled-path" in report
        assert "other changes" not in report

    def test_path_with_the_renamed_parameter(self, drift: Drift, pages: dict[str, Page]) -> None:
        """The cancel page is recognized when the parameter in its path is renamed."""
        document = as_downloaded(pages["cancel-batch"])
        paths = document["paths"]
        paths["/batches/{batchId}/cancel"] = paths.pop("/batches/{batch_id}/cancel")

        status, report, _ = drift(yaml.safe_dump(document))

        assert status == 1
        assert '"/batches/{batch_id}/cancel" is now "/batches/{batchId}/cancel"' in report

    def test_renamed_schema(self, drift: Drift, published: dict[str, Any]) -> None:
        """A corrected schema name fixes that entry, and the mistakes inside the schema remain."""
        text = json.dumps(published).replace("BadRquestData", "BadRequestData")

        status, report, _ = drift(text)

        assert status == 1
        assert "fixed by the vendor: 1\n    bad-request-misspelled" in report
        assert "default-false-integer" in report.partition("  not fixed: ")[2]
