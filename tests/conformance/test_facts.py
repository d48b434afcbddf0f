"""What recorded exchanges say about the open questions: each function, and the conclusions."""

import json
from typing import Any

import pytest

from siliconflow_batch_conformance.checks.exchange import OPERATIONS, Exchange
from siliconflow_batch_conformance.checks.shapes import BATCH
from siliconflow_batch_conformance.facts.assumptions import load_assumptions
from siliconflow_batch_conformance.facts.conclusions import (
    CONFIRMED,
    CONTRADICTED,
    FINDERS,
    NOT_SEEN,
    REFUTED,
    UNANSWERABLE,
    Conclusion,
    answer,
    conclude,
)
from siliconflow_batch_conformance.facts.suspension import explained

QUESTIONS = load_assumptions().questions
UPLOADED = {"code": 20000, "message": "Ok", "status": True, "data": {"id": "file-a"}}


def sent(
    operation: str, body: Any, *, number: int = 1, status: int = 200, **fields: Any
) -> Exchange:
    method, _, path = operation.partition(" ")
    fields.setdefault("path", path.replace("{batch_id}", "batch_a").replace("{file_id}", "file-a"))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(number, method, status=status, body=raw, **fields)


def page(*ids: str, has_more: bool = False, number: int = 1, **fields: Any) -> Exchange:
    """A list of batches, which were created a second after each other."""
    data = [{"id": id, "created_at": 1_700_000_000 + ord(id[-1])} for id in ids]
    return sent("GET /batches", {"data": data, "has_more": has_more}, number=number, **fields)


def creation(id: str, number: int = 1, at: float = 0.0, **body: Any) -> Exchange:
    created = {"id": id, "created_at": 1_700_000_000 + ord(id[-1]), **body}
    return sent("POST /batches", created, number=number, at=at)


def concluded(question: str, *exchanges: Exchange) -> Conclusion:
    return answer(QUESTIONS[question], exchanges)


def test_every_question_is_answered_or_has_a_reason() -> None:
    """Each question has a function, or a reason why traffic cannot answer it."""
    assert {*FINDERS, *UNANSWERABLE} == QUESTIONS.keys()
    assert not FINDERS.keys() & UNANSWERABLE.keys()


class TestConclusions:
    def test_the_first_alternative_is_confirmed(self) -> None:
        """An exchange that only the first alternative allows confirms it."""
        one = concluded("created-status", creation("batch_a", number=7))

        assert (one.outcome, one.alternatives) == (CONFIRMED, ("ok",))
        assert one.exchange is not None
        assert one.exchange.number == 7
        assert one.variant is None

    def test_another_alternative_refutes_it(self) -> None:
        """An exchange that only another alternative allows refutes the first, and names it."""
        one = concluded("created-status", sent("POST /batches", {"id": "batch_a"}, status=201))

        assert (one.outcome, one.alternatives) == (REFUTED, ("created",))
        assert one.variant == "created-201"

    def test_no_exchange_is_not_seen(self) -> None:
        """Without an exchange that shows an alternative, nothing is concluded."""
        assert concluded("created-status", page("batch_a")).outcome == NOT_SEEN

    def test_several_remaining_alternatives_are_not_seen(self) -> None:
        """The reason names the alternatives that the exchanges do not tell apart."""
        one = concluded("list-paging", page("batch_a", has_more=True, query={"limit": "1"}))

        assert one.outcome == NOT_SEEN
        assert one.reason.startswith("honoured or capped")

    def test_several_exchanges_narrow_the_alternatives(self) -> None:
        """An alternative is concluded from exchanges none of which shows it alone."""
        strings = {"id": "batch_a", "metadata": {"a": "b"}}
        request = json.dumps({"metadata": {"a": "b"}}).encode()
        listed = {"id": "batch_a", "metadata": {"a": "b"}}
        created = sent("POST /batches", strings, request_body=request)
        first = sent("GET /batches", {"data": [listed]}, number=2)
        number = json.dumps({"metadata": {"name": "1"}}).encode()
        second = sent("POST /batches", {"id": "batch_b"}, request_body=number, number=3)
        last = sent(
            "GET /batches", {"data": [{"id": "batch_b", "metadata": {"name": "1"}}]}, number=4
        )

        one = concluded("list-metadata", created, first, second, last)

        assert one.outcome == CONFIRMED
        assert one.exchange == last

    def test_contradicting_exchanges_are_reported(self) -> None:
        """Two exchanges that no alternative allows together are both named."""
        first = page("batch_b", has_more=True, number=3, query={"limit": "1"})
        second = page("batch_b", "batch_a", number=4, query={"limit": "1"})

        one = concluded("list-paging", first, second)

        assert one.outcome == CONTRADICTED
        assert (one.exchange, one.contradicted_by) == (first, second)
        assert one.variant is None

    def test_an_unanswerable_question_has_a_reason(self) -> None:
        """The reason says why a recording cannot answer the question."""
        one = concluded("late-response", creation("batch_a"))

        assert (one.outcome, one.reason) == (NOT_SEEN, UNANSWERABLE["late-response"])


def input_file(*lines: dict[str, Any], status: int = 200) -> Exchange:
    content = "".join(json.dumps(line) + "\n" for line in lines)
    form = (
        '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        f"{content}\r\n--b--\r\n"
    )
    return sent(
        "POST /files",
        UPLOADED if status == 200 else {"code": 20071, "message": "bad line", "data": None},
        status=status,
        request_type="multipart/form-data; boundary=b",
        request_body=form.encode(),
    )


RESULT = "https://cdn.example/results/a"
COMPLETED = {
    "id": "batch_a",
    "status": "completed",
    "output_file_id": RESULT,
    "request_counts": {"total": 1, "completed": 1, "failed": 0},
}
RETRIEVE = "GET /batches/{batch_id}"
NEW_FILE = {"input_file_id": "file-a", "endpoint": "/v1/chat/completions"}
CREATE_FROM = json.dumps({**NEW_FILE, "completion_window": "24h"}).encode()
TWENTY = [f"batch_{letter}" for letter in "abcdefghijklmnopqrst"]
# Alternatives that a run of the suite does not show, and some that depend on several exchanges.
SHOWN: dict[tuple[str, str], list[Exchange]] = {
    ("list-lag", "a-minute-later"): [
        creation("batch_b", at=100.0),
        page("batch_a", number=2, at=130.0),
        page("batch_b", "batch_a", number=3, at=160.0),
    ],
    ("list-lag", "seconds-later"): [
        creation("batch_b", at=100.0),
        page("batch_a", number=2, at=110.5),  # a slow run sees a lag of ten seconds late
        page("batch_b", "batch_a", number=3, at=112.0),
    ],
    ("list-paging", "ignored"): [page("batch_a", query={"limit": "0"})],
    ("list-default-limit", "twenty"): [
        page(*TWENTY, has_more=True),
        page(*TWENTY, "batch_u", query={"limit": "100"}, number=2),
    ],
    ("list-lag", "at-once"): [creation("batch_b", at=100.0), page("batch_b", at=101.0)],
    ("result-expiry", "expires"): [
        sent(RETRIEVE, COMPLETED, at=100.0),
        sent("GET /", b"", path=RESULT, status=403, at=3_800.0),
    ],
    ("result-expiry", "stays"): [
        sent(RETRIEVE, COMPLETED, at=100.0),
        sent("GET /", b"", path=RESULT, at=3_800.0),
    ],
    ("batch-errors", "strings"): [
        sent(RETRIEVE, {"id": "batch_a", "status": "failed", "errors": ["line 1: no custom_id"]})
    ],
    ("batch-errors", "objects"): [
        sent(RETRIEVE, {"id": "batch_a", "status": "failed", "errors": [{"line": 1}]})
    ],
    ("batch-errors", "list-object"): [
        sent(RETRIEVE, {"id": "batch_a", "errors": {"object": "list", "data": [{"line": 1}]}})
    ],
    ("invalid-input", "at-upload"): [input_file({"custom_id": 1}, status=400)],
    ("invalid-input", "as-failed-batch"): [
        input_file({"custom_id": 1}),
        sent("POST /batches", {"id": "batch_a"}, request_body=CREATE_FROM),
        sent(RETRIEVE, {"id": "batch_a", "status": "failed"}),
    ],
}


@pytest.mark.parametrize(("shown", "exchanges"), SHOWN.items(), ids=lambda value: str(value)[:40])
def test_exchanges_show_an_alternative(shown: tuple[str, str], exchanges: list[Exchange]) -> None:
    """Hand-made exchanges show the alternative."""
    question, alternative = shown

    assert concluded(question, *exchanges).alternatives == (alternative,)


# Exchanges that look like an alternative at first sight.
SILENT: dict[str, tuple[str, list[Exchange]]] = {
    "a batch on the next page does not lag": (
        "list-lag",
        [creation("batch_a", at=100.0), page("batch_c", "batch_b", has_more=True, at=101.0)],
    ),
    "a page of twenty whose length may be a cap": (
        "list-default-limit",
        [page(*TWENTY, has_more=True)],
    ),
    "times in the same second have no order": (
        "list-order",
        [sent("GET /batches", {"data": [{"id": id, "created_at": 5} for id in "ab"]})],
    ),
    "an unknown id with another reason for a refusal": (
        "unknown-after",
        [sent("GET /batches", {}, status=400, query={"after": "batch_x", "limit": "0"})],
    ),
    "a link that is used at once": (
        "result-expiry",
        [sent(RETRIEVE, COMPLETED), sent("GET /", b"", path=RESULT)],
    ),
    "a refused creation that is invalid itself": (
        "invalid-input",
        [sent("POST /batches", {"code": 20012}, status=400, request_body=b'{"endpoint": 1}')],
    ),
    "one refused operation": (
        "error-code",
        [sent("POST /batches", {"code": 20012, "message": "no"}, status=400)],
    ),
    "a 404 of another path": ("error-shape", [sent("GET /nowhere", {}, status=404)]),
}


@pytest.mark.parametrize(("question", "exchanges"), SILENT.values(), ids=SILENT)
def test_exchanges_that_show_nothing(question: str, exchanges: list[Exchange]) -> None:
    """An exchange that every alternative allows shows none."""
    assert concluded(question, *exchanges).outcome == NOT_SEEN


ODD_VALUES: list[Any] = [
    *(None, True, 0, "", "failed", [], {}, [{}], [[]], {"data": [{}]}, {"a": []}),
]
ODD_STATUSES = (200, 400)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_any_json_can_be_read(operation: str) -> None:
    """Odd values in any field lead to a conclusion for each question, not to an exception."""
    bodies = [
        {"id": "batch_a", "status": status, name: value}
        for name in [*BATCH, "data", "code", "replace"]
        for value in ODD_VALUES
        for status in ("in_queue", "completed")
    ]
    exchanges = [
        sent(operation, response, status=status, request_body=json.dumps(body).encode())
        for body in bodies
        for response in (body, {"data": [body]}, [body])
        for status in ODD_STATUSES
    ]

    assert len(conclude(exchanges, load_assumptions())) == len(QUESTIONS)


class TestExplained:
    def test_paging_ignored_throughout_explains_its_requirements(self) -> None:
        """If every exchange ignores paging, the requirements on pages cannot be judged."""
        whole = page("batch_b", "batch_a", query={"limit": "1"})

        reasons = explained([whole])

        assert reasons["LIST-4"] == "it cannot be judged under list-paging: ignored"

    def test_paging_half_honoured_explains_nothing(self) -> None:
        """If one page honours its limit and another does not, the failure stands."""
        cut = page("batch_b", has_more=True, query={"limit": "1"})
        whole = page("batch_b", "batch_a", query={"limit": "1"})

        assert "LIST-4" not in explained([cut, whole])

    def test_limit_without_after_explains_nothing(self) -> None:
        """A service that honours `limit` and ignores `after` is not excused."""
        first = page("batch_b", has_more=True, query={"limit": "1"})
        again = page("batch_b", has_more=True, query={"limit": "1", "after": "batch_b"})

        assert "LIST-3" not in explained([first, again])

    def test_an_open_question_explains_what_cannot_be_told_without_it(self) -> None:
        """An empty page for `limit=0` does not show whether the service ignores `limit`."""
        empty = page(query={"limit": "0"})

        reasons = explained([empty])

        assert reasons["LIST-7"] == "it cannot be judged because no exchange answers list-paging"
        assert "LIST-3" not in reasons

    def test_an_alternative_that_is_ruled_out_explains_nothing(self) -> None:
        """A service that honours `limit`, capped or not, must refuse `limit=0`."""
        cut = page("batch_b", has_more=True, query={"limit": "1"})
        empty = page(query={"limit": "0"})

        assert "LIST-7" not in explained([cut, empty])
