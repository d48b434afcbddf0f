"""The table of rules: which checks are due on an exchange, and with which arguments."""

import itertools
import json
from typing import Any

import pytest

from siliconflow_batch_conformance import requirements
from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.observer import Observer
from siliconflow_batch_conformance.recordings.judgments import NAMES
from siliconflow_batch_conformance.rules import ON_EVERY_RESPONSE, RULES, due

FORM = {rule.requirement for rule in ON_EVERY_RESPONSE}
NUMBERS = itertools.count(1)
LINE = b'{"custom_id": "a"}\n'


def exchange(
    method: str, path: str, body: Any = None, status: int = 200, **fields: Any
) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(next(NUMBERS), method, path, status, body=raw, **fields)


def upload(id: str = "file-a", **fields: Any) -> Exchange:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n%b\r\n--x--'
    )
    file = {"id": id, "filename": "a.jsonl", "bytes": len(LINE), "createdAt": 1}
    return exchange(
        "POST",
        "/files",
        {"data": file},
        request_body=form % LINE,
        request_type="multipart/form-data; boundary=x",
        **fields,
    )


def a_batch(id: str = "batch-a", **fields: Any) -> dict[str, Any]:
    return {"id": id, "status": "in_queue", "input_file_id": "file-a", **fields}


def creation(id: str = "batch-a", request: Any = None, **fields: Any) -> Exchange:
    body = json.dumps({"input_file_id": "file-a"} if request is None else request).encode()
    fields = {"request_body": body, "request_type": "application/json", **fields}
    return exchange("POST", "/batches", a_batch(id), **fields)


def retrieval(id: str = "batch-a", batch: dict[str, Any] | None = None, **fields: Any) -> Exchange:
    return exchange("GET", f"/batches/{id}", batch or a_batch(id), **fields)


def cancel(id: str = "batch-a", **fields: Any) -> Exchange:
    return exchange("POST", f"/batches/{id}/cancel", a_batch(id), **fields)


def page(*ids: str, **fields: Any) -> Exchange:
    return exchange("GET", "/batches", {"data": [a_batch(id) for id in ids]}, **fields)


def listing(*ids: str, **fields: Any) -> Exchange:
    return exchange("GET", "/files", {"data": {"data": [{"id": id} for id in ids]}}, **fields)


def download(id: str, content: bytes = LINE, **fields: Any) -> Exchange:
    return exchange("GET", f"/files/{id}/content", content, **fields)


def completed(**fields: Any) -> Exchange:
    return retrieval(batch=a_batch(status="completed", **fields))


def due_on(last: Exchange, *earlier: Exchange, settled: bool = False) -> set[str]:
    """The requirements that are judged on an exchange, except those of its form."""
    observer = Observer()
    for one in earlier:
        observer.observe(one)
    ids = {requirement for requirement, _, _ in due(last, observer.inventory, settled=settled)}
    return ids - FORM


# The last exchange, those before it, and what is due on the last one.
DUE = {
    "first upload": ([upload()], {"UPLOAD-7"}),
    "first creation": ([creation()], {"CREATE-15", "CREATE-20"}),
    "creation without an object": (
        [creation(request=[], status=400)],
        {"CREATE-17", "CREATE-20"},
    ),
    "retrieval of an unknown batch": ([retrieval()], set()),
    "retrieval after creation": (
        [creation(), retrieval()],
        {
            "RETRIEVE-4",
            "RETRIEVE-1",
            "CANCEL-9",
            "LIFE-1",
            "LIFE-3",
            "LIFE-8",
            "COUNT-3",
            "COUNT-5",
        },
    ),
    "second retrieval": (
        [creation(), retrieval(), retrieval()],
        {
            "RETRIEVE-4",
            "RETRIEVE-1",
            "CANCEL-9",
            "LIFE-1",
            "LIFE-3",
            "LIFE-8",
            "COUNT-3",
            "COUNT-5",
        },
    ),
    "cancel": (
        [creation(), cancel()],
        {"CANCEL-4", "RETRIEVE-1", "CANCEL-9", "LIFE-1", "LIFE-3", "LIFE-8", "COUNT-3", "COUNT-5"},
    ),
    "refused cancel": ([creation(), cancel(status=400)], {"CANCEL-4"}),
    "page with a created batch": ([creation(), page("batch-a")], {"CANCEL-9"}),
    "page with a retrieved batch": (
        [retrieval(), page("batch-a")],
        {"LIST-9", "LIST-16", "LIST-17"},
    ),
    "retrieval after the cancel of a finished batch": (
        [completed(), cancel(status=400), completed()],
        {"CANCEL-4", "LIFE-1", "LIFE-3", "RETRIEVE-1", "LIFE-8", "COUNT-3", "COUNT-5"},
    ),
    "page with an uploaded file": ([upload(), page("batch-a")], {"LIST-10"}),
    "list with an uploaded file": ([upload(), listing("file-a")], {"FILES-1", "FILES-3"}),
    "list without it": ([upload(), listing("file-b")], set()),
    "download of an upload": ([upload(), download("file-a")], {"CONTENT-1"}),
    "download that is not found": ([upload(), download("file-a", status=404)], set()),
    "another account's batch": ([creation(), retrieval(sender="stranger")], {"OWNER-1"}),
    "another account's cancel": ([creation(), cancel(sender="stranger")], {"OWNER-3"}),
    "another account's file": ([upload(), download("file-a", sender="stranger")], {"OWNER-4"}),
    "a creation from another account's file": (
        [upload(), creation(sender="stranger", status=404)],
        {"OWNER-5", "CREATE-15", "CREATE-20"},
    ),
    "another account's page": ([creation(), page(sender="stranger")], {"OWNER-2"}),
    "another account's list": ([upload(), listing(sender="stranger")], {"OWNER-6"}),
    "unknown method": ([exchange("PUT", "/batches", status=404)], {"HTTP-1"}),
    "method not allowed": ([exchange("PUT", "/batches", status=405)], {"HTTP-1", "HTTP-2"}),
    "another account's unknown method": (
        [creation(), exchange("DELETE", "/batches/batch-a", status=404, sender="stranger")],
        {"HTTP-1"},
    ),
    "output file": (
        [completed(output_file_id="file-o"), download("file-o")],
        {"RESULT-2", "RESULT-4", "RESULT-7", "RESULT-10", "RESULT-11", "COUNT-4"},
    ),
    "error file": (
        [completed(error_file_id="file-e"), download("file-e")],
        {"RESULT-2", "RESULT-7", "RESULT-10", "RESULT-11", "COUNT-4"},
    ),
    "output file again": (
        [completed(output_file_id="file-o"), download("file-o"), download("file-o")],
        {"RESULT-8"},
    ),
    "output file of a batch with replace.model": (
        [
            creation(request={"replace": {"model": "m"}}),
            completed(output_file_id="file-o"),
            download("file-o"),
        ],
        {"RESULT-2", "RESULT-3", "RESULT-4", "RESULT-7", "RESULT-10", "RESULT-11", "COUNT-4"},
    ),
    "output file of a batch with a malformed replace": (
        [
            creation(request={"replace": "m"}),
            completed(output_file_id="file-o"),
            download("file-o"),
        ],
        {"RESULT-2", "RESULT-4", "RESULT-7", "RESULT-10", "RESULT-11", "COUNT-4"},
    ),
    "a result file whose id is a number": (
        [completed(output_file_id=5), download("5")],
        set(),
    ),
    "the first of two result files": (
        [upload(), completed(output_file_id="file-o", error_file_id="file-e"), download("file-o")],
        {"RESULT-2", "RESULT-4", "RESULT-7", "RESULT-10", "RESULT-11", "COUNT-4"},
    ),
    "the last of two result files": (
        [
            upload(),
            completed(output_file_id="file-o", error_file_id="file-e"),
            download("file-o"),
            download("file-e"),
        ],
        {"RESULT-1", "RESULT-2", "RESULT-7", "RESULT-10", "RESULT-11", "COUNT-4"},
    ),
}


@pytest.mark.parametrize(("exchanges", "expected"), DUE.values(), ids=DUE)
def test_due_requirements(exchanges: list[Exchange], expected: set[str]) -> None:
    """An exchange is judged by these requirements, given those before it."""
    *earlier, last = exchanges

    assert due_on(last, *earlier) == expected


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (None, "AUTH-1"),
        ("Bearer sk-x", "AUTH-2"),
        ("Bearer {KEY}", "AUTH-2"),
        ("", "AUTH-3"),
        ("{key}", "AUTH-3"),
        ("Bearer", "AUTH-3"),
        ("Bearer ", "AUTH-3"),
        ("Bearer sk x", "AUTH-3"),
        ("Basic {key}", "AUTH-3"),
    ],
)
def test_wrong_keys(authorization: str | None, expected: str) -> None:
    """A request without the account's key is judged by one requirement of AUTH only."""
    assert due_on(cancel(authorization=authorization), creation()) == {expected}


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503, 504])
def test_not_now(status: int) -> None:
    """A response that says "not now" is judged by its form, unless it is the final one."""
    busy = cancel(status=status)

    assert due_on(busy, creation()) == set()
    assert due_on(busy, creation(), settled=True) == {"CANCEL-4"}


def test_a_lost_request_makes_a_batch_uncertain() -> None:
    """A batch that a request without a response may have cancelled is not judged by CANCEL-9."""
    observer = Observer()
    observer.observe(creation())
    observer.observe_lost_request("/batches/batch-a/cancel")
    observer.observe(retrieval(batch=a_batch(status="cancelling")))

    assert observer.judged["CANCEL-9"] == 0


def test_one_file_for_both_results_is_a_finding() -> None:
    """A batch that names the same file twice answers each line twice."""
    observer = Observer()
    for one in (
        upload(),
        completed(output_file_id="file-r", error_file_id="file-r"),
        download("file-r"),
    ):
        observer.observe(one)

    assert "RESULT-1" in {finding.requirement for finding in observer.findings}


def test_what_a_refused_key_created_is_not_in_the_inventory() -> None:
    """Responses to wrong keys are remembered only if the service accepted the key."""
    refused, accepted = (cancel(authorization="Bearer sk-x", status=s) for s in (401, 200))
    observer = Observer()
    observer.observe(refused)
    observer.observe(accepted)

    assert observer.inventory.cancels == [accepted]


def test_a_malformed_body_is_not_counted_as_judged() -> None:
    """A check that cannot read a body of another shape neither finds nor counts anything."""
    observer = Observer()
    observer.observe(exchange("GET", "/batches", b"[]"))

    assert observer.judged["LIST-12"] == 1
    assert observer.judged["LIST-1"] == 0


def test_every_rule_is_in_the_catalogue_and_its_check_has_a_name() -> None:
    """Requirements of rules exist, and recordings can name their checks."""
    assert {rule.requirement for rule in RULES} <= requirements.load().keys()
    assert {rule.check for rule in RULES} <= NAMES.keys()
