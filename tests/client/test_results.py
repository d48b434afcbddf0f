"""Result files: no answer that was paid for is lost or changed on the way."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch.errors import ResultLineInvalid
from siliconflow_batch.result_files.results import Reader, Result, Splitter, parse, read

SEPARATORS = "\u2028\u2029\u0085\u001c\u001d\u001e\x0b\x0c\r\n"
COMPLETION = {
    "choices": [{"message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"total_tokens": 3},
}
EXPIRED = {"code": "batch_expired", "message": "This request could not be executed."}


def record(response: Any = None, error: Any = None, **rest: Any) -> dict[str, Any]:
    return {"id": "r", "custom_id": "a", "response": response, "error": error} | rest


def answered(body: Any, status_code: Any = 200, **rest: Any) -> dict[str, Any]:
    return record({"status_code": status_code, "request_id": "q", "body": body}, **rest)


def parsed(value: object) -> Result:
    return parse(json.dumps(value).encode(), 1)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """The lines of `data` that are not blank, fed in pieces that end at `cuts`."""
    splitter = Splitter()
    lines = []
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        lines += splitter.feed(data[begin:end])
    return [line for line in lines + splitter.close() if line.strip()]


class TestSplitter:
    def test_a_million_hostile_records_come_through(self) -> None:
        """However a stream is cut, no record is lost and none is changed."""
        chance = random.Random(7)  # noqa: S311 - not for secrets
        contents = ["".join(chance.choices(SEPARATORS + 'x"\\é😀', k=12)) for _ in range(1_000)]
        bodies = [
            json.dumps(answered({"choices": [{"message": {"content": content}}]}), ensure_ascii=raw)
            .replace('"a"', '"%d"')
            .encode()
            for content, raw in zip(contents, [True, False] * 500, strict=True)
        ]
        for turn in range(20):
            records = [bodies[n % 1_000] % (turn * 50_000 + n) for n in range(50_000)]
            data = (b"\n", b"\r\n", b"\n\n")[turn % 3].join(records)
            cuts = sorted(chance.choices(range(len(data)), k=5_000))

            lines = split(data, cuts)

            assert lines == records
            for number, line in enumerate(lines[: 50_000 if turn < 4 else 1_000]):
                result = parse(line, number + 1)
                assert result.custom_id == str(turn * 50_000 + number)
                assert result.text == contents[number % 1_000]

    def test_every_cut_gives_the_same_lines(self) -> None:
        """A chunk may end anywhere: inside a character, an escape, or between CR and LF."""
        records = [json.dumps(c + "é😀", ensure_ascii=False).encode() for c in SEPARATORS]
        data = b"\r\n\n".join(records) + b"\r\n"

        for cut in range(len(data) + 1):
            assert split(data, [cut]) == records
        assert split(data, list(range(1, len(data)))) == records

    def test_a_long_line_byte_by_byte(self) -> None:
        """The work for a line grows with its length, not with its square."""
        line = b"x" * 2_000_000

        assert split(line, list(range(1, len(line)))) == [line]

    def test_the_end_is_no_line(self) -> None:
        """A stream that ends with a line end, or has only such, has no line behind it."""
        assert split(b"a\n", []) == [b"a"]
        assert split(b"\r\n \n\n", [1]) == []
        assert split(b"", []) == []


class TestParse:
    def test_a_completion(self) -> None:
        """A line that was answered has its text and its usage."""
        result = parsed(answered(COMPLETION, extra=[1]))

        assert (result.custom_id, result.id, result.status_code) == ("a", "r", 200)
        assert result.ok
        assert not result.expired
        assert (result.text, result.usage) == ("Hello", {"total_tokens": 3})
        assert (result.error_code, result.error_message) == (None, None)
        assert result.raw["extra"] == [1]

    def test_an_expired_line(self) -> None:
        """A line that never ran has no response and says that it expired."""
        result = parsed(record(None, EXPIRED))

        assert result.expired
        assert not result.ok
        assert (result.status_code, result.body, result.text, result.usage) == (None,) * 4
        assert result.error_message == "This request could not be executed."

    @pytest.mark.parametrize(
        ("value", "code", "message"),
        [
            (record(None, None), None, None),
            (record(None, "too long"), None, "too long"),
            (record(None, {"code": 5, "message": None}), "5", None),
            (record(None, json.dumps(EXPIRED)), "batch_expired", EXPIRED["message"]),
            (record(None, ["x"]), None, '["x"]'),
            (answered({"code": 20012, "message": "No"}, 400), "20012", "No"),
            (answered({"error": {"code": "c", "message": "No"}}, 400), "c", "No"),
            (answered("upstream went away", 502), None, "upstream went away"),
            (answered(None, 500), None, None),
            (answered({"code": 20000, "message": "Ok"}), None, None),
            (answered(COMPLETION, 200, error={}), None, None),
        ],
    )
    def test_an_error_in_any_shape(
        self, value: dict[str, Any], code: str | None, message: str | None
    ) -> None:
        """What went wrong is found in the record's error, as object or words, or in the body."""
        result = parsed(value)

        assert (result.error_code, result.error_message) == (code, message)

    def test_a_body_encoded_twice(self) -> None:
        """A completion inside a JSON string is unpacked."""
        result = parsed(answered(json.dumps(COMPLETION)))

        assert result.ok
        assert result.text == "Hello"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"choices": None},
            {"choices": []},
            {"choices": [None]},
            {"choices": [{"message": None}]},
            {"choices": [{"message": {"content": None}}]},
            {"choices": {}, "usage": 5},
        ],
    )
    def test_a_completion_without_words(self, body: dict[str, Any]) -> None:
        """A body of another shape has no text, and is there to look at."""
        result = parsed(answered(body))

        assert (result.text, result.usage, result.body) == (None, None, body)

    @pytest.mark.parametrize("response", [5, [], "x", {}, {"status_code": "200"}, {"body": 5}])
    def test_a_response_of_another_shape(self, response: Any) -> None:
        """What is no response is not taken for an answer, and stays in `raw`."""
        result = parsed(record(response, id=5))

        assert not result.ok
        assert (result.id, result.status_code, result.body) == (None, None, None)
        assert result.raw["response"] == response

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('"\\ud83d half"', "\ufffd half"),
            ('"\\ud83d\\ude00", "x": NaN', "😀"),
            ('"x", "x": 1e999', "x"),
        ],
    )
    def test_careless_json_is_read(self, text: str, expected: str) -> None:
        """An answer is not lost to half an emoji or a NaN beside it."""
        raw = json.dumps(answered(COMPLETION)).replace('"Hello"', text).encode()

        assert parse(b"\xef\xbb\xbf" + raw, 1).text == parse(raw, 1).text == expected

    def test_a_byte_that_is_no_utf_8_costs_itself_alone(self) -> None:
        """An answer with a broken character is read, and so is its line when it failed."""
        good = json.dumps(answered(COMPLETION)).encode()
        failed = json.dumps(answered({"message": "No"}, 400)).encode()

        assert parse(good.replace(b"Hello", b"H\xffi"), 1).text == "H\ufffdi"
        assert parse(good.replace(b"Hello", b"H\xffi"), 1).raw["custom_id"] == "a"
        assert parse(failed.replace(b"No", b"N\xff"), 1).error_message == "N\ufffd"

    def test_large_numbers_stay_exact(self) -> None:
        """An integer beyond 64 bits is not rounded."""
        assert parsed(answered({"seed": 2**100 + 1})).body == {"seed": 2**100 + 1}

    def test_a_huge_record(self) -> None:
        """An answer of many MB is a record like any other."""
        completion = {"choices": [{"message": {"content": "é\u2028" * 4_000_000}}]}

        text = parsed(answered(completion)).text

        assert text is not None
        assert len(text) == 8_000_000

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            (b"", "not JSON"),
            (b'{"custom_id": "a", "resp', "not JSON"),
            (b'{"custom_id": "\xff"}', "not JSON"),
            pytest.param(b"[" * 100_000, "not JSON", id="nested"),
            (b"[]", "a record must be a JSON object"),
            (b"null", "a record must be a JSON object"),
            (b"{}", "a record must have a custom_id, a string"),
            (b'{"custom_id": 5}', "a record must have a custom_id, a string"),
        ],
    )
    def test_what_is_no_record_is_refused(self, raw: bytes, reason: str) -> None:
        """What cannot be tied to a request is an error that names its line and shows it."""
        with pytest.raises(ResultLineInvalid) as refused:
            parse(raw, 7)

        assert (refused.value.line, refused.value.raw) == (7, raw)
        assert refused.value.reason.startswith(reason)


class TestReader:
    def test_a_stream_gives_its_results(self) -> None:
        """However it is cut, each record comes once."""
        lines = [json.dumps(answered(COMPLETION, custom_id=id)).encode() for id in "abc"]
        data = b"\r\n\n".join(lines)
        for size in (1, 7, len(data)):
            reader = Reader()
            pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]

            found = [result for piece in pieces for result in reader.feed(piece)]

            assert [result.custom_id for result in [*found, *reader.close()]] == ["a", "b", "c"]

    def test_a_line_that_is_no_record_is_named(self) -> None:
        """Blank lines count."""
        reader = Reader()

        with pytest.raises(ResultLineInvalid, match="line 3"):
            list(reader.feed(b"\n\nx\n"))


class TestRead:
    def test_a_file_gives_its_results(self, tmp_path: Path) -> None:
        """Results come in the order of the file; empty lines and CRLF are nothing."""
        path = tmp_path / "results.jsonl"
        text = "\u2028".join(SEPARATORS)
        completion = {"choices": [{"message": {"content": text}}]}
        lines = [json.dumps(answered(completion, custom_id=id), ensure_ascii=False) for id in "abc"]
        path.write_bytes("\r\n\n".join(lines).encode())

        results = list(read(path))

        assert [result.custom_id for result in results] == ["a", "b", "c"]
        assert {result.text for result in results} == {text}

    def test_a_truncated_file_names_the_line(self, tmp_path: Path) -> None:
        """The line of an error is that of the file, with empty lines counted."""
        path = tmp_path / "results.jsonl"
        path.write_bytes(b'{"custom_id": "a"}\n\n{"custom')

        with pytest.raises(ResultLineInvalid, match="line 3"):
            list(read(path))
