"""What HTTP asks of every server."""

import pytest

from ..checks import shapes
from ..requirements import requirement
from ..service.target import Target
from .conftest import Expect

OTHER_METHODS = [("PUT", "/batches"), ("DELETE", "/batches/batch_x"), ("PATCH", "/files")]


@requirement("HTTP-1")
@pytest.mark.parametrize(("method", "path"), OTHER_METHODS)
def test_other_methods(target: Target, method: str, path: str) -> None:
    """A method that no operation has is answered with 405, or with 404, and does nothing."""
    target.request(method, path)


@requirement("HTTP-3")
def test_unknown_path(target: Target, expect: Expect) -> None:
    """What is no path of the API is not found."""
    expect(shapes.status_is, target.request("GET", "/nowhere"), 404)


@requirement("HTTP-4")
def test_options(target: Target, expect: Expect) -> None:
    """OPTIONS is answered, or not allowed; it breaks nothing."""
    expect(shapes.status_is, target.request("OPTIONS", "/batches"), 200, 204, 404, 405)
