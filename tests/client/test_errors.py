"""The tree of exceptions: its drawing, its texts, and copies of them."""

import copy
import inspect
import pickle
import re
from collections.abc import Callable

import httpx
import pytest

from siliconflow_batch import errors
from siliconflow_batch.objects import Batch
from siliconflow_batch.result_files.summary import Summary
from siliconflow_batch.transport.responses import raise_for_status
from support.batches import batch

RESPONSE = httpx.Response(200, content=b"{}", request=httpx.Request("GET", "http://x/v1"))
EXAMPLES = [
    errors.NotFound(404, "no such batch", code=20011, body="{}", operation="GET /v1/batches/x"),
    errors.RateLimited(429, "", retry_after=1.5, request_id="r"),
    errors.TransportError("retrieve batch: timed out", sent=False),
    errors.DownloadTruncated(5),
    errors.CreateOutcomeUnknown("t", "timed out"),
    errors.BatchExpired(Batch(batch(status="expired", errors=["line 1"]).raw, RESPONSE)),
    errors.WaitTimedOut("batch_a", 5.0, "in_progress"),
    errors.ResultsIncomplete(batch(), Summary(answered=3, missing=2)),
    errors.FileNotWritten("results.jsonl", "No space left on device"),
    errors.StateUnusable("/state/a.jsonl", "No space left on device"),
    errors.KeyMissing(),
    errors.ArgumentInvalid("Invalid id 'x y': use letters, digits, '-' and '_'."),
    errors.InputFileInvalid([errors.LineFault("f", 1, "body", "must be an object")]),
]


def test_the_drawing_is_the_tree() -> None:
    """The docstring of `errors` lists every exception below its base class."""
    rows = re.findall(r"^    ([│├└─ ]*)(\w+)", errors.__doc__ or "", re.MULTILINE)
    path: list[str] = []
    drawn = {}
    for branch, name in rows:
        path = [*path[: len(branch) // 4], name]
        drawn[name] = path[-2] if len(path) > 1 else "Exception"

    classes = inspect.getmembers(errors, inspect.isclass)
    assert drawn == {
        name: cls.__mro__[1].__name__ for name, cls in classes if issubclass(cls, Exception)
    }


def pickled(error: Exception) -> object:
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled here


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_an_exception_can_be_copied(
    error: Exception, duplicate: Callable[[Exception], object]
) -> None:
    """A copy, or one from another process, has the same text and the same attributes."""
    copied = duplicate(error)

    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied).keys() == vars(error).keys()
    assert repr(vars(copied)) == repr(vars(error))


def test_an_ended_batch_is_typed() -> None:
    """`BatchNotCompleted.batch` is a `Batch`, with its model."""
    error = errors.BatchFailed(batch(status="failed", errors=["line 1: no custom_id"]))

    assert error.batch.model.status == error.status == "failed"
    assert str(error).startswith("Batch 'batch_a' is failed: line 1: no custom_id.")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-Id": "proxy", "X-SiliconCloud-Trace-Id": "service"}, "service"),
        ({"X-Request-Id": "proxy", "X-Trace-Id": "gateway"}, "proxy"),
        ({"X-Trace-Id": "gateway"}, "gateway"),
        ({}, None),
    ],
)
def test_the_request_id_is_the_trace_id_of_the_service(
    headers: dict[str, str], expected: str | None
) -> None:
    """The documented header is preferred to those that a proxy may add."""
    request = httpx.Request("GET", "http://127.0.0.1/v1/batches")
    response = httpx.Response(500, headers=headers, request=request)

    with pytest.raises(errors.ServiceUnavailable) as raised:
        raise_for_status(response)

    assert raised.value.request_id == expected
