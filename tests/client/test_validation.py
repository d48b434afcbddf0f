"""Input files: the faults that are found before anything is sent."""

import gzip
import hashlib
import io
import json
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siliconflow_batch.errors import ArgumentInvalid, InputFileInvalid
from siliconflow_batch.input_files.validation import InputSummary, Limits, check, validate
from siliconflow_batch_simulator.files.inspection import inspect

USER = {"role": "user", "content": "Hi"}
HEAD = b'{"custom_id": "a", "body": {"model": "m", "messages": [{"role": "user"}]'


def line(custom_id: str = "a", **body: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "body": {"model": "m", "messages": [USER], **body}}


def encoded(*lines: object) -> bytes:
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


def faults(data: bytes, **options: Any) -> list[str]:
    return [str(fault) for fault in check(data, name="f", **options)]


class Stream(io.RawIOBase):
    """A file whose contents are generated while it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.rest = self.rest or next(self.pieces, b"")
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size


def peak_memory(pieces: Iterator[bytes], **options: Any) -> tuple[int, list[str]]:
    tracemalloc.start()
    try:
        texts = [str(fault) for fault in check(io.BufferedReader(Stream(pieces)), **options)]
        return tracemalloc.get_traced_memory()[1], texts
    finally:
        tracemalloc.stop()


class TestCheck:
    @pytest.mark.parametrize(
        ("wrong", "place", "reason"),
        [
            ({"custom_id": 5}, "custom_id", "must be a non-empty string, not 5"),
            ({"custom_id": ""}, "custom_id", "must be a non-empty string, not ''"),
            ({"custom_id": "1"}, "custom_id", "'1' is already used in line 1"),
            ({"method": "GET"}, "method", "must be 'POST', not 'GET'"),
            ({"method": None}, "method", "must be 'POST', not None"),
            ({"url": "/v1/embeddings"}, "url", "must be '/v1/chat/completions', not "),
            ({"body": []}, "body", "must be an object, not []"),
        ],
    )
    def test_a_fault_of_a_line_names_its_field(
        self, wrong: dict[str, Any], place: str, reason: str
    ) -> None:
        """A fault names its file, line, field and reason; valid lines around it have none."""
        texts = faults(encoded(line("1"), line("2") | wrong, line("3")))

        assert [text[: len(f"f, line 2: {place}: {reason}")] for text in texts] == [
            f"f, line 2: {place}: {reason}"
        ]

    @pytest.mark.parametrize(
        ("body", "place", "reason"),
        [
            ({"messages": []}, "body.messages", "must be a non-empty list of messages, not []"),
            ({"messages": "Hi"}, "body.messages", "must be a non-empty list of messages, not 'Hi'"),
            ({"messages": [USER, "x"]}, "body.messages[1]", "must be an object, not 'x'"),
            (
                {"messages": [{"role": "tool"}, USER]},
                "body.messages[0].role",
                "must be one of ('system', 'user', 'assistant'), not 'tool'",
            ),
            (
                {"messages": [USER, {"role": []}]},
                "body.messages[1].role",
                "must be one of ('system', 'user', 'assistant'), not []",
            ),
            (
                {"messages": [{"content": "Hi"}]},
                "body.messages[0].role",
                "must be one of ('system', 'user', 'assistant'); it is missing",
            ),
            (
                {"messages": [USER, {"role": "assistant", "content": "Yes?"}]},
                "body.messages",
                "the last message must have role 'user', not 'assistant'",
            ),
            ({"model": 5}, "body.model", "must be the name of a model, not 5"),
            ({"model": ""}, "body.model", "must be the name of a model, not ''"),
            (
                {"model": "other"},
                "body.model",
                "must be the same in all lines: it is 'other' here and 'm' in line 1",
            ),
            (
                {"model": None},
                "body.model",
                "must be the same in all lines: it is missing here and 'm' in line 1",
            ),
            ({"stream": "true"}, "body.stream", "must be true or false, not 'true'"),
            (
                {"thinking_budget": 127},
                "body.thinking_budget",
                "must be an integer from 128 to 32768, not 127",
            ),
            (
                {"thinking_budget": 32769},
                "body.thinking_budget",
                "must be an integer from 128 to 32768, not 32769",
            ),
            (
                {"thinking_budget": 200.0},
                "body.thinking_budget",
                "must be an integer from 128 to 32768, not 200.0",
            ),
            (
                {"thinking_budget": True},
                "body.thinking_budget",
                "must be an integer from 128 to 32768, not True",
            ),
        ],
    )
    def test_a_fault_of_a_body_names_its_field(
        self, body: dict[str, Any], place: str, reason: str
    ) -> None:
        """A field inside a body is named by its path, such as body.messages[1].role."""
        texts = faults(encoded(line("1"), line("2", **body), line("3")))

        assert texts == [f"f, line 2: {place}: {reason}"]

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            (b"", "the line is empty; remove it"),
            (b" \r", "the line is empty; remove it"),
            (b"[1]", "a line must be a JSON object, not [1]"),
            (b'"x"', "a line must be a JSON object, not 'x'"),
            (HEAD + b"}", "not JSON: Expecting ',' delimiter at character 74"),
            (HEAD + b"}} x", "not JSON: Extra data at character 76"),
            (HEAD + b', "x": "\xff"}}', "byte 81 of the line is not UTF-8"),
            (HEAD + b', "x": "\xed\xa0\x80"}}', "byte 81 of the line is not UTF-8"),
            (HEAD + b', "x": NaN}}', "not JSON: NaN, Infinity, a number out of range, or half"),
            (
                HEAD + b', "top_p": 1e999}}',
                "not JSON: NaN, Infinity, a number out of range, or half",
            ),
            (HEAD + b', "x": "\\ud83d"}}', "not JSON: NaN, Infinity, a number out of range"),
            pytest.param(
                HEAD + b', "x": ' + b"[" * 10**5 + b"]" * 10**5 + b"}}",
                "nested too deeply",
                id="nested",
            ),
            (HEAD + b'}, "custom_id": "b"}', "custom_id: appears more than once in the line"),
            (HEAD + b'}, "body": {}}', "body: appears more than once in the line"),
        ],
    )
    def test_a_line_that_is_not_a_request_is_one_fault(self, raw: bytes, reason: str) -> None:
        """A line that is not strict JSON, or not one object, has one fault; the rest is checked."""
        texts = faults(encoded(line("1")) + raw + b"\n" + encoded(line("3"), line("3")))

        assert len(texts) == 2
        assert texts[0].startswith(f"f, line 2: {reason}")
        assert texts[1] == "f, line 4: custom_id: '3' is already used in line 3; use each once"

    def test_required_fields(self) -> None:
        """custom_id, body and body.messages are required; the other fields are not."""
        texts = faults(encoded({}, {"custom_id": "a", "body": {"model": "m"}}))

        assert texts == [
            "f, line 1: custom_id: must be a non-empty string; it is missing",
            "f, line 1: body: must be an object; it is missing",
            "f, line 2: body.messages: must be a non-empty list of messages; it is missing",
        ]

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", "f: the file is empty; add at least one line"),
            (
                b"\xef\xbb\xbf" + encoded(line()),
                "f, line 1: the file begins with a byte order mark; save it as UTF-8 without one",
            ),
            (
                b"\xff\xfe" + '{"custom_id": "é"}'.encode("utf-16-le"),
                "f: the file is UTF-16; save it as UTF-8: "
                "iconv -f UTF-16 -t UTF-8 FILE > lines.jsonl",
            ),
            (
                encoded(line(model=None)),
                "f: body.model: no line has a model; add one to every line, or pass `model`",
            ),
        ],
    )
    def test_a_fault_of_the_whole_file(self, data: bytes, expected: str) -> None:
        """It is reported once, however many lines the file has, and says what to do."""
        assert faults(data) == [expected]

    @pytest.mark.parametrize(
        "data",
        [
            encoded(line("1"), line("2")).replace(b"\n", b"\r\n"),
            encoded(line("1"), line("2")).rstrip(b"\n"),
            encoded(line("1", stream=False, thinking_budget=None), line("2", x=['"custom_id"'])),
            encoded(line("1", thinking_budget=128), line("2", thinking_budget=32768)),
            # The parameters of every example in the batch guide.
            encoded(
                *(line(id, stream=True, max_tokens=1514, thinking_budget=32768) for id in "12")
            ),
            encoded(line("1"), line("2", note={"body": '{"body": "custom_id"}'})),
            encoded(line("\u2028\u0085\u001c\u001d\u001e"), line("\u2029\x0b\x0c")),
        ],
    )
    def test_valid_json_lines_have_no_fault(self, data: bytes) -> None:
        """CRLF, a missing last line end and other line separators are accepted."""
        assert faults(data) == []
        assert validate(data).lines == 2

    def test_a_model_for_the_batch_replaces_those_of_the_lines(self) -> None:
        """With `model`, lines may have different models or none."""
        data = encoded(line("1"), line("2", model="other"), line("3", model=None))

        assert faults(data, model="replaced") == []
        assert validate(data, model="replaced").model == "replaced"

    def test_different_models_are_one_fault(self) -> None:
        """A file with several models has one fault for them, not one per line."""
        data = encoded(*(line(str(number), model=f"m{number % 3}") for number in range(9)))

        assert faults(data) == [
            "f, line 2: body.model: must be the same in all lines: "
            "it is 'm1' here and 'm0' in line 1"
        ]

    @pytest.mark.parametrize("over", [0, 1])
    def test_five_thousand_lines_are_allowed(self, over: int) -> None:
        """The 5,001st line is a fault of the file; lines beyond it are counted, not checked."""
        data = encoded(*(line(str(number)) for number in range(5_000))) + b"x\n" * over

        assert faults(data) == over * ["f: the file has 5,001 lines; split it, 5,000 are allowed"]

    @pytest.mark.parametrize("over", [0, 1])
    def test_the_size_is_limited(self, over: int) -> None:
        """A file may have 1 GB, and not one byte more."""
        data = encoded(line())

        texts = faults(data, limits=Limits(bytes=len(data) - over))

        assert Limits().bytes == 10**9
        assert texts == over * [f"f: the file has 92 bytes; split it, {92 - over} are allowed"]

    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
    @pytest.mark.parametrize("over", [0, 1])
    def test_a_line_is_limited(self, over: int, end: bytes) -> None:
        """A line has its limit without its end; the lines after a longer one are checked."""
        long = encoded(line("1", x="x" * 1_000)).rstrip(b"\n")
        data = long + end + (encoded(line("2"), {}) if end else b"")

        texts = faults(data, limits=Limits(line=len(long) - over))

        too_long = f"f, line 1: the line has more than {len(long) - 1:,} bytes; shorten it"
        assert [text for text in texts if "line 1" in text] == over * [too_long]
        assert [text[:9] for text in texts if "line 1" not in text] == (
            2 * ["f, line 3"] if end else []
        )

    @pytest.mark.parametrize("kind", ["path", "text path", "bytes", "file"])
    def test_a_source_is_a_path_bytes_or_a_file(self, kind: str, tmp_path: Path) -> None:
        """Every kind of source has the same faults, under its own name."""
        path = tmp_path / "requests.jsonl"
        path.write_bytes(encoded({}, line()))
        with path.open("rb") as file:
            sources: dict[str, Any] = {
                "path": path,
                "text path": str(path),
                "bytes": path.read_bytes(),
                "file": file,
            }
            fault, *_ = check(sources[kind])

            assert fault.file == ("input" if kind == "bytes" else str(path))
            assert (fault.line, fault.field) == (1, "custom_id")
            assert kind != "file" or file.read() == b""

    @pytest.mark.parametrize("source", [io.StringIO("{}\n"), 5])
    def test_another_source_is_refused(self, source: Any) -> None:
        """A file opened as text, and what is not a source, are refused."""
        with pytest.raises(ArgumentInvalid, match="binary mode"):
            list(check(source))

    def test_memory_is_flat(self) -> None:
        """50 MB of lines are checked in less than 3 MB of memory."""
        lines = (encoded(line(str(number), x="x" * 10_000)) for number in range(5_000))

        peak, texts = peak_memory(lines)

        assert texts == []
        assert peak < 3_000_000

    def test_memory_is_flat_for_an_endless_line(self) -> None:
        """No more than the limit of a line is kept of a line that does not end."""
        peak, texts = peak_memory((b"x" * 100_000 for _ in range(500)), limits=Limits(line=10**6))

        assert texts == ["input, line 1: the line has more than 1,000,000 bytes; shorten it"]
        assert peak < 6_000_000


class TestValidate:
    def test_a_valid_file_has_a_summary(self) -> None:
        """The summary has the lines, the bytes, the model and the SHA-256."""
        data = encoded(line("1"), line("2"))

        digest = hashlib.sha256(data).hexdigest()
        assert validate(data) == InputSummary(lines=2, bytes=len(data), model="m", sha256=digest)

    def test_reading_ends_at_the_requested_number_of_faults(self) -> None:
        """No more than `most` faults are raised, and no more of the file is read."""
        file = io.BytesIO(encoded({}) * 1_000)

        with pytest.raises(InputFileInvalid) as refused:
            validate(file, name="f", most=3)

        assert [fault.line for fault in refused.value.faults] == [1, 1, 2]
        assert file.tell() == 6
        assert str(refused.value).endswith("it is missing\n\nNothing was uploaded.")

    ROLES = st.sampled_from(["user", "user", "user", "assistant", "system", "tool", None])
    MESSAGES = st.lists(
        st.one_of(st.builds(lambda role: {"role": role, "content": "\u2028"}, ROLES), st.none()),
        max_size=3,
    )
    BODIES = st.one_of(
        st.fixed_dictionaries(
            {"messages": st.one_of(st.just([USER]), MESSAGES)},
            optional={
                "model": st.sampled_from(["m", "m", "", None, 5]),
                "thinking_budget": st.sampled_from([127, 128, None, "x"]),
            },
        ),
        st.none(),
    )
    RAW = st.one_of(
        st.fixed_dictionaries(
            {"custom_id": st.sampled_from(["a", "b", "c", "d", "", 5, "\x85"]), "body": BODIES},
            optional={"method": st.sampled_from(["POST", "GET", None]), "url": st.just("/v1")},
        ).map(encoded),
        st.sampled_from([b"\n", b"{}\n", b"\xff\n", encoded(line("e"))]),
        st.text("abc\u0085\u2028", min_size=1).map(lambda id: encoded(line(id))),
    )

    @given(st.lists(RAW, max_size=4), st.sampled_from([None, "m"]), st.booleans())
    @settings(max_examples=400, deadline=None)
    def test_the_simulator_accepts_every_valid_file(
        self, lines: list[bytes], model: str | None, cut: bool
    ) -> None:
        """
        The simulator, whose rules are written independently, accepts every file that passes here.

        A known difference: integers over 308 digits pass only here.
        """
        data = b"".join(lines)[: -1 if cut else None]
        try:
            summary = validate(data, model=model)
        except InputFileInvalid:
            return

        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            inspection = inspect(Path(file.name))

        assert inspection.error is None
        assert inspection.lines == summary.lines
        assert model or inspection.models == {summary.model}


LINE = encoded(line())
KINDS = {
    "gzip": (gzip.compress(LINE), "compressed with gzip; decompress it"),
    "xlsx": (b"PK\x03\x04\x14\x00\x06\x00", "a spreadsheet or a zip archive"),
    "parquet": (b"PAR1\x15\x04\x15", "a Parquet file"),
    "an array": (b"[" + LINE.strip() + b"]", "a JSON array; write each element on a line"),
    "an array over lines": (b"[\n  " + LINE.strip() + b"\n]", "a JSON array"),
    "pretty": (json.dumps(line(), indent=2).encode(), "JSON over several lines"),
    "csv": (b"prompt,label\nHello,1\n", "a table (CSV)"),
    "tsv": (b"id\tprompt\n1\tHello\n", "a table (CSV)"),
    "semicolons": ("Frage;Antwort\nGrüße;1\n".encode(), "a table (CSV)"),
    "utf-16": (LINE.decode().encode("utf-16"), "UTF-16; save it as UTF-8"),
    "utf-16 without a mark": (LINE.decode().encode("utf-16-le"), "UTF-16; save it as UTF-8"),
    "utf-16, the other half": (LINE.decode().encode("utf-16-be"), "UTF-16; save it as UTF-8"),
}


@pytest.mark.parametrize(("data", "kind"), KINDS.values(), ids=KINDS)
def test_a_file_of_another_kind_is_named(data: bytes, kind: str) -> None:
    """One sentence says what it is and how to convert it, instead of a fault for each line."""
    (fault,) = faults(data)

    assert fault.startswith(f"f: the file is {kind}")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"messages": [{"role": "user"}]}, "content: must be a text or a list of parts; it is m"),
        ({"messages": [{"role": "user", "content": None}]}, "list of parts, not None"),
        ({"messages": [{"role": "user", "content": 7}]}, "list of parts, not 7"),
        ({"messages": [{"role": "user", "content": []}]}, "list of parts, not []"),
        ({"max_tokens": "512"}, "body.max_tokens: must be a number, not '512'"),
        ({"temperature": "0.7"}, "body.temperature: must be a number, not '0.7'"),
        ({"top_p": True}, "body.top_p: must be a number, not True"),
    ],
)
def test_values_of_another_type_are_faults(changed: dict[str, Any], reason: str) -> None:
    """They would fail one by one after they were paid for, or all at once."""
    (fault,) = faults(encoded(line(**changed)))

    assert reason in fault


def test_an_assistant_who_calls_tools_has_no_content() -> None:
    """And content may be a list of parts."""
    parts = [{"type": "text", "text": "Hello"}]
    messages = [{"role": "assistant", "content": None}, {"role": "user", "content": parts}]

    assert faults(encoded(line(messages=messages))) == []
