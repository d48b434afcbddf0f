"""HAR files: a run's own, and those of browsers and proxies."""

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
from siliconflow_batch_conformance.recordings.entries import HarUnreadable
from siliconflow_batch_simulator import Pace, Simulator
from support.recorder import Recorder, line

BASE = "https://api.siliconflow.cn/v1"
KEY, OTHER, WRONG = "sk-one-1234567890", "sk-two-1234567890", "sk-wrong-1234567890"
BATCH = {"id": "batch_a", "object": "batch", "status": "completed"}

Entry = dict[str, Any]


def entry(
    url: str = f"{BASE}/batches",
    *,
    method: str = "GET",
    key: str | None = KEY,
    status: int = 200,
    text: str | None = '{"object": "list"}',
    started: str = "2026-05-01T10:00:00.000Z",
    **more: Any,
) -> Entry:
    """An entry with little more than what every tool writes."""
    headers = [{"name": "Authorization", "value": f"Bearer {key}"}] if key else []
    content = {"mimeType": "application/json"} | ({} if text is None else {"text": text})
    return {
        "startedDateTime": started,
        "time": 250,
        "request": {"method": method, "url": url, "headers": headers, **more.pop("request", {})},
        "response": {"status": status, "headers": [], "content": content, **more},
    }


def saved(folder: Path, *entries: Entry, name: str = "traffic.har") -> Path:
    path = folder / name
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": list(entries)}}))
    return path


def read_one(folder: Path, *entries: Entry) -> Exchange:
    (found,) = har.read(saved(folder, *entries))
    return found


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
    def test_what_is_written_is_what_is_read(
        self, tmp_path_factory: pytest.TempPathFactory, exchanges: list[Exchange]
    ) -> None:
        """No byte, no name and no time of an exchange is lost."""
        path = tmp_path_factory.getbasetemp() / "own.har"

        har.write(path, exchanges, BASE)

        assert har.read(path, BASE) == exchanges

    def test_a_run_is_written_without_its_keys(self, tmp_path: Path) -> None:
        """What crossed the wire is there, with its base URL, and nothing to log in with."""
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

    def test_the_file_is_har_for_others(self, tmp_path: Path) -> None:
        """Every field that HAR 1.2 demands is there."""
        har.write(
            tmp_path / "run.har", [Exchange(1, "POST", "/files", 200, request_body=b"\xff")], BASE
        )

        log = json.loads((tmp_path / "run.har").read_text())["log"]
        (found,) = log["entries"]
        assert log.keys() >= {"version", "creator", "entries"}
        assert found.keys() >= {
            "startedDateTime",
            "time",
            "request",
            "response",
            "cache",
            "timings",
        }
        sizes = {"method", "url", "httpVersion", "cookies", "headers", "headersSize", "bodySize"}
        assert found["request"].keys() >= {*sizes, "queryString"}
        assert found["response"].keys() >= {*(sizes - {"method", "url"}), "status", "statusText"}
        assert found["response"].keys() >= {"content", "redirectURL"}

    def test_a_file_that_cannot_be_written_stays_as_it_was(self, tmp_path: Path) -> None:
        """There is the old file or the new one, never half of one."""
        path = tmp_path / "run.har"
        har.write(path, [Exchange(1, "GET", "/batches", 200)], BASE)
        before = path.read_bytes()
        broken: Any = Exchange(2, "GET", "/batches", 200, headers={"x": object()})  # type: ignore[dict-item]

        with pytest.raises(TypeError):
            har.write(path, [Exchange(1, "GET", "/files", 200), broken], BASE)

        assert path.read_bytes() == before
        assert [found.name for found in tmp_path.iterdir()] == ["run.har"]


class TestTools:
    def test_a_browser(self, tmp_path: Path) -> None:
        """Pseudo headers, cookies, preflights and the rest of the page do not matter."""
        found = entry(
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

        capture = har.capture(saved(tmp_path, *others, found, entry(key=None, status=401)))

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
            "without an answer": 1,
            "without its body": 1,
        }

    def test_a_proxy(self, tmp_path: Path) -> None:
        """Bodies come as base64, some of them compressed; times have zones and many digits."""
        packed = base64.b64encode(gzip.compress(b'{"object": "list"}')).decode()
        found = entry(
            started="2026-05-01T12:00:00.123456789+0200",
            headers=[{"name": "content-encoding", "value": "gzip"}],
            content={"size": 40, "mimeType": "", "text": packed, "encoding": "base64"},
        )

        exchange = read_one(tmp_path, found)

        assert exchange.json == {"object": "list"}
        assert exchange.at == pytest.approx(1777629600.123456 + 0.25, abs=1e-5)

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        """A file's content is what the bytes were."""
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
            ({"mimeType": "multipart/form-data", "params": [{"name": "file"}]}, b""),
            ({"mimeType": "application/json"}, b""),
        ],
    )
    def test_what_was_posted(self, tmp_path: Path, posted: Entry, sent: bytes) -> None:
        """A text, its letters in any alphabet, base64, or the fields of a form."""
        found = entry(method="POST", request={"postData": posted})

        exchange = read_one(tmp_path, found)

        assert (exchange.request_body, exchange.request_type) == (sent, posted["mimeType"])

    def test_entries_come_in_the_order_of_their_requests(self, tmp_path: Path) -> None:
        """A proxy writes an answer down when it is there; the question came earlier."""
        late = entry(started="2026-05-01T10:00:02Z", text='"2"')
        early = entry(started="2026-05-01T13:00:01+03:00", text='"1"')
        unknown = entry(started="yesterday", text='"0"')

        found = har.read(saved(tmp_path, late, early, unknown))

        assert [(one.number, one.json) for one in found] == [(1, "0"), (2, "1"), (3, "2")]
        assert found[0].at == 0

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_files_in_the_letters_of_windows(self, tmp_path: Path, encoding: str) -> None:
        """A byte order mark is no fault."""
        path = saved(tmp_path, entry())
        path.write_text(path.read_text(), encoding=encoding)

        assert len(har.read(path)) == 1

    def test_a_compressed_file_is_read(self, tmp_path: Path) -> None:
        """HAR files are large; many are kept packed."""
        path = saved(tmp_path, entry())
        path.write_bytes(gzip.compress(path.read_bytes()))

        assert len(har.read(path)) == 1


class TestAccounts:
    def test_senders_are_told_apart_and_their_keys_forgotten(self, tmp_path: Path) -> None:
        """The first key is one's own, the second a stranger's; who is never let in is refused."""
        shown = json.dumps({"key": KEY, "other": OTHER})
        found = har.read(
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

        assert [(one.sender, one.authorization) for one in found] == [
            ("refused", BEARER),
            ("own", BEARER),
            ("stranger", BEARER),
            ("own", "Basic {key}"),
            ("own", "{key}"),
            ("refused", "Token {key}"),
            ("stranger-3", BEARER),
            ("own", None),
        ]
        assert not [key for key in (KEY, OTHER, WRONG) if key in repr(found)]

    def test_a_key_that_is_refused_is_ones_own_where_there_is_no_other(
        self, tmp_path: Path
    ) -> None:
        """A file of refusals has an owner too."""
        assert read_one(tmp_path, entry(status=401)).sender == "own"

    def test_a_browser_that_hides_the_keys_hides_them_everywhere(self, tmp_path: Path) -> None:
        """Without any Authorization header, and yet let in: it was not saved."""
        url = "https://files.example/result?sig=1"
        batch = json.dumps({**BATCH, "output_file_id": url})
        found = har.read(
            saved(
                tmp_path,
                entry(f"{BASE}/batches/batch_a", key=None, text=batch),
                entry(url, key=None, text="{}\n"),
            )
        )

        assert [one.authorization for one in found] == [BEARER, None]


class TestBaseUrl:
    def test_results_are_kept_wherever_they_are(self, tmp_path: Path) -> None:
        """A URL that an answer names belongs to the service; others of its host do not."""
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

    def test_most_entries_decide(self, tmp_path: Path) -> None:
        """A mistyped path does not move the base."""
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

    def test_a_base_url_that_is_given_is_taken(self, tmp_path: Path) -> None:
        """Ports that go without saying, letter case and a slash at the end are nothing."""
        path = saved(tmp_path, entry(), entry(), entry("https://other.example/api/files"))

        capture = har.capture(path, "https://OTHER.example:443/api/")

        assert [one.path for one in capture.exchanges] == ["/files"]
        assert capture.left_out == {"of another host": 2}


class TestUnreadable:
    @pytest.mark.parametrize(
        ("raw", "problem"),
        [
            (b"", "it is empty"),
            (b"<html></html>", "it is no JSON"),
            (b"\x89PNG\r\n\xff", "it is no JSON"),
            (b"[" * 100_000, "it"),
            (b"[]", "no list at log.entries"),
            (b'{"log": {"entries": {}}}', "no list at log.entries"),
            (b'{"log": {"entries": []}}', "none of them is a request to /files or /batches"),
            (b'{"log": {"entries": [{"request": {}}]}}', "entry 1: it has no request with method"),
            (b'{"log": {"entries": [7]}}', "entry 1: it has no request with method"),
            (gzip.compress(gzip.compress(b"{}")), "it is compressed twice"),
            (gzip.compress(b"{}" * 100)[:-9], "compressed with gzip, and broken"),
            (b"PK\x03\x04...", "it is a zip archive"),
        ],
    )
    def test_what_is_no_har_is_told(self, tmp_path: Path, raw: bytes, problem: str) -> None:
        """The error names the file, what is wrong with it and what to do."""
        path = tmp_path / "traffic.har"
        path.write_bytes(raw)

        with pytest.raises(HarUnreadable) as refused:
            har.read(path)

        assert problem in str(refused.value)
        assert str(refused.value).startswith(str(path))
        assert refused.value.remedy in str(refused.value)

    def test_a_file_that_ends_early(self, tmp_path: Path) -> None:
        """Wherever a file is cut, it is told to be cut."""
        path = saved(tmp_path, entry(text="ä", _known=True), entry(status=404))
        whole = path.read_bytes().rstrip()

        for length in range(1, len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(HarUnreadable, match="it ends in the middle"):
                har.read(path)

    def test_no_file(self, tmp_path: Path) -> None:
        """A name that names nothing."""
        with pytest.raises(HarUnreadable, match="No such file"):
            har.read(tmp_path / "none.har")

    def test_nothing_whole(self, tmp_path: Path) -> None:
        """What was left out is counted where nothing remains."""
        path = saved(tmp_path, entry(text=None, bodySize=9), entry("https://other.example/x"))

        with pytest.raises(HarUnreadable, match="1 without its body, 1 of another host"):
            har.read(path)
