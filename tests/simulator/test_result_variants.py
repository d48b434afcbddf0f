"""Variants of result files: how a batch names them, and how they are transferred."""

import gzip

import httpx
import pytest

from support.account import Account, line


@pytest.fixture
def url(api: Account) -> str:
    """The URL of a result file."""
    return str(api.advance(api.batch(line()), seconds=2)["output_file_id"])


class TestNames:
    def test_result_files_named_by_id(self, api: Account) -> None:
        """A result file can be read by id and by URL."""
        batch = api.advance(api.batch(line()), seconds=2)
        api.simulator.faults.add("result-ids")

        named = api.retrieve(batch["id"])

        content = api.http.get(f"files/{named['output_file_id']}/content").content
        assert content == httpx.get(batch["output_file_id"]).content

    def test_an_empty_string_without_failures(self, api: Account) -> None:
        """`error_file_id` is empty if no line failed, and the file's name otherwise."""
        api.simulator.faults.add("error-file-empty-string")
        unfinished = api.batch(line())

        assert api.retrieve(unfinished)["error_file_id"] is None
        assert api.advance(unfinished, seconds=2)["error_file_id"] == ""
        failing = api.advance(api.batch(line(top_p=2)), seconds=2)
        assert failing["error_file_id"].startswith("http")

    def test_result_files_are_named_later(self, api: Account) -> None:
        """A completed batch names its files two seconds after it was completed."""
        api.simulator.faults.add("output-delayed")
        batch_id = api.batch(line("a"), line("b", top_p=2))

        completed = api.advance(batch_id, seconds=2)
        later = api.advance(batch_id, seconds=2)

        names = ("output_file_id", "error_file_id")
        assert completed["status"] == later["status"] == "completed"
        assert [completed[name] for name in names] == [None, None]
        assert len([row for name in names for row in api.records(later[name])]) == 2


class TestTransfer:
    def test_a_redirect(self, api: Account, url: str) -> None:
        """The URL redirects to another path of the same host, which has the file."""
        content = httpx.get(url).content
        api.simulator.faults.add("result-redirect")

        redirect = httpx.get(url)
        followed = httpx.get(url, follow_redirects=True)

        assert redirect.status_code == 302
        assert followed.url.path != httpx.URL(url).path
        assert (followed.status_code, followed.content) == (200, content)
        assert httpx.get(url + "x", follow_redirects=True).status_code == 404

    def test_a_redirect_of_a_result_file_by_id(self, api: Account) -> None:
        """A result file is behind a redirect by id too, whose target needs no key."""
        batch = api.advance(api.batch(line()), seconds=2)
        for name in ("result-redirect", "result-ids"):
            api.simulator.faults.add(name)
        file_id = api.retrieve(batch["id"])["output_file_id"]

        redirect = api.http.get(f"files/{file_id}/content")
        result = httpx.get(redirect.url.join(redirect.headers["location"]))
        stranger = httpx.get(redirect.url, follow_redirects=True)
        upload = api.http.get(f"files/{batch['input_file_id']}/content")

        assert [one.status_code for one in (redirect, result, stranger)] == [302, 200, 401]
        assert result.json()["custom_id"] == upload.json()["custom_id"] == "a"

    def test_compression(self, api: Account, url: str) -> None:
        """The file is compressed with gzip, even for a client that does not accept it."""
        content = httpx.get(url).content
        api.simulator.faults.add("result-gzip")
        headers = {"Accept-Encoding": "identity", "Range": "bytes=1-"}

        with httpx.stream("GET", url, headers=headers) as response:
            raw = b"".join(response.iter_raw())

        assert (response.status_code, response.headers["content-encoding"]) == (200, "gzip")
        assert int(response.headers["content-length"]) == len(raw)
        assert gzip.decompress(raw) == content

    def test_no_length(self, api: Account, url: str) -> None:
        """The file has no Content-Length; uploads have one."""
        content = httpx.get(url).content
        upload = api.upload(b"x").json()["data"]["id"]
        api.simulator.faults.add("result-chunked")

        response = httpx.get(url)

        assert "content-length" not in response.headers
        assert response.headers["transfer-encoding"] == "chunked"
        assert response.content == content
        assert "content-length" in api.http.get(f"files/{upload}/content").headers

    def test_an_url_that_expires(self, api: Account) -> None:
        """After an hour the URL returns 403; retrieving the batch again gives a new one."""
        api.simulator.faults.add("result-url-expires")
        batch = api.advance(api.batch(line()), seconds=2)

        api.simulator.clock.advance(seconds=3590)
        in_time = httpx.get(batch["output_file_id"]).status_code
        new = api.advance(batch["id"], seconds=20)["output_file_id"]
        late = httpx.get(batch["output_file_id"]).status_code

        assert (in_time, late, httpx.get(new).status_code) == (200, 403, 200)
        assert httpx.get(new.partition("?")[0]).status_code == 403
