"""Result files: no record is lost or changed."""

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch.result_files.line_outcomes import Usage
from siliconflow_batch.result_files.reading import Reader, Splitter, read
from siliconflow_batch.result_files.results import Result, parse

SEPARATORS = "\u2028\u2029\u0085\u001c\u001d\u001e\x0b\x0c\r\n"
COMPLETION = {
    "choices": [{"message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"total_tokens": 3},
}
BODY = json.dumps(COMPLETION)
EXPIRED = {"code": "batch_expired", "message": "This request could not be executed."}


def record(response: Any = None, error: Any = None, **rest: Any) -> dict[str, Any]:
    return {"id": "r", "custom_id": "a", "response": response, "error": error} | rest


def responded(body: Any, status_code: Any = 200, **rest: Any) -> dict[str, Any]:
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
    def test_a_million_hostile_records(self) -> None:
        """With any chunk sizes, no record is lost or changed."""
        chance = random.Random(7)  # noqa: S311 - not for secrets
        contents = ["".join(chance.choices(SEPARATORS + 'x"\\é😀', k=12)) for _ in range(1_000)]
        bodies = [
            json.dumps(
                responded({"choices": [{"message": {"content": content}}]}), ensure_ascii=raw
            )
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
        """The time for a line is linear in its length."""
        line = b"x" * 2_000_000

        assert split(line, list(range(1, len(line)))) == [line]

    def test_the_end_is_not_a_line(self) -> None:
        """No line follows the last line end, and a stream of line ends has no lines."""
        assert split(b"a\n", []) == [b"a"]
        assert split(b"\r\n \n\n", [1]) == []
        assert split(b"", []) == []


class TestParse:
    def test_a_completion(self) -> None:
        """The result of a line with a response has its text and its usage."""
        result = parsed(responded(COMPLETION, extra=[1]))

        assert (result.custom_id, result.id, result.status_code) == ("a", "r", 200)
        assert result.ok
        assert not result.expired
        assert (result.text, result.usage) == ("Hello", Usage(0, 0, 3))
        assert (result.error_code, result.error_message) == (None, None)
        assert result.raw["extra"] == [1]

    def test_an_expired_line(self) -> None:
        """The result of a line that was not processed has no response, and `expired` is True."""
        result = parsed(record(None, EXPIRED))

        assert result.expired
        assert not result.ok
        assert (result.status_code, result.body, result.text, result.usage) == (None,) * 4
        assert result.error_message == "This request could not be executed."

    @pytest.mark.parametrize(
        ("value", "code", "message"),
        [
            (record(None, None), None, "the record has no response and no error"),
            (record(None, "too long"), None, "too long"),
            (
                record(None, {"code": 5, "message": None}),
                "5",
                'the error has no message: {"code": 5, "message": null}',
            ),
            (record(None, json.dumps(EXPIRED)), "batch_expired", EXPIRED["message"]),
            (record(None, ["x"]), None, '["x"]'),
            (responded({"code": 20012, "message": "No"}, 400), "20012", "No"),
            (responded({"error": {"code": "c", "message": "No"}}, 400), "c", "No"),
            (responded("upstream went away", 502), None, "upstream went away"),
            (responded(None, 500), None, "the response has status 500 and no body"),
            (responded({"code": 50505, "message": "busy", "data": None}), "50505", "busy"),
            (responded({"error": {"message": "busy"}}), None, "busy"),
            (responded({"error": "busy"} | COMPLETION), None, "busy"),
            (responded("<html>busy</html>"), None, "<html>busy</html>"),
            (responded({}), None, "the response has no answer: {}"),
            (
                responded({"choices": []}),
                None,
                'the response has no answer: {"choices": []}',
            ),
            (responded(COMPLETION, 200, error={"message": "cut"}), None, "cut"),
            (
                responded(COMPLETION, 500),
                None,
                f"the response has status 500 and {BODY}",
            ),
            (responded(COMPLETION, 200, error={}), None, None),
            (responded(COMPLETION, 200, error={"code": "", "message": ""}), None, None),
            (responded(COMPLETION, 200, error=False), None, None),
            (responded(COMPLETION | {"error": {"code": None}}), None, None),
            (responded(COMPLETION, "200"), None, None),
            (responded(COMPLETION, 200.0), None, None),
            (responded(COMPLETION, True), None, f"the response has status True and {BODY}"),
            (responded({"code": 20000, "status": True, "data": COMPLETION}), None, None),
            (responded({"code": 20000, "message": "Ok", "data": {}}), "20000", "Ok"),
            (responded({"msg": ["a"]}, 400), None, '["a"]'),
            (responded({"detail": "too long"}, 422), None, "too long"),
            (record(None, {"code": "invalid_record", "message": "x"}), "invalid_record", "x"),
        ],
    )
    def test_an_error_in_any_shape(
        self, value: dict[str, Any], code: str | None, message: str | None
    ) -> None:
        """The error is the record's `error`, or is in the body; a failed line has a message."""
        result = parsed(value)

        assert (result.error_code, result.error_message) == (code, message)
        assert result.ok == (message is None)

    def test_a_body_encoded_twice(self) -> None:
        """A completion inside a JSON string is unpacked."""
        result = parsed(responded(json.dumps(COMPLETION)))

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
    def test_a_completion_without_text(self, body: dict[str, Any]) -> None:
        """A body of another shape has no text, and is kept as it is."""
        result = parsed(responded(body))

        assert (result.text, result.usage, result.body) == (None, None, body)

    @pytest.mark.parametrize(
        ("message", "ok"),
        [
            (None, False),
            ({}, False),
            ([], False),
            ({"role": "assistant"}, False),
            ({"role": "assistant", "content": None}, False),
            ({"role": "assistant", "content": None, "tool_calls": []}, False),
            ({"role": "assistant", "content": ""}, True),
            ({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}, True),
            ({"role": "assistant", "content": None, "reasoning_content": "Well"}, True),
            ({"role": "assistant", "content": [{"type": "text", "text": "x"}]}, True),
        ],
    )
    def test_an_answer_has_some_content(self, message: Any, ok: bool) -> None:
        """A message that has nothing but a role is no answer; one without text can be one."""
        result = parsed(responded({"choices": [{"message": message}]}))

        assert result.ok is ok
        assert (result.error_message is None) is ok

    @pytest.mark.parametrize(
        ("usage", "expected"),
        [
            ({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9}, Usage(1, 2, 9)),
            ({"prompt_tokens": 1, "completion_tokens": 2}, Usage(1, 2, 3)),
            (
                {"prompt_tokens": "1", "completion_tokens": 2.0, "total_tokens": None},
                Usage(1, 2, 3),
            ),
            ({"prompt_tokens": -1, "completion_tokens": True, "total_tokens": 5}, Usage(0, 0, 5)),
            ({}, None),
            ("many", None),
        ],
    )
    def test_usage_is_numbers(self, usage: Any, expected: Usage | None) -> None:
        """A number that is missing or odd is 0; the total is then the sum."""
        result = parsed(responded(COMPLETION | {"usage": usage}))

        assert (result.ok, result.usage) == (True, expected)

    def test_an_error_code_of_the_service_hides_no_record(self) -> None:
        """Only an empty custom_id marks a record that cannot be read."""
        result = parsed(record(None, {"code": "invalid_record", "message": "x"}))

        assert result.custom_id == "a"
        assert result.raw["error"] == {"code": "invalid_record", "message": "x"}

    def test_a_result_can_be_pickled(self) -> None:
        """It can be sent to another process."""
        result = pickle.loads(pickle.dumps(parsed(responded(COMPLETION))))  # noqa: S301 - our own

        assert (result.custom_id, result.text, result.body) == ("a", "Hello", COMPLETION)

    @pytest.mark.parametrize("response", [5, [], "x", {}, {"body": 5}])
    def test_a_response_of_another_shape(self, response: Any) -> None:
        """The line is not `ok`, and `raw` has the response."""
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
        """Half of a surrogate pair, NaN or a byte order mark does not lose a response."""
        raw = json.dumps(responded(COMPLETION)).replace('"Hello"', text).encode()

        assert parse(b"\xef\xbb\xbf" + raw, 1).text == parse(raw, 1).text == expected

    def test_a_byte_that_is_not_utf_8_is_replaced(self) -> None:
        """The rest of the response, or of the error, is kept."""
        good = json.dumps(responded(COMPLETION)).encode()
        failed = json.dumps(responded({"message": "No"}, 400)).encode()

        assert parse(good.replace(b"Hello", b"H\xffi"), 1).text == "H\ufffdi"
        assert parse(good.replace(b"Hello", b"H\xffi"), 1).raw["custom_id"] == "a"
        assert parse(failed.replace(b"No", b"N\xff"), 1).error_message == "N\ufffd"

    def test_large_numbers_stay_exact(self) -> None:
        """An integer beyond 64 bits is not rounded; one that Python refuses stays as its digits."""
        digits = "7" * 10_000
        raw = json.dumps(responded({"seed": 1} | COMPLETION)).replace("1", digits, 1).encode()

        result = parse(raw, 1)

        assert (result.text, result.raw["response"]["body"]["seed"]) == ("Hello", digits)
        assert parsed(responded({"seed": 2**100 + 1})).body == {"seed": 2**100 + 1}

    def test_a_huge_record(self) -> None:
        """A response of many MB is parsed."""
        completion = {"choices": [{"message": {"content": "é\u2028" * 4_000_000}}]}

        text = parsed(responded(completion)).text

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
            (b'{"custom_id": ""}', "a record must have a custom_id, a string, not ''"),
            (b"{}", "a record must have a custom_id, a string"),
            (b'{"custom_id": 5}', "a record must have a custom_id, a string"),
        ],
    )
    def test_a_record_that_cannot_be_read_is_a_failed_result(self, raw: bytes, reason: str) -> None:
        """It has its line number, its bytes and the reason, and no custom_id."""
        result = parse(raw, 7)

        assert (result.custom_id, result.ok, result.error_code) == ("", False, "invalid_record")
        assert (result.line, result.raw_bytes, result.body) == (7, raw, None)
        assert not result.raw or raw.startswith(b'{"custom_id"')
        assert str(result.error_message).startswith(f"line 7 of the output file: {reason}")


class TestReader:
    def test_a_stream_gives_its_results(self) -> None:
        """With any chunk sizes, each record is yielded once."""
        lines = [json.dumps(responded(COMPLETION, custom_id=id)).encode() for id in "abc"]
        data = b"\r\n\n".join(lines)
        for size in (1, 7, len(data)):
            reader = Reader()
            pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]

            found = [result for piece in pieces for result in reader.feed(piece)]

            assert [result.custom_id for result in [*found, *reader.close()]] == ["a", "b", "c"]

    def test_a_bad_line_hides_no_other(self) -> None:
        """It is yielded between the others; blank lines count in its number."""
        good = json.dumps(responded(COMPLETION)).encode()

        found = list(Reader().feed(b"\n\nx\n" + good + b"\n"))

        assert [(result.line, result.ok) for result in found] == [(3, False), (4, True)]


class TestRead:
    def test_a_file_gives_its_results(self, tmp_path: Path) -> None:
        """They are in the order of the file; blank lines are skipped."""
        path = tmp_path / "results.jsonl"
        text = "\u2028".join(SEPARATORS)
        completion = {"choices": [{"message": {"content": text}}]}
        lines = [
            json.dumps(responded(completion, custom_id=id), ensure_ascii=False) for id in "abc"
        ]
        path.write_bytes("\r\n\n".join(lines).encode())

        results = list(read(path))

        assert [result.custom_id for result in results] == ["a", "b", "c"]
        assert {result.text for result in results} == {text}

    def test_a_truncated_line_is_the_last_result(self, tmp_path: Path) -> None:
        """Blank lines count in its number."""
        path = tmp_path / "results.jsonl"
        path.write_bytes(b'{"custom_id": "a"}\n\n{"custom')

        assert [(result.custom_id, result.line) for result in read(path)] == [("a", 1), ("", 3)]
