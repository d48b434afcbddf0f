"""POST /files, GET /files and GET /files/{file_id}/content."""

import time
from typing import Any

import pytest

from ..checks import history as across
from ..checks import pages, shapes
from ..checks.exchange import Exchange, files
from ..observer import Observer
from ..requirements import requirement
from ..service.target import Target
from .conftest import Expect

ODD_NAME = "Nightly Run größe.JSONL"
CONTENT = '{"text": "line\u2028separator \u0085 \u001c"}\n\r\n--+++--\r\nno end'.encode()


def short(target: Target, data: bytes) -> bytes:
    """The data, or its first lines where the target takes no more."""
    return b"".join(data.splitlines(keepends=True)[: target.most_lines])


def is_for_batches(upload: Exchange) -> bool:
    return all(file.get("purpose") == "batch" for file in files(upload).values())


@requirement("UPLOAD-8")
@pytest.mark.parametrize("data", [b"{}\n", CONTENT, b"\xef\xbb\xbf{}\r\n"])
def test_taken(target: Target, data: bytes, expect: Expect) -> None:
    """An upload is taken, whatever its bytes."""
    expect(shapes.status_is, target.upload(short(target, data), "echo.jsonl"), 200)


@requirement("UPLOAD-3")
def test_odd_name(target: Target, expect: Expect) -> None:
    """A file keeps the name that its owner gave it."""
    expect(across.is_named, target.upload(b"{}\n", ODD_NAME), ODD_NAME)


@requirement("UPLOAD-4")
def test_purpose(target: Target, expect: Expect) -> None:
    """Files are for batches."""
    file = {"file": ("a.jsonl", b"{}\n")}

    answer = target.request(
        "POST", "/files", data={"purpose": "fine-tune"}, files=file, rejected=True
    )

    expect(shapes.status_is, answer, 400)


@requirement("UPLOAD-5")
@pytest.mark.parametrize("form", [{"other": ("a.jsonl", b"{}\n")}, {"file": (None, b"{}\n")}])
def test_without_file(target: Target, form: Any, expect: Expect) -> None:
    """An upload brings a file."""
    answer = target.request("POST", "/files", data={"purpose": "batch"}, files=form, rejected=True)

    expect(shapes.status_is, answer, 400)


@requirement("FILES-6")
def test_listed(target: Target, expect: Expect) -> None:
    """The list has the upload once, with its name, its size and how many lines it has."""
    data = b"".join(b'{"n": %d}\n' % number for number in range(min(3, target.most_lines)))
    upload = target.upload(data, f"listed-{time.time_ns()}.jsonl")

    expect(
        across.is_in_the_list, upload, target.files(limit=20 if target.budget.loopback else 1000)
    )


@requirement("FILES-9")
def test_none_is_lost(target: Target, observer: Observer, expect: Expect) -> None:
    """Every upload stands in a list that is long enough."""
    uploads = [e for e in observer.exchanges if e.operation == "POST /files" and files(e)]
    # The list is asked for what is for batches; a service may have taken something else.
    mine = [e for e in uploads if e.sender == target.sender and is_for_batches(e)]

    expect(across.lists_all, target.files(limit=1000), mine[-500:], 1000)


@requirement("FILES-7")
@pytest.mark.parametrize("limit", ["0"])
def test_limit_below_one(target: Target, limit: str, expect: Expect) -> None:
    """Less than one file cannot be asked for."""
    expect(shapes.status_is, target.files(limit=limit), 400)


@requirement("FILES-2")
def test_limit(target: Target, expect: Expect) -> None:
    """The list is no longer than asked for."""
    for _ in range(2):
        target.upload(b"{}\n")

    expect(pages.has_files, target.files(limit=1), 1)


@requirement("CONTENT-3")
def test_content(target: Target, expect: Expect) -> None:
    """Uploads of one name can be read, each as it is, as often as anybody wants."""
    contents = (short(target, CONTENT), b"\xef\xbb\xbf{}\r\n")
    uploads = [target.upload(data, "same.jsonl") for data in contents]
    for upload in [*uploads, *uploads]:
        for id in files(upload):
            expect(shapes.status_is, target.download(id), 200)


@requirement("CONTENT-2")
def test_unknown_content(target: Target, expect: Expect) -> None:
    """A file that was never uploaded has no content."""
    expect(shapes.status_is, target.download("file-thereisnone"), 404)
