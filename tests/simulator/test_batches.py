"""POST and GET /v1/batches: creation, refusals, pages and access."""

import itertools
import json
from typing import Any

import pytest

from support.account import ENDPOINT, Account, json_lines, line

GOOD = {"endpoint": ENDPOINT, "completion_window": "24h"}
REFUSED_BODIES: dict[str, tuple[Any, str]] = {
    "an array": ([], "must be a JSON object"),
    "no endpoint": ({**GOOD, "endpoint": None}, "endpoint must be"),
    "another endpoint": ({**GOOD, "endpoint": "/v1/embeddings"}, "endpoint must be"),
    "23 hours": ({**GOOD, "completion_window": "23h"}, "between '24h' and '336h'"),
    "337 hours": ({**GOOD, "completion_window": "337h"}, "between '24h' and '336h'"),
    "a newline": ({**GOOD, "completion_window": "24h\n"}, "between '24h' and '336h'"),
    "no file": (GOOD, "input_file_id must be"),
    "unknown file": ({**GOOD, "input_file_id": "file-x"}, "names no uploaded file"),
    "17 pairs": ({**GOOD, "metadata": {str(n): "" for n in range(17)}}, "17 pairs"),
    "a long key": ({**GOOD, "metadata": {"k" * 65: ""}}, "longer than 64"),
    "a long value": ({**GOOD, "metadata": {"k": "v" * 513}}, "longer than 512"),
    "a number": ({**GOOD, "metadata": {"k": 1}}, "must be a string"),
    "metadata null": ({**GOOD, "metadata": None}, "metadata must be an object"),
    "replace a name": ({**GOOD, "replace": "m"}, "replace must be an object"),
    "replace nothing": ({**GOOD, "replace": {"model": ""}}, "replace.model must be"),
}
REFUSED_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no lines"),
    "not UTF-8": (b'{"custom_id": "\xff"}\n', "line 1: byte 15 is not UTF-8"),
    "not JSON": (json_lines(line("a")) + b"{\n", "line 2: not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + json_lines(line()), "line 1: not JSON"),
    "a list": (b"[]\n", "line 1: the line must be a JSON object"),
    "a blank line": (json_lines(line("a")) + b"\n" + json_lines(line("b")), "line 2: the line is"),
    "twice": (json_lines(line("a"), line("b"), line("a")), "line 3: custom_id 'a' is already used"),
    "nameless": (json_lines({"body": {}}), "line 1: custom_id must be"),
    "another url": (json_lines({**line(), "url": "/v1/embeddings"}), "line 1: url must be"),
    "a GET": (json_lines({**line(), "method": "GET"}), "line 1: method must be 'POST', not 'GET'"),
    "no body": (json_lines({"custom_id": "a"}), "line 1: body must be an object"),
    "model 1": (json_lines(line(model=1)), "line 1: body.model must be the name of a model, not 1"),
    "no messages": (json_lines(line(messages=[])), "line 1: body.messages must be"),
    "a narrator": (
        json_lines(line(messages=[{"role": "narrator"}])),
        "role of a message must be one of",
    ),
    "assistant last": (
        json_lines(line(messages=[{"role": "user"}, {"role": "assistant"}])),
        "the last message must have role 'user', not 'assistant'",
    ),
    "two models": (json_lines(line("a"), line("b", model="n")), "name the same model"),
    "no model": (json_lines(line(model=None)), "no line names a model"),
    "a line without end": (b"x" * 16_000_001, "longer than 16000000 bytes"),
    "5,001 lines": (json_lines(*(line(str(n)) for n in range(5_001))), "5001 lines"),
}


def rows(table: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", table.values(), ids=table)


class TestCreate:
    @rows(REFUSED_BODIES)
    def test_an_invalid_body_is_refused_and_creates_nothing(
        self, api: Account, row: tuple[Any, str]
    ) -> None:
        """A refusal has the documented body, names the error, and changes nothing."""
        body, reason = row
        if isinstance(body, dict) and "file" not in reason:
            body = {"input_file_id": api.upload(json_lines(line())).json()["data"]["id"], **body}

        response = api.http.post("batches", json=body)

        assert (response.status_code, response.json()["code"]) == (400, 20012)
        assert reason in response.json()["message"]
        assert response.json()["data"] is None
        assert api.http.get("batches").json()["data"] == []

    @pytest.mark.parametrize("content", [b"", b"{", b'{"a": NaN}', b'"\xff"', b"{" * 100_000])
    def test_malformed_json_is_refused(self, api: Account, content: bytes) -> None:
        """A body that is not JSON is refused, and the message says so."""
        headers = {"Content-Type": "application/json"}

        response = api.http.post("batches", content=content, headers=headers)

        assert response.status_code == 400
        assert "not JSON" in response.json()["message"]

    def test_a_body_over_the_limit_is_refused(self, api: Account) -> None:
        """A creation may have at most a megabyte."""
        headers = {"Content-Type": "application/json"}

        response = api.http.post("batches", content=b" " * 1_000_001, headers=headers)

        assert "larger than 1000000 bytes" in response.json()["message"]

    @rows(REFUSED_FILES)
    def test_an_invalid_file_is_refused_with_its_line(
        self, api: Account, row: tuple[bytes, str]
    ) -> None:
        """Creating a batch from an invalid file is refused, and the message names the line."""
        data, reason = row

        response = api.create(data)

        assert response.status_code == 400
        assert reason in response.json()["message"]
        assert api.http.get("batches").json()["data"] == []

    def test_values_at_the_limits_are_accepted(self, api: Account) -> None:
        """16 pairs, 64 and 512 characters, 336 hours and 5,000 lines are accepted."""
        metadata = {"k" * 62 + f"{number:02}": "\U0001f600" * 512 for number in range(16)}
        data = json_lines(*(line(str(number)) for number in range(5_000)))

        response = api.create(data, metadata=metadata, completion_window="336h")

        assert (response.status_code, response.json()["metadata"]) == (200, metadata)

    def test_separators_inside_strings_do_not_end_a_line(self, api: Account) -> None:
        """Only the newline byte ends a line, not other line separators."""
        odd = "a\u2028b\u0085c\u001cd\re"
        data = json.dumps(line("a", messages=[{"role": "user", "content": odd}])) + "\r\n"
        raw = data.encode().replace(b"\\u2028", "\u2028".encode()).replace(b"\\u0085", b"\xc2\x85")

        batch = api.advance(api.create(raw).json()["id"], seconds=2)

        (record,) = api.records(batch["output_file_id"])
        assert odd in record["response"]["body"]["choices"][0]["message"]["content"]


class TestList:
    def test_pages_are_newest_first_and_end_exactly(self, api: Account) -> None:
        """Pages of two contain five batches once each, from the newest to the oldest."""
        created = [api.batch(line()) for _ in range(5)]
        pages: list[list[str]] = []
        after: dict[str, str] = {}
        while True:
            page = api.http.get("batches", params={"limit": 2, **after}).json()
            pages.append([batch["id"] for batch in page["data"]])
            after = {"after": page["last_id"]}
            if not page["has_more"]:
                break

        assert list(itertools.chain(*pages)) == created[::-1]
        assert [len(page) for page in pages] == [2, 2, 1]

    def test_a_full_last_page_is_the_last(self, api: Account) -> None:
        """`has_more` is false when the page ends with the last batch of all."""
        for _ in range(2):
            api.batch(line())

        assert api.http.get("batches", params={"limit": 2}).json()["has_more"] is False

    def test_nothing_is_a_page_too(self, api: Account) -> None:
        """Without batches, `first_id` and `last_id` are null."""
        page = api.http.get("batches").json()

        assert (page["data"], page["has_more"]) == ([], False)
        assert (page["first_id"], page["last_id"]) == (None, None)

    @pytest.mark.parametrize("query", [{"limit": n} for n in ("0", "-1", "x", "", "1.0", "٣")])
    def test_an_invalid_limit_is_refused(self, api: Account, query: dict[str, str]) -> None:
        """`limit` must be a whole number of at least 1."""
        assert api.http.get("batches", params=query).status_code == 400

    def test_a_limit_of_any_size_is_accepted(self, api: Account) -> None:
        """`limit` has no maximum, because no document names one."""
        assert api.http.get("batches", params={"limit": "9" * 5_000}).status_code == 200

    def test_an_unknown_after_is_refused(self, api: Account) -> None:
        """An `after` that names no batch is an error, not an empty page."""
        assert api.http.get("batches", params={"after": "batch_x"}).status_code == 400


class TestKeys:
    @pytest.mark.parametrize(
        "authorization", [None, "", "sk-first", "Basic sk-first", "Bearer", "Bearer sk-firs"]
    )
    def test_a_request_without_a_valid_key_is_refused(
        self, api: Account, authorization: str | None
    ) -> None:
        """A missing or wrong key returns 401 and the documented string."""
        del api.http.headers["authorization"]
        headers = {} if authorization is None else {"Authorization": authorization}

        response = api.http.get("batches", headers=headers)

        assert (response.status_code, response.json()) == (401, "Invalid token")

    def test_objects_of_another_account_do_not_exist(self, api: Account, stranger: Account) -> None:
        """No operation gives access to the batches and files of another key."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        batch_id = api.create(file_id).json()["id"]

        assert stranger.http.get(f"batches/{batch_id}").status_code == 404
        assert stranger.cancel(batch_id).status_code == 404
        assert stranger.http.get(f"files/{file_id}/content").status_code == 404
        assert stranger.create(file_id).status_code == 400
        assert stranger.http.get("batches", params={"after": batch_id}).status_code == 400
        assert stranger.http.get("batches").json()["data"] == []
        assert stranger.http.get("files").json()["data"]["data"] == []
        assert api.retrieve(batch_id)["status"] == "in_queue"


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        ["batches/batch_x", "batches/%2e%2e", "files/..%2f..%2fetc/content", "x", "batches/"],
    )
    def test_unknown_paths_and_ids_are_404(self, api: Account, path: str) -> None:
        """Unknown paths and ids return 404 and the documented string."""
        response = api.http.get(path)

        assert (response.status_code, response.json()) == (404, "404 page not found")

    def test_a_wrong_method_names_the_allowed_ones(self, api: Account) -> None:
        """405 has an Allow header."""
        response = api.http.delete("batches")

        assert response.status_code == 405
        assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
