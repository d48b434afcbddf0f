"""
The catalogue of requirements, and what a case says when one does not hold.
"""

from pathlib import Path

import pytest
import yaml
from attrs import define

CATALOGUE = Path(__file__).with_name("requirements.yaml")
SOURCES = {
    "S0": 'the China site\'s "create batch" page',
    "S1": 'the international site\'s "create batch" page',
    "S2": 'the "list batches" page',
    "P": "the page of the operation",
    "G": "the batch guide",
    "E": "the error-code page",
    "U": "public programs that use the service",
    "C": "openapi.yaml",
}


@define(frozen=True)
class Requirement:
    """A sentence of the documents; `level` is `must` (documented) or `should` (assumed)."""

    id: str
    level: str
    source: str
    operation: str
    says: str


class Deviation(AssertionError):
    """A requirement that does not hold: what it asks for, and what came instead."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(expected, actual)
        self.expected, self.actual = expected, actual

    def __str__(self) -> str:
        return f"expected: {self.expected}; actual: {self.actual}"


def expect(holds: bool, expected: str, actual: object) -> None:
    """Raises `Deviation` unless `holds`; a long `actual` is shortened."""
    if not holds:
        shown = actual if isinstance(actual, str) else repr(actual)
        raise Deviation(expected, shown if len(shown) <= 600 else shown[:600] + "…")


def load() -> dict[str, Requirement]:
    """The catalogue by id, in the order of its file."""
    rows = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return {id: Requirement(id=id, **row) for id, row in rows.items()}


def requirement(id: str) -> pytest.MarkDecorator:
    """Marks a case with the requirement that it checks."""
    return pytest.mark.requirement(id)
