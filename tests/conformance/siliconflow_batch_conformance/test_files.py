"""POST /files, GET /files and GET /files/{file_id}/content."""

import time
from typing import Any

from .requirements import expect, requirement
from .target import Target, json_of

ODD_NAME = "Nightly Run größe.JSONL"
CONTENT = '{"text": "line\u2028separator \u0085 \u001c"}\n\r\n--+++--\r\nno end'.encode()


def entry_of(target: Target, file_id: str) -> dict[str, Any]:
    found = [file for file in target.files(limit=1000) if file["id"] == file_id]
    expect(len(found) == 1, f"one entry for {file_id}", found)
    return found[0]


@requirement("UPLOAD-1")
def test_envelope(target: Target) -> None:
    """An upload that worked says so three times: in the HTTP status, the code and the status."""
    body = json_of(target.upload(b"{}\n"))

    said = (body.get("code"), body.get("status"))
    expect(said == (20000, True), "code 20000, status true", said)
    expect(isinstance(body.get("data"), dict), "the file in data", body.get("data"))


@requirement("UPLOAD-2")
def test_echo(target: Target) -> None:
    """The answer describes what arrived."""
    file = json_of(target.upload(CONTENT, "echo.jsonl"))["data"]

    expected = ("echo.jsonl", len(CONTENT), "batch", "file")
    said = tuple(file.get(name) for name in ("filename", "bytes", "purpose", "object"))
    expect(said == expected, f"{expected}", said)


@requirement("UPLOAD-3")
def test_odd_name(target: Target) -> None:
    """A file keeps the name that its owner gave it."""
    file = json_of(target.upload(b"{}\n", ODD_NAME))["data"]

    expect(file["filename"] == ODD_NAME, repr(ODD_NAME), repr(file["filename"]))


@requirement("UPLOAD-4")
def test_purpose(target: Target) -> None:
    """Files are for batches."""
    answer = target.request(
        "POST", "/files", data={"purpose": "fine-tune"}, files={"file": ("a.jsonl", b"{}\n")}
    )

    expect(answer.status_code == 400, "400", f"{answer.status_code} {answer.text}")


@requirement("UPLOAD-5")
def test_without_file(target: Target) -> None:
    """An upload brings a file."""
    answer = target.request(
        "POST", "/files", data={"purpose": "batch"}, files={"other": ("a.jsonl", b"{}\n")}
    )

    expect(answer.status_code == 400, "400", f"{answer.status_code} {answer.text}")


@requirement("UPLOAD-6")
def test_time(target: Target) -> None:
    """The time of an upload is now, give or take a day for clocks that differ."""
    file = json_of(target.upload(b"{}\n"))["data"]

    now = int(time.time())
    expect(abs(file["createdAt"] - now) < 86_400, f"about {now}", file["createdAt"])


@requirement("FILES-1")
def test_listed(target: Target) -> None:
    """The list knows an upload's name, its size and how many lines it has."""
    data = b"".join(b'{"n": %d}\n' % number for number in range(3))
    file_id = json_of(target.upload(data, "listed.jsonl"))["data"]["id"]

    entry = entry_of(target, file_id)

    expected = ("listed.jsonl", len(data), 3, "batch")
    said = tuple(entry.get(name) for name in ("filename", "bytes", "line_count", "purpose"))
    expect(said == expected, f"{expected}", said)


@requirement("FILES-2")
def test_limit(target: Target) -> None:
    """The list is no longer than asked for."""
    for _ in range(2):
        target.upload(b"{}\n")

    found = target.files(limit=1)

    expect(len(found) == 1, "one file", found)


@requirement("FILES-3")
def test_same_time(target: Target) -> None:
    """Two spellings, one time."""
    file = json_of(target.upload(b"{}\n"))["data"]

    listed_at = entry_of(target, file["id"])["created_at"]
    expect(listed_at == file["createdAt"], f"created_at {file['createdAt']}", listed_at)


@requirement("CONTENT-1")
def test_content(target: Target) -> None:
    """No byte of an upload is lost, added or changed."""
    file_id = json_of(target.upload(CONTENT))["data"]["id"]

    answer = target.request("GET", f"/files/{file_id}/content")

    expect(answer.content == CONTENT, repr(CONTENT), f"{answer.status_code} {answer.content!r}")


@requirement("CONTENT-2")
def test_unknown_content(target: Target) -> None:
    """A file that was never uploaded has no content."""
    answer = target.request("GET", "/files/file-thereisnone/content")

    expect(answer.status_code == 404, "404", f"{answer.status_code} {answer.text}")
