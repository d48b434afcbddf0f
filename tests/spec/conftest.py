from pathlib import Path
from typing import Any

import pytest

from contract.document import Document
from contract.drift import main
from contract.ledger import Ledger, read_contract, read_ledger
from contract.vendor_pages import Page, read_pages
from support.vendor_documents import Drift, as_downloaded, create_operation


@pytest.fixture(scope="session")
def contract() -> Document:
    return read_contract()


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return read_ledger()


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    return read_pages()


@pytest.fixture
def published(pages: dict[str, Page]) -> dict[str, Any]:
    """The create page's document with some of the prose that a download has."""
    document = as_downloaded(pages["create-batch.com"])
    document["info"]["description"] = "The REST API"
    create_operation(document)["responses"]["200"]["description"] = "Successful"
    return document


@pytest.fixture
def drift(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Drift:
    def run(text: str) -> tuple[int, str, str]:
        file = tmp_path / "downloaded"
        file.write_text(text, encoding="utf-8")
        status = main([str(file)])
        return status, *capsys.readouterr()

    return run
