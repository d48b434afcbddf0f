"""Recordings with gaps: what a tool has hidden or left out is not held against the service."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.checks.exchange import BEARER
from siliconflow_batch_conformance.recordings import entries, har
from siliconflow_batch_conformance.recordings.entries import HarUnreadable
from siliconflow_batch_conformance.run import judge_recorded, selected
from siliconflow_batch_conformance.verdicts import FAILS, HOLDS, NOT_JUDGED
from support.conformance_command import conformance_here
from support.har_entries import BASE, OTHER, Entry, entry, saved

ID = "batch_abcdefghij"
BATCH = {
    "id": ID,
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-abcdefghij",
    "completion_window": "24h",
    "status": "in_queue",
    "created_at": 1_777_629_600,
    "expires_at": 1_777_716_000,
    "metadata": None,
}
UPLOAD = {"id": "file-abcdefghij", "object": "file", "bytes": 310, "createdAt": 1_777_629_600}
FORM = "multipart/form-data; boundary=b"
PAGE = json.dumps({"object": "list", "data": [], "has_more": False})


def retrieval(**more: Any) -> Entry:
    return entry(f"{BASE}/batches/{ID}", text=json.dumps(BATCH), **more)


def creation(**more: Any) -> Entry:
    body = {name: BATCH[name] for name in ("input_file_id", "endpoint", "completion_window")}
    posted = {"mimeType": "application/json", "text": json.dumps(body)}
    return entry(method="POST", request={"postData": posted}, text=json.dumps(BATCH), **more)


def upload(headers: dict[str, str], **request: Any) -> Entry:
    listed = [{"name": name, "value": value} for name, value in headers.items()]
    answer = json.dumps({"code": 20000, "status": True, "data": UPLOAD})
    return entry(
        f"{BASE}/files", method="POST", request={"headers": listed, **request}, text=answer
    )


def outcomes(path: Path) -> dict[str, str]:
    capture = har.capture(path)
    run = judge_recorded(capture.exchanges, capture.base_url, selected())
    return {id: verdict.outcome for id, verdict in run.verdicts.items()}


@pytest.mark.parametrize(
    "form",
    [
        upload({"Content-Length": "605", "Content-Type": FORM}, bodySize=0),
        upload({"Content-Type": FORM}, bodySize=-1),
        upload({"Content-Type": FORM}, bodySize=605, postData={"mimeType": FORM, "text": ""}),
        upload({"Content-Type": FORM}, bodySize=605, postData={"mimeType": FORM, "text": "--b"}),
        upload({"Content-Type": FORM}, postData={"mimeType": FORM, "params": []}),
    ],
)
def test_an_upload_without_its_form_is_left_out(tmp_path: Path, form: Entry) -> None:
    """Browsers do not keep the file of a form: the request is incomplete, not empty."""
    capture = har.capture(saved(tmp_path, form, retrieval()))

    assert capture.left_out == {"without its request body": 1}
    assert [one.operation for one in capture.exchanges] == ["GET /batches/{batch_id}"]


def test_a_request_without_a_body_is_kept(tmp_path: Path) -> None:
    """A cancel has no body, and characters are not bytes."""
    cancel = entry(f"{BASE}/batches/{ID}/cancel", method="POST", text=json.dumps(BATCH))
    text = '{"metadata": {"a": "é"}}'
    posted = {"mimeType": "application/json", "text": text}
    create = entry(method="POST", request={"postData": posted, "bodySize": len(text) + 1})

    assert har.capture(saved(tmp_path, cancel, create)).left_out == {}


@pytest.mark.parametrize(
    ("content", "left_out"),
    [
        ({"text": PAGE[:20], "size": len(PAGE)}, 1),
        ({"text": base64.b64encode(b"ab").decode(), "encoding": "base64", "size": 3}, 1),
        ({"text": '"é"', "size": 4}, 0),
        ({"text": PAGE, "size": len(PAGE) - 9}, 0),
    ],
)
def test_half_a_response_is_left_out(
    tmp_path: Path, content: dict[str, Any], left_out: int
) -> None:
    """A body that is shorter than its stated size was cut off by the tool."""
    capture = har.capture(saved(tmp_path, retrieval(), entry(content=content)))

    assert capture.left_out["without its body"] == left_out


def test_an_answer_from_a_cache_is_left_out(tmp_path: Path) -> None:
    """A 304 says nothing about the service."""
    capture = har.capture(saved(tmp_path, retrieval(), entry(status=304, text="")))

    assert capture.left_out == {"a 304, whose body is in a cache": 1}


@pytest.mark.parametrize("hidden", ["REDACTED", "[Filtered]", "***", "Bearer", "<hidden>"])
def test_a_placeholder_is_no_malformed_key(tmp_path: Path, hidden: str) -> None:
    """One header everywhere, without a bearer key, is what a recorder put there."""
    headers = [{"name": "Authorization", "value": hidden}]
    path = saved(tmp_path, retrieval(request={"headers": headers}), creation())
    log = json.loads(path.read_text())
    for one in log["log"]["entries"]:
        one["request"]["headers"] = headers
    path.write_text(json.dumps(log))

    assert [(one.sender, one.authorization) for one in har.read(path)] == [("own", BEARER)] * 2
    assert outcomes(path)["AUTH-3"] == NOT_JUDGED


def test_a_malformed_key_among_others_is_judged(tmp_path: Path) -> None:
    """Beside sound keys, another scheme is what the client sent."""
    basic = [{"name": "Authorization", "value": "Basic abc"}]

    path = saved(tmp_path, retrieval(), retrieval(request={"headers": basic}))

    assert outcomes(path)["AUTH-3"] == FAILS


def test_a_refused_key_is_no_second_account(tmp_path: Path) -> None:
    """OWNER is judged with accounts that the service let in."""
    refused = retrieval(key="sk-revoked-00000") | {
        "response": {"status": 401, "headers": [], "content": {"text": '"Invalid token"'}}
    }
    missing = retrieval(key=OTHER) | {
        "response": {"status": 404, "headers": [], "content": {"text": '"batch not found"'}}
    }

    alone = outcomes(saved(tmp_path, creation(), refused))
    both = outcomes(saved(tmp_path, creation(), missing, name="both.har"))

    assert (alone["OWNER-1"], both["OWNER-1"]) == (NOT_JUDGED, HOLDS)


@pytest.mark.parametrize("started", ["", "yesterday", None])
def test_without_a_time_nothing_is_judged_on_time(tmp_path: Path, started: Any) -> None:
    """Only entries with a usable time can show that a timestamp is wrong."""
    timed = outcomes(saved(tmp_path, creation()))
    untimed = outcomes(saved(tmp_path, creation(started=started), name="untimed.har"))

    assert (timed["TIME-1"], timed["CREATE-6"]) == (HOLDS, HOLDS)
    assert (untimed["TIME-1"], untimed["CREATE-6"]) == (NOT_JUDGED, NOT_JUDGED)
    assert untimed["CREATE-5"] == timed["CREATE-5"] == HOLDS


def test_server_errors_are_mentioned(tmp_path: Path) -> None:
    """A 5xx fails no requirement, and the output says that there was one."""
    path = saved(tmp_path, retrieval(), entry(status=503, text='"busy"'))

    assert "server errors, which the documents do not describe: 1 with 503" in (
        conformance_here("--har", str(path)).stdout
    )


def test_a_key_in_a_url_is_removed(tmp_path: Path) -> None:
    """A parameter that is named like a key is replaced wherever its value occurs."""
    secret = "sk-in-the-url-123456"
    echo = json.dumps({**BATCH, "errors": [f"?token={secret}"]})
    url = f"{BASE}/batches/{ID}?api-key={secret}"

    exchanges = har.read(saved(tmp_path, entry(url, text=echo)))

    assert secret not in repr(exchanges)


def test_a_file_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused without being decompressed to its end."""
    monkeypatch.setattr(entries, "MOST_BYTES", 100_000)
    path = tmp_path / "traffic.har"
    path.write_bytes(gzip.compress(b" " * 10_000_000))

    with pytest.raises(HarUnreadable, match="more than 100,000 bytes"):
        har.read(path)
