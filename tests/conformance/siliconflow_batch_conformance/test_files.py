"""POST /files, GET /files and GET /files/{file_id}/content."""

from typing import Any

import pytest

from . import history as across
from . import paging, wire
from .conftest import Expect
from .exchange import files
from .requirements import requirement
from .target import Target

ODD_NAME = "Nightly Run größe.JSONL"
CONTENT = '{"text": "line\u2028separator \u0085 \u001c"}\n\r\n--+++--\r\nno end'.encode()


@requirement("UPLOAD-8")
@pytest.mark.parametrize("data", [b"{}\n", CONTENT, b"\xef\xbb\xbf{}\r\n"])
def test_taken(target: Target, data: bytes, expect: Expect) -> None:
    """An upload is taken, whatever its bytes."""
    expect(wire.status_is, target.upload(data, "echo.jsonl"), 200)


@requirement("UPLOAD-3")
def test_odd_name(target: Target, expect: Expect) -> None:
    """A file keeps the name that its owner gave it."""
    expect(across.is_named, target.upload(b"{}\n", ODD_NAME), ODD_NAME)


@requirement("UPLOAD-4")
def test_purpose(target: Target, expect: Expect) -> None:
    """Files are for batches."""
    file = {"file": ("a.jsonl", b"{}\n")}

    answer = target.request("POST", "/files", data={"purpose": "fine-tune"}, files=file)

    expect(wire.status_is, answer, 400)


@requirement("UPLOAD-5")
@pytest.mark.parametrize("form", [{"other": ("a.jsonl", b"{}\n")}, {"file": (None, b"{}\n")}])
def test_without_file(target: Target, form: Any, expect: Expect) -> None:
    """An upload brings a file."""
    answer = target.request("POST", "/files", data={"purpose": "batch"}, files=form)

    expect(wire.status_is, answer, 400)


@requirement("FILES-6")
def test_listed(target: Target, expect: Expect) -> None:
    """The list has the upload, with its name, its size and how many lines it has."""
    data = b"".join(b'{"n": %d}\n' % number for number in range(3))
    upload = target.upload(data, "listed.jsonl")

    expect(across.is_in_the_list, upload, target.files(limit=20))


@requirement("FILES-2")
def test_limit(target: Target, expect: Expect) -> None:
    """The list is no longer than asked for."""
    for _ in range(2):
        target.upload(b"{}\n")

    expect(paging.has_files, target.files(limit=1), 1)


@requirement("CONTENT-3")
def test_content(target: Target, expect: Expect) -> None:
    """An upload can be read; that no byte of it changed is seen by the observer."""
    for data in (CONTENT, b"\xef\xbb\xbf{}\r\n"):
        for id in files(target.upload(data)):
            expect(wire.status_is, target.download(id), 200)


@requirement("CONTENT-2")
def test_unknown_content(target: Target, expect: Expect) -> None:
    """A file that was never uploaded has no content."""
    expect(wire.status_is, target.download("file-thereisnone"), 404)
