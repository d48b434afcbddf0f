"""The result files of a completed batch: two lines answered, one failed."""

from typing import Any

import pytest

from .requirements import expect, requirement
from .rig import Rig

Record = dict[str, Any]


@pytest.fixture(scope="module")
def outputs(rig: Rig, completed: dict[str, Any]) -> list[Record]:
    reference = completed.get("output_file_id")
    return rig.target.download(reference) if reference else []


@pytest.fixture(scope="module")
def errors(rig: Rig, completed: dict[str, Any]) -> list[Record]:
    reference = completed.get("error_file_id")
    return rig.target.download(reference) if reference else []


@requirement("RESULT-5")
def test_output_named(completed: dict[str, Any]) -> None:
    """Answers can be fetched."""
    named = completed.get("output_file_id")

    expect(isinstance(named, str) and bool(named), "an output_file_id", named)


@requirement("RESULT-1")
def test_every_line_once(outputs: list[Record], errors: list[Record]) -> None:
    """No line is lost and none is answered twice."""
    found = sorted(record["custom_id"] for record in [*outputs, *errors])

    expect(found == ["bad-1", "good-1", "good-2"], "each custom_id once", found)


@requirement("RESULT-2")
def test_right_file(outputs: list[Record], errors: list[Record]) -> None:
    """Who looks for failures finds them in the error file, and only there."""
    answered = {record["custom_id"] for record in outputs}
    failed = {record["custom_id"] for record in errors}

    expect("bad-1" not in answered, "no failure in the output file", answered)
    expect(not failed & {"good-1", "good-2"}, "no success in the error file", failed)


@requirement("RESULT-3")
def test_replaced_model(rig: Rig, outputs: list[Record]) -> None:
    """The model of replace answered, not the one that the lines name."""
    models = {record["response"]["body"]["model"] for record in outputs}

    expect(models <= {rig.other_model}, f"{rig.other_model} alone", models)


@requirement("RESULT-4")
def test_chat_completion(outputs: list[Record]) -> None:
    """An answer is there to be read: status 200, an object, a message of the assistant."""
    for record in outputs:
        response = record.get("response") or {}
        body: Any = response.get("body")
        expect(response.get("status_code") == 200, "status_code 200", record)
        expect(isinstance(body, dict), "a body that is an object", repr(body))
        message = body["choices"][0]["message"]
        said = (message.get("role"), type(message.get("content")).__name__)
        expect(said == ("assistant", "str"), "a string from the assistant", said)
