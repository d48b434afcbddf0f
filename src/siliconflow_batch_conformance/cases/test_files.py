"""POST /files, GET /files and GET /files/{file_id}/content."""

import time
from typing import Any

import pytest

from ..checks import history, pages, shapes
from ..checks.exchange import UPLOAD_FILE, Exchange, files
from ..observer import Observer
from ..requirements import NotJudged, requirement
from ..service.target import Target, json_lines
from .conftest import Checker

UNUSUAL_NAME = "Nightly Run größe.JSONL"
CONTENT = '{"text": "line\u2028separator \u0085 \u001c"}\n\r\n--+++--\r\nno end'.encode()


def shortened(target: Target, content: bytes) -> bytes:
    """The content, or its first lines where the target accepts no more."""
    return b"".join(content.splitlines(keepends=True)[: target.most_lines])


def is_for_batches(upload: Exchange) -> bool:
    purposes = [file.get("purpose") for file in files(upload).values()]
    return set(purposes) == {"batch"}


@requirement("UPLOAD-8")
@pytest.mark.parametrize("content", [b"{}\n", CONTENT, b"\xef\xbb\xbf{}\r\n"])
def test_upload(target: Target, content: bytes, check: Checker) -> None:
    """An upload is accepted, whatever its bytes."""
    check(shapes.status_is, target.upload(shortened(target, content), "echo.jsonl"), 200)


@requirement("UPLOAD-3")
def test_unusual_name(target: Target, check: Checker) -> None:
    """A file keeps the name of the upload."""
    upload = target.upload(json_lines(target.line()), UNUSUAL_NAME)

    check(history.has_file_name, upload, UNUSUAL_NAME)


@requirement("UPLOAD-4")
def test_purpose(target: Target, check: Checker) -> None:
    """An upload with another purpose than batch is refused."""
    file = {"file": ("a.jsonl", b"{}\n")}

    response = target.request(
        "POST", "/files", data={"purpose": "fine-tune"}, files=file, rejected=True
    )

    check(shapes.status_is, response, 400)


@requirement("UPLOAD-5")
@pytest.mark.parametrize("form", [{"other": ("a.jsonl", b"{}\n")}, {"file": (None, b"{}\n")}])
def test_without_file(target: Target, form: Any, check: Checker) -> None:
    """An upload without a file is refused."""
    data = {"purpose": "batch"}

    response = target.request("POST", "/files", data=data, files=form, rejected=True)

    check(shapes.status_is, response, 400)


@requirement("FILES-6")
def test_listed(target: Target, check: Checker) -> None:
    """The list shows the upload once, with its name, its size and its number of lines."""
    lines = [target.line(f"line-{number}") for number in range(min(3, target.most_lines))]
    upload = target.upload(json_lines(*lines), f"listed-{time.time_ns()}.jsonl")

    check(
        history.is_listed_once, upload, target.files(limit=20 if target.budget.unmetered else 1000)
    )


@requirement("FILES-9")
def test_all_uploads(target: Target, input_file: str, observer: Observer, check: Checker) -> None:
    """A list that is long enough shows every upload."""
    own = [one for one in observer.exchanges if one.sender == target.sender]
    # The list shows files for batches only; a service may have accepted another purpose.
    uploads = [one for one in own if one.operation == UPLOAD_FILE and is_for_batches(one)]

    check(history.lists_all_uploads, target.files(limit=1000), uploads[-500:], 1000)


@requirement("FILES-11")
def test_default_limit(target: Target, check: Checker) -> None:
    """A list without a limit has ten files."""
    if not target.budget.unmetered:
        raise NotJudged("eleven uploads need --unmetered: files cannot be deleted")
    number = len(files(target.files(limit=11)))
    for n in range(number, 11):
        target.upload(json_lines(target.line()), f"one-of-many-{n}.jsonl")

    check(pages.lists_ten_files, target.files(), 11)


@requirement("FILES-12")
def test_other_purposes(target: Target, input_file: str, check: Checker) -> None:
    """No file has a purpose that is not documented."""
    check(pages.lists_no_files, target.files(purpose="fine-tune"))


@requirement("FILES-7")
@pytest.mark.parametrize("limit", ["0"])
def test_limit_below_one(target: Target, limit: str, check: Checker) -> None:
    """A limit below one is refused."""
    check(shapes.status_is, target.files(limit=limit), 400)


@requirement("FILES-10")
def test_without_purpose(target: Target, check: Checker) -> None:
    """A list without `purpose` is refused, or has the files for batches."""
    check(shapes.status_is, target.request("GET", "/files"), 200, 400)


@requirement("FILES-2")
def test_limit(target: Target, check: Checker) -> None:
    """The list holds as many files as the limit allows."""
    for _ in range(2):
        target.upload(json_lines(target.line()))

    check(pages.lists_number_of_files, target.files(limit=1), 1)


@requirement("CONTENT-3")
def test_content(target: Target, check: Checker) -> None:
    """Uploads with the same name can be downloaded, each with its own content, more than once."""
    contents = (shortened(target, CONTENT), b"\xef\xbb\xbf{}\r\n")
    uploads = [target.upload(content, "same.jsonl") for content in contents]
    for upload in [*uploads, *uploads]:
        for id in files(upload):
            check(shapes.status_is, target.download(id), 200)


@requirement("CONTENT-2")
def test_unknown_content(target: Target, check: Checker) -> None:
    """An unknown file is not found."""
    check(shapes.status_is, target.download("file-thereisnone"), 404)
