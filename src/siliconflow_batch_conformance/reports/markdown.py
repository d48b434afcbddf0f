"""
The report as Markdown, for a pull request or a job summary: a table of the failures.

Rule: text from a service is in code spans, so that it contains no markup, links or mentions.
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

LONG = 50  # failures in the table
WIDE = 160  # characters in a cell
MARKUP = re.compile(r"([\\`*_\[\]<>&|~#!$])")


def as_markdown(
    runs: Sequence[Run | RunRecord],
    catalogue: Mapping[str, Requirement],
    previous: Sequence[Run | RunRecord] | None = None,
    *,
    secrets: tuple[str, ...] = (),
) -> str:
    current = records(runs, secrets)
    table = rows(current, catalogue, records(previous or (), secrets))
    lines = ["## SiliconFlow Batch API: conformance", ""]
    lines += _table(
        ("Target", "Verdicts", "Seed", "When", "Seconds", "Requests"),
        [_target(run, [row.cells[n] for row in table]) for n, run in enumerate(current)],
    )
    failing = sorted(
        ((row, cell) for row in table for cell in row.cells if cell.fails),
        key=lambda pair: pair[0].order,
    )
    lines += ["", "### Failures" if failing else "No failures.", ""]
    if failing:
        many = len(set(labels(current))) > 1
        headings = ("Requirement", "Tier", "Outcome", *(["Target"] if many else []))
        table_rows = [_failure(row, cell, many=many) for row, cell in failing[:LONG]]
        lines += _table((*headings, "Requirement text", "Expected", "Actual"), table_rows)
    if len(failing) > LONG:
        lines += ["", f"… and {len(failing) - LONG} more; report.html shows all."]
    errors = [error for run in current for error in run.errors]
    if errors:
        lines += ["", f"Errors of the suite: {len(errors)}; the first: {code_span(errors[0])}"]
    return "\n".join(lines).rstrip() + "\n"


def _target(run: RunRecord, cells: list[Cell]) -> tuple[str, ...]:
    counts = ", ".join(f"{n} {plain(outcome(name).does)}" for name, n in tally(cells).items())
    when = datetime.fromtimestamp(run.began, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        code_span(run.target),
        counts,
        str(run.seed),
        when,
        f"{run.seconds:.1f}",
        f"{run.requests:,}",
    )


def _failure(row: Row, cell: Cell, *, many: bool) -> tuple[str, ...]:
    verdict, requirement = cell.verdict, row.requirement
    name = plain(verdict.outcome) + (" (new)" if cell.change == "new failure" else "")
    target = (code_span(cell.label),) if many else ()
    first = verdict.failures[0] if verdict.failures else None
    expected = code_span(first.expected) if first else ""
    actual = code_span(first.actual if first else verdict.reason)
    more = len(verdict.failures) - 1 + verdict.left_out
    if more > 0:
        actual += f" and {more} more"
    columns = (requirement.tier, name, *target, plain(requirement.says), expected, actual)
    return (f"**{plain(requirement.id)}**", *columns)


def _table(headings: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *body]
    return ["| " + " | ".join(line) + " |" for line in lines]


def plain(text: str) -> str:
    """Text with all markup escaped."""
    return MARKUP.sub(r"\\\1", in_one_line(text, WIDE))


def code_span(text: str) -> str:
    """A code span for a table cell, with pipes escaped and enough backticks around it."""
    line = in_one_line(text, WIDE)
    if not line:
        return ""
    # Backslashes before a pipe are doubled, or they would escape its escape.
    line = re.sub(r"(\\*)\|", lambda match: match[1] * 2 + r"\|", line)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    blank = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{blank}{line}{blank}{fence}"
