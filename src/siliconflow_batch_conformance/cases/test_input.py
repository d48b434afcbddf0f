"""Input files: what a service accepts, and what it must not run."""

from typing import Any

import pytest

from ..checks import bad_inputs, shapes
from ..checks.exchange import Exchange, the_batch
from ..requirements import requirement
from ..service.target import Target, accepted, id_of, id_of_upload, json_lines
from .conftest import Checker

ASSISTANT_LAST = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
UNKNOWN_ROLE = [{"role": "narrator", "content": "Once."}, {"role": "user", "content": "And?"}]


def run_input(target: Target, content: bytes, **fields: Any) -> list[Exchange]:
    """
    Uploads a file, creates a batch from it and waits; returns the responses up to a refusal.

    The documents do not say where a file is refused: at the upload, at the creation, by a batch
    that fails, or in the error file.
    """
    target.require_batch()
    uploaded = target.upload(content)
    if not uploaded.succeeded:
        return [uploaded]
    created = target.create(id_of_upload(uploaded), **fields)
    if not created.succeeded:
        return [uploaded, created]
    accepted(created)
    *_, last = created, *target.watch(id_of(created))
    if the_batch(last).get("status") == "failed":
        target.cancel(id_of(created))  # the observer judges the refusal: the batch is finished
    return [uploaded, created, target.settled(last)]


@requirement("INPUT-1")
def test_custom_id_twice(target: Target, check: Checker) -> None:
    """A file with a repeated custom_id is not run."""
    check(bad_inputs.batch_is_rejected, run_input(target, json_lines(*[target.line("same")] * 2)))


@requirement("INPUT-2")
def test_without_custom_id(target: Target, check: Checker) -> None:
    """A line without a custom_id is not run."""
    without_id = target.line()
    del without_id["custom_id"]

    check(
        bad_inputs.line_is_counted_as_failed,
        run_input(target, json_lines(target.line(), without_id)),
    )


@requirement("INPUT-3")
@pytest.mark.parametrize("messages", [None, []])
def test_without_messages(target: Target, messages: Any, check: Checker) -> None:
    """A line without messages is not run."""
    wrong = target.line("wrong", messages=messages)

    check(bad_inputs.line_is_counted_as_failed, run_input(target, json_lines(target.line(), wrong)))


@requirement("INPUT-4")
def test_assistant_last(target: Target, check: Checker) -> None:
    """A line whose last message is not from the user is not run."""
    check(
        bad_inputs.has_no_successful_line,
        run_input(target, json_lines(target.line(messages=ASSISTANT_LAST))),
    )


@requirement("INPUT-5")
def test_unknown_role(target: Target, check: Checker) -> None:
    """A line with an unknown role is not run."""
    check(
        bad_inputs.has_no_successful_line,
        run_input(target, json_lines(target.line(messages=UNKNOWN_ROLE))),
    )


@requirement("INPUT-6")
def test_too_many_lines(target: Target, check: Checker) -> None:
    """A file of 5,001 lines is not run."""
    lines = (target.line(f"line-{number}") for number in range(5_001))

    check(bad_inputs.has_no_successful_line, run_input(target, json_lines(*lines)))


@requirement("INPUT-7")
def test_mixed_models(target: Target, check: Checker) -> None:
    """A file with several models is not run without replace.model."""
    lines = [target.line("a"), target.line("b", model="deepseek-ai/DeepSeek-R1")]

    check(bad_inputs.has_no_successful_line, run_input(target, json_lines(*lines)))


@requirement("INPUT-8")
def test_no_lines(target: Target, check: Checker) -> None:
    """An empty file is refused."""
    check(bad_inputs.batch_is_rejected, run_input(target, b""))


@requirement("INPUT-9")
@pytest.mark.parametrize("content", [b"[]\n", b'{"custom_id": "a"\n', b"\xff\xfe\n"])
def test_not_json(target: Target, content: bytes, check: Checker) -> None:
    """A line that is not a JSON object in UTF-8 is not run."""
    check(
        bad_inputs.line_is_counted_as_failed, run_input(target, json_lines(target.line()) + content)
    )


@requirement("INPUT-10")
def test_most_lines(target: Target, check: Checker) -> None:
    """A file of 5,000 lines is accepted."""
    lines = [target.line(f"line-{number}") for number in range(5_000)]

    check(shapes.is_accepted, target.create(target.input_file(*lines)))


@requirement("INPUT-12")
def test_streamed_lines(target: Target, check: Checker) -> None:
    """A line with `"stream": true` is accepted, as in the guide's examples."""
    check(shapes.is_accepted, target.create(target.input_file(target.line(stream=True))))


@requirement("INPUT-11")
def test_short_lines(target: Target, check: Checker) -> None:
    """A line without method and url is accepted."""
    short = target.line()
    del short["method"], short["url"]

    check(shapes.is_accepted, target.create(target.input_file(short)))
