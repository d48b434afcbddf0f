import pytest

from contract.document import Document
from contract.ledger import Ledger, read_contract, read_ledger
from contract.vendor_pages import Page, read_pages


@pytest.fixture(scope="session")
def contract() -> Document:
    return read_contract()


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return read_ledger()


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    return read_pages()
