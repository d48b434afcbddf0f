"""Results are complete, or the client says what is not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import Batch, Retries, Summary, Usage, errors
from siliconflow_batch.result_files.reading import Reader
from support.batches import batch
from support.scripted_server import Answer, ScriptedServer, answer

Open = Callable[..., Any]
ANSWER = {
    "choices": [{"message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
FAILED = {"code": "bad", "message": "no"}


def record(id: str, *, ok: bool = True) -> bytes:
    response = {"status_code": 200, "body": ANSWER} if ok else None
    row = {"id": "r", "custom_id": id, "response": response, "error": None if ok else FAILED}
    return json.dumps(row).encode() + b"\n"


def completed(completed: int, failed: int = 0, **fields: Any) -> Batch:
    """A completed batch; without other fields it names an output file."""
    counts = {"total": completed + failed, "completed": completed, "failed": failed}
    named = {"output_file_id": "file-out"} | fields
    return batch(status="completed", request_counts=counts, **named)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(opened: Open, server: ScriptedServer) -> Any:
    return opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The input file, whose lines are a, b and c."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(b'{"custom_id": "%s"}\n' % id for id in (b"a", b"b", b"c")))
    return path


class TestComparison:
    @pytest.mark.parametrize(
        ("ids", "problem"),
        [
            ("ab", "1 missing ('c')"),
            ("abcc", "1 repeated ('c')"),
            ("abcd", "1 not in the input ('d')"),
            ("abd", "1 not in the input ('d'); 1 missing ('c')"),
        ],
    )
    @pytest.mark.parametrize("order", [None, "input"])
    def test_ids_are_compared_with_the_input(
        self, client: Any, server: ScriptedServer, source: Path, ids: str, problem: str, order: Any
    ) -> None:
        """The number of lines may be right and the lines wrong."""
        server.script = [Answer(200, b"".join(map(record, ids)))]

        with pytest.raises(errors.ResultsIncomplete) as raised:
            list(client.results(completed(3), source=source, order=order))

        assert problem in str(raised.value)
        assert raised.value.summary.is_compared

    def test_all_results_come_before_the_exception(
        self, opened: Open, server: ScriptedServer, source: Path
    ) -> None:
        """`check=False` turns the exception off."""
        client = opened(key="sk-x", base_url=server.url)
        server.script = [Answer(200, b"".join(map(record, "ab")))]

        found = list(client.results(completed(3), source=source, check=False))

        assert [result.custom_id for result in found] == ["a", "b"]

    def test_without_the_input_the_counts_are_compared(
        self, client: Any, server: ScriptedServer
    ) -> None:
        """Two results of a batch with three lines are one too few."""
        server.script = [Answer(200, b"".join(map(record, "ab")))]

        with pytest.raises(errors.ResultsIncomplete) as raised:
            list(client.results(completed(3)))

        assert (raised.value.summary.missing, raised.value.summary.is_compared) == (1, False)

    @pytest.mark.parametrize(
        ("counts", "lines", "missing", "problem"),
        [
            ({"total": 3}, "aab", 1, "1 repeated ('a'); 1 missing by the counts"),
            ({"completed": 2, "failed": 1}, "ab", 1, "1 missing by the counts of the batch"),
            (None, "aa", 0, "1 repeated ('a')"),
            (None, "", 0, "the result files are empty"),
        ],
    )
    def test_counts_show_what_is_missing(
        self,
        client: Any,
        server: ScriptedServer,
        counts: Any,
        lines: str,
        missing: int,
        problem: str,
    ) -> None:
        """A repeated line stands for no other; a completed batch has at least one line."""
        server.script = [Answer(200, b"".join(map(record, lines)))]

        with pytest.raises(errors.ResultsIncomplete) as raised:
            list(
                client.results(
                    batch(status="completed", output_file_id="file-out", request_counts=counts)
                )
            )

        assert raised.value.summary.missing == missing
        assert problem in str(raised.value)

    def test_more_results_than_counted_are_no_problem(
        self, client: Any, server: ScriptedServer
    ) -> None:
        """The counts of a batch may be behind its files."""
        server.script = [Answer(200, b"".join(map(record, "abc")))]

        assert len(list(client.results(completed(2)))) == 3

    def test_a_repeated_line_of_an_expired_batch_is_raised(
        self, client: Any, server: ScriptedServer
    ) -> None:
        """Only missing lines are expected of a batch that did not complete."""
        server.script = [Answer(200, record("a") + record("a"))]

        with pytest.raises(errors.ResultsIncomplete, match="1 repeated"):
            list(client.results(batch(status="expired", output_file_id="file-out")))

    def test_an_expired_batch_has_missing_lines(self, client: Any, server: ScriptedServer) -> None:
        """They are no surprise, so nothing is raised."""
        server.script = [Answer(200, record("a"))]
        counts = {"total": 3, "completed": 1, "failed": 0}
        expired = batch(status="expired", output_file_id="file-out", request_counts=counts)

        assert len(list(client.results(expired))) == 1

    def test_a_bad_record_is_yielded_and_reported(
        self, client: Any, server: ScriptedServer
    ) -> None:
        """The records around it are results as well."""
        server.script = [Answer(200, record("a") + b'{"custom_id": "b", "resp\n' + record("c"))]

        with pytest.raises(errors.ResultsIncomplete, match="1 cannot be read"):
            list(client.results(completed(3)))
        found = list(client.results(completed(3), check=False))

        assert [(one.custom_id, one.ok, one.line) for one in found] == [
            ("a", True, 1),
            ("", False, 2),
            ("c", True, 3),
        ]

    def test_tokens_and_reasons_are_summed(self, client: Any, server: ScriptedServer) -> None:
        """The summary of an exception has them, too."""
        lines = [record("a"), record("b"), record("x", ok=False)]
        server.script = [Answer(200, b"".join(lines))]

        with pytest.raises(errors.ResultsIncomplete) as raised:
            list(client.results(completed(4)))

        summary = raised.value.summary
        assert (summary.usage, dict(summary.reasons)) == (Usage(2, 4, 6), {"bad: no": 1})

    def test_errors_are_found_in_both_files(self, client: Any, server: ScriptedServer) -> None:
        """A failed line in the output file is one of them."""
        server.script = [
            Answer(200, record("a") + record("b", ok=False)),
            Answer(200, record("c", ok=False)),
        ]
        both = completed(2, 1, error_file_id="file-err")

        assert [result.custom_id for result in client.errors(both)] == ["b", "c"]


class TestSummary:
    def summary(self, *lines: bytes) -> Summary:
        summary = Summary()
        for result in Reader().feed(b"".join(lines)):
            summary.add(result)
        return summary

    def test_it_is_made_of_results(self) -> None:
        """A caller can sum the results that it reads, and compare them with the input."""
        summary = Summary()
        summary.expect("abb")
        for result in Reader().feed(b"".join(map(record, "abx"))):
            summary.add(result)
        summary.end(completed(3))

        assert (summary.answered, summary.usage) == (3, Usage(3, 6, 9))
        assert (summary.missing_ids, summary.unknown, summary.repeated) == (["b"], ["x"], [])

    def test_it_belongs_to_one_batch(self) -> None:
        """Results of a second batch are refused, as they would count as repeated."""
        summary = self.summary(record("a"))
        summary.end(completed(1))

        with pytest.raises(errors.ArgumentInvalid, match="make a new one"):
            summary.add(next(Reader().feed(record("a"))))

    def test_reasons_and_descriptions_are_limited(self) -> None:
        """However many lines fail, and each for a reason of its own, the summary stays small."""
        reasons = [
            json.dumps({"custom_id": str(n), "error": f"{n} {'x' * 9_000}"}).encode() + b"\n"
            for n in range(200)
        ]
        summary = self.summary(*reasons, *[b"[" + b"x" * 9_000 + b"\n"] * 200)

        assert summary.reasons.total() == summary.failed == 400
        assert summary.reasons["other reasons"] == 300
        assert (summary.invalid, len(summary.invalid_lines)) == (200, 20)
        assert len(json.dumps(summary.facts())) < 100_000

    def test_facts_are_json(self) -> None:
        """They have the numbers, and names where there are any."""
        summary = self.summary(record("a"), record("a"), b"[]\n")
        summary.end(completed(3))

        facts = json.loads(json.dumps(summary.facts()))
        assert (facts["answered"], facts["failed"], facts["missing"]) == (2, 1, 1)
        assert facts["tokens"] == {"prompt": 2, "completion": 4, "total": 6}
        assert (facts["repeated"], facts["failures"]) == (["a"], {"invalid_record": 1})
        assert facts["invalid_lines"] == [
            "line 3 of the output file: a record must be a JSON object: b'[]'"
        ]


class TestLateFiles:
    LATE = (
        completed(2, output_file_id=None),
        completed(0, output_file_id=None),
        completed(1, 1, output_file_id=None, error_file_id="file-err"),
        completed(1, 1, error_file_id=None),
    )

    @pytest.mark.parametrize("late", LATE)
    def test_files_that_are_named_later_are_read(
        self, client: Any, server: ScriptedServer, late: Batch
    ) -> None:
        """The batch is retrieved again until it names them."""
        named = completed(2).raw | {"error_file_id": late.error_file_id}
        named |= {"error_file_id": "file-err"} if late.counts.failed else {}
        rest = [Answer(200, record("b"))] if late.counts.failed else []
        first = record("a") if rest else record("a") + record("b")
        server.script = [answer(late.raw), answer(named), Answer(200, first), *rest]

        found = list(client.results(late, check=False))

        assert [result.custom_id for result in found] == ["a", "b"]

    @pytest.mark.parametrize(
        "odd",
        [
            Answer(200, b"<html>busy</html>"),
            answer({"code": 50505, "message": "busy", "data": None}),
            answer({"code": 1, "message": "busy", "data": None}, 409),
            answer(batch(status="finalizing").raw),
        ],
    )
    def test_an_odd_look_does_not_end_the_search(
        self, client: Any, server: ScriptedServer, odd: Answer
    ) -> None:
        """The next look may succeed; a replica may show an earlier state of the batch."""
        server.script = [odd, answer(completed(1).raw), Answer(200, record("a"))]

        found = list(client.results(completed(1, output_file_id=None)))

        assert [result.custom_id for result in found] == ["a"]

    def test_a_lasting_error_is_raised(self, client: Any, server: ScriptedServer) -> None:
        """A key that was refused is not tried again."""
        server.script = [answer("Invalid token", 401)]

        with pytest.raises(errors.KeyRefused):
            list(client.results(completed(1, output_file_id=None)))

        assert len(server.received) == 1

    def test_a_batch_whose_lines_all_failed_is_not_retrieved_again(
        self, client: Any, server: ScriptedServer
    ) -> None:
        """It has an error file only."""
        server.script = [Answer(200, record("a", ok=False))]

        found = list(client.results(completed(0, 1, output_file_id=None, error_file_id="file-e")))

        assert [result.ok for result in found] == [False]

    def test_files_that_are_never_named(self, client: Any, server: ScriptedServer) -> None:
        """The exception says so, although the batch is completed."""
        late = completed(0, output_file_id=None)
        server.script = [answer(late.raw)]

        with pytest.raises(errors.ResultsIncomplete, match="names no result file"):
            list(client.results(late))


class TestOrder:
    def test_an_input_that_cannot_be_downloaded(self, client: Any, server: ScriptedServer) -> None:
        """The results come in the order of their file, with a warning."""
        server.script = [
            Answer(200, record("b") + record("a")),
            answer({"code": 1, "message": "gone", "data": None}, 404),
        ]

        with pytest.warns(UserWarning, match="gone"):
            found = list(client.results(completed(2), order="input"))

        assert [result.custom_id for result in found] == ["b", "a"]


class TestFailedLines:
    def test_lines_without_an_answer(
        self, client: Any, server: ScriptedServer, source: Path
    ) -> None:
        """Failed and missing lines are yielded unchanged, in the order of the input."""
        server.script = [Answer(200, record("b")), Answer(200, record("a", ok=False))]
        ended = completed(1, 1, error_file_id="file-err")

        lines = list(client.failed_lines(ended, source))

        assert lines == [b'{"custom_id": "a"}\n', b'{"custom_id": "c"}\n']

    def test_a_line_with_an_answer_is_not_submitted_again(
        self, client: Any, server: ScriptedServer, tmp_path: Path
    ) -> None:
        """A line that failed and was answered is answered; a byte order mark is left out."""
        server.script = [Answer(200, record("b")), Answer(200, record("b", ok=False) + b"[]\n")]
        path = tmp_path / "marked.jsonl"
        path.write_bytes(b'\xef\xbb\xbf{"custom_id": "a"}\r\n\n{"custom_id": "b"}')

        lines = list(client.failed_lines(completed(1, 1, error_file_id="file-err"), path))

        assert lines == [b'{"custom_id": "a"}\r\n']

    @pytest.mark.parametrize(
        ("ended", "lines", "reason"),
        [
            (batch(status="in_progress"), b"", "in_progress; wait for it first"),
            (completed(1, output_file_id=None, error_file_id="file-e"), b"", "names no output"),
            (completed(0, output_file_id=None), b"", "names no output file"),
            (completed(1), record("z"), "pass the input file of the batch"),
        ],
    )
    def test_it_refuses_to_guess(
        self,
        client: Any,
        server: ScriptedServer,
        source: Path,
        ended: Batch,
        lines: bytes,
        reason: str,
    ) -> None:
        """A line that may have an answer is not paid for again."""
        by_path = Answer(200, lines) if lines else answer(ended.raw)
        server.script = [by_path]
        if ended.error_file_id:
            server.script = [*[answer(ended.raw)] * 8, Answer(200, b"")]

        with pytest.raises(errors.ArgumentInvalid, match=reason):
            list(client.failed_lines(ended, source))

    def test_a_cancelled_batch_without_results(
        self, client: Any, server: ScriptedServer, source: Path
    ) -> None:
        """All lines are yielded."""
        assert len(list(client.failed_lines(batch(status="cancelled"), source))) == 3
