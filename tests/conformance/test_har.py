"""HAR files: those of runs, browsers and proxies."""

import base64
import gzip
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siliconflow_batch_conformance.checks.exchange import BEARER, Exchange
from siliconflow_batch_conformance.recordings import har
from siliconflow_batch_simulator import Pace, Simulator
from support.har_entries import BASE, KEY, OTHER, Entry, entry, saved
from support.recorder import Recorder, line

A_DOWNLOAD = Exchange(2, "GET", "/files/file-a/content", 200, body=b"\xff\x00")


def read_one(folder: Path, *entries: Entry) -> Exchange:
    (exchange,) = har.read(saved(folder, *entries))
    return exchange


ids = st.text(string.ascii_letters + string.digits + "_-.~", min_size=1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
paths = st.one_of(
    st.sampled_from(["/batches", "/files"]),
    ids.map("/batches/{}".format),
    ids.map("/batches/{}/cancel".format),
    ids.map("/files/{}/content".format),
    st.sampled_from(["/batches/%2e%2e", "/batches/a%2Fb", "/batches/..", "/files//x", "/other"]),
)
names = st.text(string.ascii_lowercase + "-", min_size=1).filter(lambda name: name.strip("-"))
common = {
    "number": st.integers(1, 10**6),
    "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
    "status": st.integers(100, 599),
    "request_body": st.binary(),
    "request_type": st.sampled_from(["", "application/json", "text/plain; charset=latin-1"]),
    "sender": st.sampled_from(["own", "stranger", "stranger-3"]),
    "authorization": st.sampled_from([BEARER, None, "", "Basic {key}", "Bearer sk-thisisnokey"]),
    "headers": st.dictionaries(names, texts)
    | st.just({"content-type": "text/html; charset=utf-16", "content-encoding": "gzip"}),
    "body": st.binary() | texts.map(str.encode) | st.just(gzip.compress(b"{}")),
    "at": st.floats(0, 4e9),
    "awaited": st.booleans(),
}
below = st.builds(Exchange, path=paths, query=st.dictionaries(texts, texts), **common)
elsewhere = st.builds(
    Exchange, path=ids.map("https://Files.example:443/{}?sig=a+b%2F#".format), **common
)


class TestRoundTrip:
    @settings(deadline=None)
    @given(exchanges=st.lists(below | elsewhere, min_size=1, max_size=4))
    def test_written_exchanges_are_read_unchanged(
        self, tmp_path_factory: pytest.TempPathFactory, exchanges: list[Exchange]
    ) -> None:
        """Reading a written file returns equal exchanges."""
        path = tmp_path_factory.getbasetemp() / "own.har"

        har.write(path, exchanges, BASE)

        assert har.read(path, BASE) == exchanges

    def test_a_written_run_contains_no_key(self, tmp_path: Path) -> None:
        """The file has every exchange and the base URL, and neither of the keys."""
        with Simulator(keys=(KEY, OTHER), pace=Pace(0, 0, 0, 0)) as simulator:
            recorder = Recorder(simulator)
            *_, end = recorder.watch(recorder.create(recorder.upload(line())))
            recorder.request("GET", end.json["output_file_id"], authorization=None)
            recorder.stranger().request("GET", "/batches", params={"limit": 1})
            har.write(tmp_path / "run.har", recorder.story, simulator.base_url)
            capture = har.capture(tmp_path / "run.har")

        assert capture.exchanges == recorder.story
        assert capture.base_url == simulator.base_url
        assert not {KEY, OTHER} & set((tmp_path / "run.har").read_text().split())
        assert KEY not in (tmp_path / "run.har").read_text()

    def test_a_written_file_is_har_1_2(self, tmp_path: Path) -> None:
        """The file has every field that HAR 1.2 requires."""
        har.write(
            tmp_path / "run.har", [Exchange(1, "POST", "/files", 200, request_body=b"\xff")], BASE
        )

        log = json.loads((tmp_path / "run.har").read_text())["log"]
        (written,) = log["entries"]
        assert log.keys() >= {"version", "creator", "entries"}
        assert written.keys() >= {
            "startedDateTime",
            "time",
            "request",
            "response",
            "cache",
            "timings",
        }
        sizes = {"method", "url", "httpVersion", "cookies", "headers", "headersSize", "bodySize"}
        assert written["request"].keys() >= {*sizes, "queryString"}
        assert written["response"].keys() >= {*(sizes - {"method", "url"}), "status", "statusText"}
        assert written["response"].keys() >= {"content", "redirectURL"}

    def test_a_failed_write_keeps_the_file(self, tmp_path: Path) -> None:
        """A failed write keeps the old file and leaves no temporary file."""
        path = tmp_path / "run.har"
        har.write(path, [Exchange(1, "GET", "/batches", 200)], BASE)
        before = path.read_bytes()
        broken: Any = Exchange(2, "GET", "/batches", 200, headers={"x": object()})  # type: ignore[dict-item]

        with pytest.raises(TypeError):
            har.write(path, [Exchange(1, "GET", "/files", 200), broken], BASE)

        assert path.read_bytes() == before
        assert [file.name for file in tmp_path.iterdir()] == ["run.har"]

    def test_an_own_entry_without_its_body_is_left_out(self, tmp_path: Path) -> None:
        """A damaged body in a run's own file is counted and not judged."""
        path = tmp_path / "run.har"
        har.write(path, [Exchange(1, "GET", "/batches", 200), A_DOWNLOAD], BASE)
        content = json.loads(path.read_text())
        content["log"]["entries"][1]["response"]["content"]["text"] = "not base64"
        path.write_text(json.dumps(content))

        capture = har.capture(path)

        assert [one.path for one in capture.exchanges] == ["/batches"]
        assert capture.left_out == {"without its body": 1}


class TestTools:
    def test_browser(self, tmp_path: Path) -> None:
        """Pseudo headers, cookies, preflights and other resources of a page are left out."""
        recorded = entry(
            f"{BASE}/batches?limit=2&after=&q=a%20b",
            request={
                "headers": [
                    {"name": ":authority", "value": "api.siliconflow.cn"},
                    {"name": "authorization", "value": f"Bearer {KEY}"},
                    {"name": "Cookie", "value": "session=1"},
                ],
                "httpVersion": "http/2.0",
            },
            headers=[
                {"name": ":status", "value": "200"},
                {"name": "Content-Type", "value": "application/json"},
                {"name": "Set-Cookie", "value": "session=2"},
                {"name": "Vary", "value": "Origin"},
                {"name": "vary", "value": "Accept"},
            ],
            _transferSize=120,
        )
        others = [
            entry("https://cdn.example/batches.js", key=None),
            entry("https://cdn.example/batches", key=None),
            entry(method="OPTIONS", key=None, text="", status=204),
            entry(status=0, text=""),
            entry(f"{BASE}/models"),
            entry(f"{BASE}/files", text=None, bodySize=512),
        ]

        capture = har.capture(saved(tmp_path, *others, recorded, entry(key=None, status=401)))

        first, second = capture.exchanges
        assert capture.base_url == BASE
        assert (first.number, first.path, first.status) == (1, "/batches", 200)
        assert first.query == {"limit": "2", "after": "", "q": "a b"}
        assert first.headers == {"content-type": "application/json", "vary": "Origin, Accept"}
        assert (first.sender, first.authorization) == ("own", BEARER)
        assert (second.sender, second.authorization) == ("own", None)
        assert capture.left_out == {
            "of another host": 2,
            "of another path": 1,
            "a CORS preflight": 1,
            "without a response": 1,
            "without its body": 1,
        }

    def test_proxy(self, tmp_path: Path) -> None:
        """Bodies in base64, also compressed, and times with zones and nanoseconds are read."""
        packed = base64.b64encode(gzip.compress(b'{"object": "list"}')).decode()
        recorded = entry(
            started="2026-05-01T12:00:00.123456789+0200",
            headers=[{"name": "content-encoding", "value": "gzip"}],
            content={"size": 18, "mimeType": "", "text": packed, "encoding": "base64"},
        )

        exchange = read_one(tmp_path, recorded)

        assert exchange.json == {"object": "list"}
        assert exchange.at == pytest.approx(1777629600.123456 + 0.25, abs=1e-5)

    def test_binary_body(self, tmp_path: Path) -> None:
        """A base64 body is read as its bytes."""
        text = base64.b64encode(b"\x00\xff\r\n").decode()
        url = f"{BASE}/files/file-a/content"

        exchange = read_one(tmp_path, entry(url, content={"text": text, "encoding": "base64"}))

        assert exchange.body == b"\x00\xff\r\n"

    @pytest.mark.parametrize(
        ("posted", "sent"),
        [
            ({"mimeType": "application/json", "text": '{"ö": 1}'}, '{"ö": 1}'.encode()),
            ({"mimeType": "text/plain; charset=latin-1", "text": "ö"}, b"\xf6"),
            ({"mimeType": "a/b", "text": "/wA=", "encoding": "base64"}, b"\xff\x00"),
            (
                {
                    "mimeType": "application/x-www-form-urlencoded",
                    "params": [{"name": "a b", "value": "1&2"}, {"name": "c"}],
                },
                b"a+b=1%262&c=",
            ),
            ({"mimeType": "application/json"}, b""),
        ],
    )
    def test_request_body(self, tmp_path: Path, posted: Entry, sent: bytes) -> None:
        """A request body may be text in any encoding, base64, or the fields of a form."""
        recorded = entry(method="POST", request={"postData": posted})

        exchange = read_one(tmp_path, recorded)

        assert (exchange.request_body, exchange.request_type) == (sent, posted["mimeType"])

    def test_entries_are_sorted_by_request_time(self, tmp_path: Path) -> None:
        """Exchanges are in the order of their requests, not of their responses."""
        late = entry(started="2026-05-01T10:00:02Z", text='"2"')
        early = entry(started="2026-05-01T13:00:01+03:00", text='"1"')
        unknown = entry(started="yesterday", text='"0"')

        exchanges = har.read(saved(tmp_path, late, early, unknown))

        assert [(one.number, one.json) for one in exchanges] == [(1, "0"), (2, "1"), (3, "2")]
        assert exchanges[0].at == 0

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_byte_order_mark(self, tmp_path: Path, encoding: str) -> None:
        """A file in UTF-8 or UTF-16 with a byte order mark is read."""
        path = saved(tmp_path, entry())
        path.write_text(path.read_text(), encoding=encoding)

        assert len(har.read(path)) == 1

    def test_gzip_file(self, tmp_path: Path) -> None:
        """A file that is compressed with gzip is read."""
        path = saved(tmp_path, entry())
        path.write_bytes(gzip.compress(path.read_bytes()))

        assert len(har.read(path)) == 1
