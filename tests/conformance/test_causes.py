"""Which failures block others: only those on the same responses and objects."""

import re
from pathlib import Path

import pytest

from siliconflow_batch_conformance.reports.terminal import report
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.verdicts import FAILS, Failure, Run, Verdict
from support.conformance_command import conformance_here

LEDGER = """
'*':
  - {requirement: WIRE-3, kind: deviation, reason: it says 422, evidence: here, expires: 2999-01-01}
"""


def core(*faults: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """The exit status and the output of the core against a simulator with faults."""
    arguments = [word for fault in faults for word in ("--fault", fault)]
    done = conformance_here("--core", *arguments, *options)
    return done.returncode, done.stdout


def failed(output: str) -> list[str]:
    """The failed requirements, as the summary orders them."""
    return re.findall(r"^  ([A-Z]+-\d+) +(?:must|should|hygiene) ", output, re.MULTILINE)


def blocked(output: str) -> dict[str, str]:
    """The blocked requirements, each with the reason."""
    rows = re.findall(r"^blocked: (.*)\n  (.*)", output, re.MULTILINE)
    return {id: reason for ids, reason in rows for id in ids.split(", ")}


def test_independent_defects_are_all_reported() -> None:
    """An undocumented status hides neither missing authentication nor wrong pages."""
    _, output = core("refusal-422", "any-key", "has-more-false")

    assert {"WIRE-3", "AUTH-1", "AUTH-5", "LIST-6"} <= {*failed(output)}, output


def test_the_same_response_is_not_blamed_twice() -> None:
    """A refusal with an undocumented status fails for the status alone."""
    _, output = core("refusal-422")

    assert failed(output) == ["WIRE-3"]
    assert blocked(output)["CREATE-8"] == "the same responses violate WIRE-3"


def test_another_shape_does_not_hide_a_status() -> None:
    """That a limit of 0 is accepted shows in the status, whatever the shape of the list."""
    _, output = core("files-flat", "files-limit-0-taken", "has-more-as-text", "limit-0-taken")

    assert {"FILES-4", "FILES-7", "LIST-12", "LIST-7"} <= {*failed(output)}, output


def test_a_ledger_entry_excuses_its_requirement_alone(tmp_path: Path) -> None:
    """What the excused failure blocked is a failure then."""
    ledger = tmp_path / "ledger.yaml"
    ledger.write_text(LEDGER)

    status, output = core("refusal-422", options=("--deviations", str(ledger)))

    assert status == 1
    assert {"CREATE-8", "CREATE-15"} <= {*failed(output)}
    assert "WIRE-3" not in failed(output)


def test_the_most_fundamental_defect_comes_first() -> None:
    """The first lines name what most other requirements need, in whatever order it was found."""
    _, output = core("value-number-taken", "has-more-false", "any-key", "json-key-twice")

    assert failed(output)[:2] == ["WIRE-1", "AUTH-1"], output


def test_a_failure_shows_what_nothing_else_explains() -> None:
    """AUTH-1 shows an accepted request before one with an undocumented status."""
    _, output = core("refusal-422", "any-key")

    (section,) = re.findall(r"^AUTH-1  .*?\n\n", output, re.MULTILINE | re.DOTALL)
    assert "actual:    200" in section


@pytest.mark.parametrize(("number", "left"), [(20, None), (23, "3 more failures in full")])
def test_the_first_twenty_failures_are_shown_in_full(number: int, left: str | None) -> None:
    """Every failure has its line; from the 21st on only that."""
    ids = [id for id in load() if id.startswith("CREATE")][:number]
    verdicts = {id: Verdict(id, FAILS, [Failure("case", "this", "that")]) for id in ids}
    output = "\n".join(report(Run("http://host/v1", 1, 0, 1, 9, verdicts), load(), 1))

    assert len(failed(output)) == number
    assert output.count("expected:  this") == 20
    assert (left in output) if left else ("more failures" not in output)
