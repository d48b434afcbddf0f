"""
Reports for a pull request or a job's summary: the failures first, in a few lines.

Rule: what a service said stands in a code span, where no markup, link or mention is read.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ..requirements import Requirement
from ..verdicts import Run
from .matrix import Cell, Row, labels, rows, tally
from .outcomes import outcome
from .records import RunRecord, records
from .texts import in_one_line

LONG = 50  # rows of the table of failures
WIDE = 160  # characters of a cell
MARKUP = re.compile(r"([\\`*_\[\]<>&|~#!$])")


def as_markdown(
    runs: Sequence[Run | RunRecord],
    catalogue: Mapping[str, Requirement],
    previous: Sequence[Run | RunRecord] | None = None,
    *,
    secrets: tuple[str, ...] = (),
) -> str:
    kept = records(runs, secrets)
    table = rows(kept, catalogue, records(previous or (), secrets))
    lines = ["## SiliconFlow Batch API: conformance", ""]
    lines += _table(
        ("Target", "Verdicts", "Seed", "When", "Seconds", "Requests"),
        [_target(run, [row.cells[n] for row in table]) for n, run in enumerate(kept)],
    )
    failing = sorted(
        ((row, cell) for row in table for cell in row.cells if cell.fails),
        key=lambda pair: pair[0].order,
    )
    lines += ["", "### What fails" if failing else "Nothing fails.", ""]
    if failing:
        many = len(set(labels(kept))) > 1
        headings = ("Requirement", "Tier", "Outcome", *(["Target"] if many else []))
        found = [_failure(row, cell, many=many) for row, cell in failing[:LONG]]
        lines += _table((*headings, "Documents say", "Expected", "Actual"), found)
    if len(failing) > LONG:
        lines += ["", f"… and {len(failing) - LONG} more; report.html has them all."]
    errors = [error for run in kept for error in run.errors]
    if errors:
        lines += ["", f"Errors of the rig: {len(errors)}; the first: {code(errors[0])}"]
    return "\n".join(lines).rstrip() + "\n"


def _target(run: RunRecord, cells: list[Cell]) -> tuple[str, ...]:
    counts = ", ".join(f"{n} {plain(outcome(word).does)}" for word, n in tally(cells).items())
    when = datetime.fromtimestamp(run.began, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return code(run.target), counts, str(run.seed), when, f"{run.seconds:.1f}", f"{run.requests:,}"


def _failure(row: Row, cell: Cell, *, many: bool) -> tuple[str, ...]:
    verdict, says = cell.verdict, row.sentence
    word = plain(verdict.outcome) + (" (new)" if cell.change == "new failure" else "")
    target = (code(cell.label),) if many else ()
    first = verdict.failures[0] if verdict.failures else None
    expected = code(first.expected) if first else ""
    actual = code(first.actual if first else verdict.reason)
    more = len(verdict.failures) - 1 + verdict.left_out
    if more > 0:
        actual += f" and {more} more"
    return (f"**{plain(says.id)}**", says.tier, word, *target, plain(says.says), expected, actual)


def _table(headings: Sequence[str], found: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *found]
    return ["| " + " | ".join(line) + " |" for line in lines]


def plain(text: str) -> str:
    """Text in which nothing is markup."""
    return MARKUP.sub(r"\\\1", in_one_line(text, WIDE))


def code(text: str) -> str:
    """A code span for a cell: fenced with more backticks than it holds, its pipes escaped."""
    line = in_one_line(text, WIDE)
    if not line:
        return ""
    # A backslash before a pipe would undo the pipe's own.
    line = re.sub(r"(\\*)\|", lambda found: found[1] * 2 + r"\|", line)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    blank = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{blank}{line}{blank}{fence}"
