"""Runs of the suite's core against every alternative of the open questions."""

from pathlib import Path
from random import Random
from typing import NamedTuple

import httpx
import pytest

from siliconflow_batch_conformance.checks.exchange import LIST_FILES, files
from siliconflow_batch_conformance.facts.assumptions import load_assumptions
from siliconflow_batch_conformance.facts.conclusions import (
    CONFIRMED,
    CONTRADICTED,
    REFUTED,
    Conclusion,
    conclude,
)
from siliconflow_batch_conformance.facts.sightings import successes
from siliconflow_batch_conformance.recordings import har
from siliconflow_batch_conformance.service import sender
from support.alternatives import MATRIX, SEEDS, combination, variants
from support.conformance_command import conformance_here

ASSUMPTIONS = load_assumptions()


class Row(NamedTuple):
    question: str
    alternative: str
    variant: str


ROWS = [
    Row(question.id, one.name, one.variant)
    for question in ASSUMPTIONS.questions.values()
    for one in question.alternatives
    if one.variant
]
# The simulator refuses invalid input files at once, so that no batch fails.
WITH: dict[str, list[str]] = {
    "errors-as-objects-in-batch": ["input-fails-late"],
    "errors-as-list-object": ["input-fails-late"],
}
NOT_SEEN_IN_A_RUN: dict[str, str] = MATRIX["not_seen_in_a_run"]
NOT_CONFIRMED_IN_A_RUN = {
    "late-response": "a response that comes too late is in no recording",
    "batch-errors": "no batch fails: invalid input files are refused",
    "result-expiry": "a run is shorter than an hour",
}
# These runs wait for the list or for responses; `make soak` has them.
SLOW = {"list-lags", "list-lags-a-minute", "slow-after"}
QUICK_SEEDS = [seed for seed in SEEDS if not SLOW & {*variants(seed)}][:1]
# `make test` has these rows, `make soak` all of them.
SAMPLE = Random(1).sample([row for row in ROWS if row.variant not in SLOW], 5)  # noqa: S311


def recorded(folder: Path, *variants: str) -> list[Conclusion]:
    """The conclusions from a recorded run against the variants; no `must` fails in the run."""
    file = folder / "run.har"
    faults = [argument for name in variants for argument in ("--fault", name)]
    # Lost responses leave much open; no other alternative does.
    options = ["--allow-inconclusive"] if "slow-after" in variants else []

    done = conformance_here("--core", *faults, *options, "--record", str(file))

    assert done.returncode == 0, done.stdout
    assert "[must]" not in done.stdout
    return conclude(har.read(file), ASSUMPTIONS)


def test_the_first_alternatives_are_confirmed(tmp_path: Path) -> None:
    """A run against the plain simulator confirms the first alternative of every question."""
    conclusions = recorded(tmp_path)

    confirmed = {one.question.id for one in conclusions if one.outcome == CONFIRMED}
    expected = ASSUMPTIONS.questions.keys() - NOT_CONFIRMED_IN_A_RUN.keys()
    lists = successes(har.read(tmp_path / "run.har"), LIST_FILES)
    times = [{file.get("created_at") for file in files(one).values()} for one in lists]
    if all(len(seconds) < 2 for seconds in times):
        expected -= {"files-order"}  # a list of files of one second does not show its order
    assert confirmed == expected
    assert not [one for one in conclusions if one.outcome in (REFUTED, CONTRADICTED)]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=[] if row in SAMPLE else pytest.mark.soak(only=True))
        for row in ROWS
        if row.variant not in SLOW
    ],
    ids=str,
)
def test_a_run_shows_the_alternative(row: Row, tmp_path: Path) -> None:
    """No `must` fails on an alternative, and `facts` names it with an exchange."""
    conclusions = recorded(tmp_path, *WITH.get(row.variant, ()), row.variant)

    one = next(one for one in conclusions if one.question.id == row.question)
    if row.variant in NOT_SEEN_IN_A_RUN:
        assert one.outcome not in (REFUTED, CONTRADICTED)
        return
    assert (one.outcome, one.alternatives) == (REFUTED, (row.alternative,))
    assert one.exchange is not None
    assert one.variant == row.variant


@pytest.mark.soak(only=True)
@pytest.mark.parametrize("variant", sorted(SLOW))
def test_no_must_fails_on_a_slow_alternative(
    variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that has to wait ends without a failed `must`, and contradicts nothing."""
    if variant == "slow-after":
        monkeypatch.setattr(sender, "TIMEOUT", httpx.Timeout(0.4))

    conclusions = recorded(tmp_path, variant)

    assert CONTRADICTED not in [one.outcome for one in conclusions]


@pytest.mark.parametrize(
    "seed",
    [pytest.param(n, marks=[] if n in QUICK_SEEDS else pytest.mark.soak(only=True)) for n in SEEDS],
)
def test_a_run_shows_a_combination(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No `must` fails on a combination, and `facts` names no alternative that it does not have."""
    monkeypatch.setattr(sender, "TIMEOUT", httpx.Timeout(5))

    conclusions = recorded(tmp_path, *variants(seed))

    shown = combination(seed)
    wrong = {
        one.question.id: one.alternatives
        for one in conclusions
        if one.outcome in (CONFIRMED, REFUTED)
        and shown[one.question.id]["name"] not in one.alternatives
    }
    assert wrong == {}
    assert CONTRADICTED not in [one.outcome for one in conclusions]


def test_the_exceptions_are_alternatives() -> None:
    """The tables above name variants and questions that exist."""
    known = {row.variant for row in ROWS}

    assert {*WITH, *NOT_SEEN_IN_A_RUN, *SLOW} <= known
    assert NOT_CONFIRMED_IN_A_RUN.keys() <= ASSUMPTIONS.questions.keys()


# Each breaks a promise that an alternative would explain, but not throughout.
HALF_ALTERNATIVES = {
    "after-ignored": "LIST-3",
    "limit-ignored": "LIST-4",
    "limit-plus-one": "LIST-4",
    "page-reversed": "LIST-3",
    "list-turns": "LIST-15",
    "errors-as-objects": "WIRE-5",
    "unauthorized-as-object": "AUTH-4",
    "window-ignored": "CREATE-5",
    "refusal-422": "WIRE-3",
    "unknown-invented": "RETRIEVE-2",
    "output-missing": "RESULT-5",
    "content-once": "CONTENT-3",
}


@pytest.mark.parametrize(
    ("fault", "requirement"),
    [
        pytest.param(*row, marks=[] if number % 4 == 0 else pytest.mark.soak(only=True))
        for number, row in enumerate(HALF_ALTERNATIVES.items())
    ],
    ids=HALF_ALTERNATIVES,
)
def test_a_broken_promise_is_no_alternative(fault: str, requirement: str) -> None:
    """A fault that resembles an alternative is still a failure."""
    done = conformance_here("--core", "--strict", "--fault", fault)

    assert done.returncode == 1, done.stdout
    assert f"\n{requirement}  " in f"\n{done.stdout}"
