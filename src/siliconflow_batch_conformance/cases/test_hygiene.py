"""Rules of HTTP for every server."""

import pytest

from ..checks import shapes
from ..requirements import requirement
from ..service.target import Target
from .conftest import Checker

OTHER_METHODS = [
    ("PUT", "/batches"),
    ("DELETE", "/batches/batch_x"),
    ("PATCH", "/files"),
    ("TRACE", "/batches"),
]


@requirement("HTTP-1")
@pytest.mark.parametrize(("method", "path"), OTHER_METHODS)
def test_other_methods(target: Target, method: str, path: str) -> None:
    """A method of no operation is refused with 405, 404 or 501."""
    target.request(method, path)


@requirement("HTTP-3")
def test_unknown_path(target: Target, check: Checker) -> None:
    """A path outside the API is not found."""
    check(shapes.status_is, target.request("GET", "/nowhere"), 404)


@requirement("HTTP-5")
def test_head(target: Target, check: Checker) -> None:
    """HEAD returns the status of GET, or is not allowed."""
    check(shapes.status_is, target.request("HEAD", "/batches"), 200, 404, 405, 501)


@requirement("HTTP-4")
def test_options(target: Target, check: Checker) -> None:
    """OPTIONS succeeds, or is not allowed."""
    check(shapes.status_is, target.request("OPTIONS", "/batches"), 200, 204, 404, 405, 501)
