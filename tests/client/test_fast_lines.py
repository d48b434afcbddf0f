"""The fast check of an input line."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from siliconflow_batch import check
from siliconflow_batch.input_files import fast_lines
from support.account import json_lines, line

USER = {"role": "user", "content": "Hi"}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "m", 0, 1, True, [], {}, ["user"], 1e400, "\ud83d", "é\u2028"]
)
MESSAGES = st.lists(st.one_of(st.just(USER), ODD), max_size=2)
BODY = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.one_of(MESSAGES, ODD)},
    optional=dict.fromkeys(("stream", "thinking_budget", "n", "x"), ODD),
)
REQUEST = st.fixed_dictionaries(
    {"custom_id": st.one_of(st.just("b"), ODD), "body": st.one_of(BODY, ODD)},
    optional=dict.fromkeys(("method", "url", "x"), ODD),
)
EXTRA = st.sampled_from([b"", b'"body": 1,', b'"custom_id": "b",', b"\xff", b" "])


def reasons(data: bytes, number: int) -> list[str]:
    return [
        f"{fault.field}: {fault.reason}" for fault in check(data, model="m") if fault.line == number
    ]


@given(REQUEST, EXTRA)
@settings(max_examples=500, deadline=None)
def test_no_fault_passes_the_fast_check(request: Any, extra: bytes) -> None:
    """A second line, which gets the fast check, has the same faults as a first line."""
    raw = b"{" + extra + json.dumps(request).encode()[1:] + b"\n"

    assert reasons(json_lines(line("a")) + raw, 2) == reasons(raw, 1)


def test_a_common_line_passes() -> None:
    """A line with common parameters needs no full check."""
    assert (
        fast_lines.read(json_lines(line("a", temperature=0.5, seed=2**70, top_k=None))) is not None
    )
