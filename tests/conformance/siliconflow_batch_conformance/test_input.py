"""Input files: what a batch is not made of."""

from typing import Any

import pytest

from .requirements import expect, requirement
from .target import Target, json_lines

ASSISTANT_LAST = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
UNKNOWN_ROLE = [{"role": "narrator", "content": "Once."}, {"role": "user", "content": "And?"}]


def not_accepted(target: Target, data: bytes, **fields: Any) -> None:
    """
    Nowhere on its way does the file make an answered line.

    The documents do not say where a file is refused: at the upload, at the creation, or by a batch
    that fails or answers the line in its error file.
    """
    uploaded = target.upload(data)
    if uploaded.status_code == 400:
        return
    created = target.create(uploaded.json()["data"]["id"], **fields)
    if created.status_code != 200:
        expect(created.status_code == 400, "400", f"{created.status_code} {created.text}")
        return
    *_, last = target.watch(created.json()["id"])
    answered = (last.get("request_counts") or {}).get("completed")
    fine = last["status"] == "failed" or (last["status"] == "completed" and not answered)
    expect(fine, "a refusal, a failed batch, or no answered line", last)


@requirement("INPUT-1")
def test_custom_id_twice(target: Target) -> None:
    """Results are told apart by custom_id; a file that repeats one is not run."""
    data = json_lines(target.line("same"), target.line("same"))
    uploaded = target.upload(data)
    if uploaded.status_code == 400:
        return

    created = target.create(uploaded.json()["data"]["id"])

    if created.status_code == 200:
        *_, last = target.watch(created.json()["id"])
        expect(last["status"] == "failed", "a refusal or a failed batch", last)


@requirement("INPUT-2")
def test_without_custom_id(target: Target) -> None:
    """A line needs a custom_id."""
    nameless = target.line()
    del nameless["custom_id"]

    not_accepted(target, json_lines(nameless))


@requirement("INPUT-3")
@pytest.mark.parametrize("messages", [None, []])
def test_without_messages(target: Target, messages: Any) -> None:
    """A line needs messages."""
    not_accepted(target, json_lines(target.line(messages=messages)))


@requirement("INPUT-4")
def test_assistant_last(target: Target) -> None:
    """The user has the last word."""
    not_accepted(target, json_lines(target.line(messages=ASSISTANT_LAST)))


@requirement("INPUT-5")
def test_unknown_role(target: Target) -> None:
    """Messages come from system, user or assistant."""
    not_accepted(target, json_lines(target.line(messages=UNKNOWN_ROLE)))


@requirement("INPUT-6")
def test_too_many_lines(target: Target) -> None:
    """A file has at most 5,000 lines."""
    lines = (target.line(f"line-{number}") for number in range(5_001))

    not_accepted(target, json_lines(*lines))


@requirement("INPUT-7")
def test_mixed_models(target: Target) -> None:
    """One batch is for one model, unless replace.model makes it one."""
    lines = [target.line("a"), target.line("b", model="deepseek-ai/DeepSeek-R1")]

    not_accepted(target, json_lines(*lines))


@requirement("INPUT-8")
def test_no_lines(target: Target) -> None:
    """An empty file makes no batch."""
    not_accepted(target, b"")


@requirement("INPUT-9")
@pytest.mark.parametrize("data", [b"not json\n", b"[]\n", b'{"custom_id": "a"\n', b"\xff\xfe\n"])
def test_not_json(target: Target, data: bytes) -> None:
    """Every line is a JSON object in UTF-8."""
    not_accepted(target, data)
