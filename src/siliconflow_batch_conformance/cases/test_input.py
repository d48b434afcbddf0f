"""Input files: what a batch is not made of."""

from typing import Any

import httpx
import pytest

from ..checks import bad_inputs
from ..checks.exchange import the_batch
from ..requirements import requirement
from ..service.target import Target, accepted, id_of, id_of_upload, json_lines
from .conftest import Expect

ASSISTANT_LAST = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
UNKNOWN_ROLE = [{"role": "narrator", "content": "Once."}, {"role": "user", "content": "And?"}]


def sent(target: Target, data: bytes, **fields: Any) -> list[Any]:
    """
    The answers on the way of a file that must not be run, to the last that there is.

    The documents do not say where a file is refused: at the upload, at the creation, or by a batch
    that fails or answers the line in its error file.
    """
    target.require_batch()
    uploaded = target.upload(data)
    if uploaded.status != httpx.codes.OK:
        return [uploaded]
    created = target.create(id_of_upload(uploaded), **fields)
    if created.status != httpx.codes.OK:
        return [uploaded, created]
    accepted(created)
    *_, last = created, *target.watch(id_of(created))
    if the_batch(last).get("status") == "failed":
        target.cancel(id_of(created))  # it has ended: the observer judges the refusal
    return [uploaded, created, target.settled(last)]


@requirement("INPUT-1")
def test_custom_id_twice(target: Target, expect: Expect) -> None:
    """Results are told apart by custom_id; a file that repeats one is not run."""
    expect(bad_inputs.is_refused_whole, sent(target, json_lines(*[target.line("same")] * 2)))


@requirement("INPUT-2")
def test_without_custom_id(target: Target, expect: Expect) -> None:
    """A line needs a custom_id."""
    nameless = target.line()
    del nameless["custom_id"]

    expect(bad_inputs.is_counted_as_failed, sent(target, json_lines(target.line(), nameless)))


@requirement("INPUT-3")
@pytest.mark.parametrize("messages", [None, []])
def test_without_messages(target: Target, messages: Any, expect: Expect) -> None:
    """A line needs messages."""
    wrong = target.line("wrong", messages=messages)

    expect(bad_inputs.is_counted_as_failed, sent(target, json_lines(target.line(), wrong)))


@requirement("INPUT-4")
def test_assistant_last(target: Target, expect: Expect) -> None:
    """The user has the last word."""
    expect(
        bad_inputs.is_not_answered, sent(target, json_lines(target.line(messages=ASSISTANT_LAST)))
    )


@requirement("INPUT-5")
def test_unknown_role(target: Target, expect: Expect) -> None:
    """Messages come from system, user or assistant."""
    expect(bad_inputs.is_not_answered, sent(target, json_lines(target.line(messages=UNKNOWN_ROLE))))


@requirement("INPUT-6")
def test_too_many_lines(target: Target, expect: Expect) -> None:
    """A file has at most 5,000 lines."""
    lines = (target.line(f"line-{number}") for number in range(5_001))

    expect(bad_inputs.is_not_answered, sent(target, json_lines(*lines)))


@requirement("INPUT-7")
def test_mixed_models(target: Target, expect: Expect) -> None:
    """One batch is for one model, unless replace.model makes it one."""
    lines = [target.line("a"), target.line("b", model="deepseek-ai/DeepSeek-R1")]

    expect(bad_inputs.is_not_answered, sent(target, json_lines(*lines)))


@requirement("INPUT-8")
def test_no_lines(target: Target, expect: Expect) -> None:
    """An empty file makes no batch."""
    expect(bad_inputs.is_refused_whole, sent(target, b""))


@requirement("INPUT-9")
@pytest.mark.parametrize("data", [b"[]\n", b'{"custom_id": "a"\n', b"\xff\xfe\n"])
def test_not_json(target: Target, data: bytes, expect: Expect) -> None:
    """Every line is a JSON object in UTF-8."""
    expect(bad_inputs.is_counted_as_failed, sent(target, json_lines(target.line()) + data))


@requirement("INPUT-10")
def test_as_many_lines_as_may_be(target: Target, expect: Expect) -> None:
    """5,000 lines are taken."""
    lines = [target.line(f"line-{number}") for number in range(5_000)]

    expect(bad_inputs.is_taken, target.create(target.input_file(*lines)))


@requirement("INPUT-11")
def test_short_lines(target: Target, expect: Expect) -> None:
    """A line needs no method and no url."""
    short = target.line()
    del short["method"], short["url"]

    expect(bad_inputs.is_taken, target.create(target.input_file(short)))
