"""HAR files of others: their accounts, their base URL, and files that cannot be read."""

import gzip
import json
from pathlib import Path

import pytest

from siliconflow_batch_conformance.checks.exchange import BEARER
from siliconflow_batch_conformance.recordings import har
from siliconflow_batch_conformance.recordings.entries import HarUnreadable
from support.har_entries import BASE, KEY, OTHER, WRONG, entry, saved

BATCH = {"id": "batch_a", "object": "batch", "status": "completed"}


class TestAccounts:
    def test_accounts_are_named_and_keys_are_removed(self, tmp_path: Path) -> None:
        """The first accepted key is own, the second stranger; other keys are refused."""
        shown = json.dumps({"key": KEY, "other": OTHER})
        exchanges = har.read(
            saved(
                tmp_path,
                entry(key=WRONG, status=401, text='"Invalid token"'),
                entry(key=KEY, text=shown, headers=[{"name": "x-key", "value": OTHER}]),
                entry(f"{BASE}/batches?key={KEY}", key=OTHER),
                entry(request={"headers": [{"name": "Authorization", "value": f"Basic {KEY}"}]}),
                entry(request={"headers": [{"name": "Authorization", "value": KEY}]}),
                entry(request={"headers": [{"name": "Authorization", "value": "Token x"}]}),
                entry(key="sk-three-1234567890"),
                entry(method="POST", request={"postData": {"mimeType": "", "text": KEY}}, key=None),
            )
        )

        assert [(one.sender, one.authorization) for one in exchanges] == [
            ("refused", BEARER),
            ("own", BEARER),
            ("stranger", BEARER),
            ("own", "Basic {key}"),
            ("own", "{key}"),
            ("refused", "Token {key}"),
            ("stranger-3", BEARER),
            ("own", None),
        ]
        assert not [key for key in (KEY, OTHER, WRONG) if key in repr(exchanges)]

    def test_a_refused_key_is_own_where_it_is_the_only_one(self, tmp_path: Path) -> None:
        """In a file of refusals the first key is own."""
        (exchange,) = har.read(saved(tmp_path, entry(status=401)))

        assert exchange.sender == "own"

    def test_a_browser_without_authorization_headers(self, tmp_path: Path) -> None:
        """Where no entry has the header and requests succeed, the browser left the header out."""
        url = "https://files.example/result?sig=1"
        batch = json.dumps({**BATCH, "output_file_id": url})
        exchanges = har.read(
            saved(
                tmp_path,
                entry(f"{BASE}/batches/batch_a", key=None, text=batch),
                entry(url, key=None, text="{}\n"),
            )
        )

        assert [one.authorization for one in exchanges] == [BEARER, None]


class TestBaseUrl:
    def test_result_files_of_other_hosts_are_read(self, tmp_path: Path) -> None:
        """A URL that a batch names is read; other URLs of the same host are not."""
        url = "https://files.example/results/x?sig=1&a=b"
        batch = json.dumps({"data": [{**BATCH, "error_file_id": url}]})
        capture = har.capture(
            saved(
                tmp_path,
                entry(text=batch),
                entry(url, key=None, text="{}\n"),
                entry("https://files.example/results/y", key=None),
            )
        )

        assert [one.path for one in capture.exchanges] == ["/batches", url]
        assert capture.left_out == {"of another host": 1}

    def test_the_most_common_base_url_is_used(self, tmp_path: Path) -> None:
        """One request with a wrong path does not change the base URL."""
        capture = har.capture(
            saved(
                tmp_path,
                entry(f"{BASE}/v1/batches", method="POST", status=404, text='"404 page not found"'),
                entry(f"{BASE}/batches/batch_a/cancel", method="POST"),
                entry(f"{BASE}/files/file-a/content"),
                entry("https://other.example/files"),
            )
        )

        assert capture.base_url == BASE
        assert len(capture.exchanges) == 2

    def test_an_explicit_base_url_is_used(self, tmp_path: Path) -> None:
        """Default port, letter case and a final slash of the base URL do not matter."""
        path = saved(tmp_path, entry(), entry(), entry("https://other.example/api/files"))

        capture = har.capture(path, "https://OTHER.example:443/api/")

        assert [one.path for one in capture.exchanges] == ["/files"]
        assert capture.left_out == {"of another host": 2}


class TestUnreadable:
    @pytest.mark.parametrize(
        ("raw", "problem"),
        [
            (b"", "the file is empty"),
            (b"<html></html>", "not JSON"),
            (b"\x89PNG\r\n\xff", "not JSON"),
            (b"[" * 100_000, ""),
            (b"[]", "no list at log.entries"),
            (b'{"log": {"entries": {}}}', "no list at log.entries"),
            (b'{"log": {"entries": []}}', "no request to /files or /batches"),
            (b'{"log": {"entries": [{"request": {}}]}}', "entry 1: no request with method"),
            (b'{"log": {"entries": [7]}}', "entry 1: no request with method"),
            (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "the file is compressed twice"),
            (gzip.compress(b"{}" * 100, mtime=0)[:-9], "the gzip data is damaged"),
            (b"PK\x03\x04...", "the file is a zip archive"),
        ],
    )
    def test_another_file_is_refused(self, tmp_path: Path, raw: bytes, problem: str) -> None:
        """The error names the file, the problem and what to do."""
        path = tmp_path / "traffic.har"
        path.write_bytes(raw)

        with pytest.raises(HarUnreadable) as unreadable:
            har.read(path)

        assert problem in str(unreadable.value)
        assert str(unreadable.value).startswith(str(path))
        assert unreadable.value.remedy in str(unreadable.value)

    def test_an_incomplete_file_is_refused(self, tmp_path: Path) -> None:
        """A file that is cut anywhere is reported as incomplete."""
        path = saved(tmp_path, entry(text="ä", _known=True), entry(status=404))
        whole = path.read_bytes().rstrip()

        for length in range(1, len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(HarUnreadable, match="the file is incomplete"):
                har.read(path)

    def test_missing_file(self, tmp_path: Path) -> None:
        """The error for a missing file has the message of the system."""
        with pytest.raises(HarUnreadable, match="No such file"):
            har.read(tmp_path / "none.har")

    def test_no_complete_exchange(self, tmp_path: Path) -> None:
        """The error counts the entries that were left out."""
        path = saved(tmp_path, entry(text=None, bodySize=9), entry("https://other.example/x"))

        with pytest.raises(HarUnreadable, match="1 without its body, 1 of another host"):
            har.read(path)
