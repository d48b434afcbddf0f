"""
Copies of exceptions and objects: pickled, copied, and from another process.

Rule: the exceptions are found in the package; one that no row of MAKE fits fails here.
"""

import copy
import importlib
import pickle
import pkgutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import httpx
import pytest

import siliconflow_batch
from siliconflow_batch import errors
from siliconflow_batch.objects import Batch, File
from siliconflow_batch.result_files.reading import Reader
from siliconflow_batch.result_files.summary import Summary
from support.batches import BATCH, batch

RESPONSE = httpx.Response(200, content=b"{}", request=httpx.Request("GET", "http://x/v1"))
API_FIELDS: dict[str, Any] = {"code": 20011, "body": "{}", "request_id": "r", "retry_after": 1.5}
# The nearest base class counts.
MAKE: dict[type[Exception], Callable[[Any], Exception]] = {
    errors.SiliconFlowError: lambda kind: kind("a text"),
    errors.APIError: lambda kind: kind(404, "none", operation="GET /v1/batches", **API_FIELDS),
    errors.TransportError: lambda kind: kind("retrieve batch: refused", sent=False),
    errors.DownloadTruncated: lambda kind: kind(5),
    errors.CreateOutcomeUnknown: lambda kind: kind("t", "timed out", "file-a", ["batch_a"]),
    errors.BatchNotCompleted: lambda kind: kind(Batch(dict(BATCH, errors=["line 1"]), RESPONSE)),
    errors.WaitTimedOut: lambda kind: kind("batch_a", 5.0, "in_progress"),
    errors.ResultsIncomplete: lambda kind: kind(batch(), Summary(answered=3, missing=2)),
    errors.FileNotWritten: lambda kind: kind("/out/a.jsonl", "No space left on device"),
    errors.StateUnusable: lambda kind: kind("/state/a.jsonl", "No space left on device"),
    errors.InputFileInvalid: lambda kind: kind([errors.LineFault("f", 1, "body", "is empty")]),
}
TWO_ARGUMENTS = ("NotEnded", "SubmissionBusy", "RecordUnreadable")


def kinds(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


def every_kind() -> list[type[Exception]]:
    """Every exception of every module of the package."""
    for module in pkgutil.walk_packages(siliconflow_batch.__path__, "siliconflow_batch."):
        importlib.import_module(module.name)
    found = {kind for kind in kinds(errors.SiliconFlowError) if "siliconflow" in kind.__module__}
    return sorted(found, key=lambda kind: kind.__name__)


def made(kind: type[Exception]) -> Exception:
    if kind.__name__ in TWO_ARGUMENTS:
        return kind("a", "b")
    error = next(MAKE[base] for base in kind.__mro__ if base in MAKE)(kind)
    error.add_note("a note")
    return error


def pickled(protocol: int) -> Callable[[Any], Any]:
    return lambda value: pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 - pickled here


WAYS: dict[str, Callable[[Any], Any]] = {"copy": copy.copy, "deepcopy": copy.deepcopy} | {
    f"protocol {protocol}": pickled(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}


def raise_it(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", WAYS)
def test_a_copied_exception_is_the_same(kind: type[Exception], way: str) -> None:
    """A copy of any exception has its class, its text, its attributes and its notes."""
    error = made(kind)

    copied = WAYS[way](error)

    assert type(copied) is kind
    assert (str(copied), repr(vars(copied))) == (str(error), repr(vars(error)))


def test_exceptions_cross_a_process_pool() -> None:
    """A worker process that raises any of the exceptions raises it in the calling process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for kind in every_kind():
            error = made(kind)

            raised = pool.submit(raise_it, error).exception(timeout=60)

            assert type(raised) is kind
            assert str(raised) == str(error)


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_object_is_the_same(way: str) -> None:
    """A copy of a `Batch`, `File` or `Result` has the same content, used before or not."""
    line = b'{"custom_id":"a","response":{"status_code":200,"body":{"choices":[{"message":'
    line += b'{"content":"hi"}}]}},"error":null}\n'
    fresh, used = Reader().feed(line * 2)
    text, raw = used.text, used.raw
    file = File({"id": "file-a", "bytes": 8}, RESPONSE)

    assert WAYS[way](Batch(BATCH, RESPONSE)) == Batch(BATCH)
    assert WAYS[way](file) == file
    for result in (fresh, used):
        copied = WAYS[way](result)
        assert (copied.custom_id, copied.text, copied.raw) == ("a", text, raw)
