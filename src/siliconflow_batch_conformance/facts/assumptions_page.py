"""
Writes the page `docs/assumptions.md`; `make assumptions` runs it.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from .assumptions import Assumptions, Choice, Question, load_assumptions

PAGE = Path("docs/assumptions.md")
MATRIX = Path("contract/matrix.yaml")
INTRODUCTION = """\
# Assumptions

What the documents leave open. Nobody here can reach the live service, so nothing on this page was
seen there. Written by `make assumptions` from
[contract/assumptions.yaml](../contract/assumptions.yaml).

- [Open questions](#open-questions): what only the service can answer. The first alternative of each
  is the simulator's default; the others are variants (`siliconflow-batch simulate --variant NAME`).
- [The matrix](#the-matrix): how the client, the suite and `facts` cope with each alternative.
- [Choices](#choices): what this project decided where the documents say nothing.

A recording of real traffic answers the questions: `siliconflow-batch facts --har FILE`, see
[the first thing to do with a key](first-key.md).
"""


MATRIX_INTRODUCTION = """\
## The matrix

Written from [contract/matrix.yaml](../contract/matrix.yaml). The tests run every row: a row that
ends otherwise fails, also one that is recorded as failing and is right.

- **client**: the whole flow with a lost response to the creation: upload, create, wait, results,
  list, cancel. It is right, ends with a documented exception or warning, or fails.
- **suite**: no `must` fails in a run of the core against the alternative.
- **facts**: the alternative is named from the recorded run.
"""


def as_markdown(assumptions: Assumptions, matrix: dict[str, Any]) -> str:
    lines = [INTRODUCTION, "## Open questions", ""]
    lines += [f"- [{row.id}](#{row.id}): {row.question}" for row in assumptions.questions.values()]
    for question in assumptions.questions.values():
        lines += ["", *_section(question)]
    lines += ["", MATRIX_INTRODUCTION, *_matrix(assumptions, matrix), "", "## Choices"]
    choices = assumptions.choices.values()
    for area, rows in groupby(choices, lambda choice: choice.area):
        lines += ["", f"### {area}", ""]
        lines += ["| the documents do not say | chosen | why | where |", "|---|---|---|---|"]
        lines += map(_choice, rows)
    return "\n".join(lines) + "\n"


def _section(question: Question) -> Iterator[str]:
    yield f"### {question.id}"
    yield ""
    yield question.question
    yield ""
    yield "| alternative | meaning | variant | not judged under it |"
    yield "|---|---|---|---|"
    for one in question.alternatives:
        variant = f"`{one.variant}`" if one.variant else "the default"
        yield f"| {one.name} | {one.means} | {variant} | {', '.join(one.not_judged)} |"
    yield ""
    yield f"- **Why {question.chosen.name}:** {question.why}"
    if question.sources:
        yield f"- **Sources:** {', '.join(question.sources)} ([letters](corrections.md#sources))"
    if question.requirements:
        requirements = ", ".join(question.requirements)
        yield f"- **Requirements:** {requirements} ([list](requirements.md))"
    if question.judged_if_answered:
        requirements = ", ".join(question.judged_if_answered)
        yield f"- **Judged only if the run answers the question:** {requirements}"
    yield f"- **The client:** {question.client}"


def _matrix(assumptions: Assumptions, matrix: dict[str, Any]) -> Iterator[str]:
    yield "| question | alternative | client | suite | facts |"
    yield "|---|---|---|---|---|"
    for question in assumptions.questions.values():
        for one in question.alternatives:
            client = matrix["alternatives"][question.id][one.name]["client"]
            facts = matrix["not_seen_in_a_run"].get(one.variant, "named")
            yield f"| {question.id} | {one.name} | {client} | no `must` fails | {facts} |"
    yield ""
    yield "| combination, by its seed | client | suite | facts |"
    yield "|---|---|---|---|"
    for seed, row in matrix["combinations"].items():
        yield f"| {seed} | {row['client']} | no `must` fails | no other alternative is named |"


def _choice(choice: Choice) -> str:
    package, *_, module = choice.where.split("/")
    link = f"[{package}/…/{module}](../src/{choice.where})"
    return f"| {choice.what} | {choice.chosen} | {choice.why} | {link} |"


if __name__ == "__main__":
    matrix = yaml.safe_load(MATRIX.read_text(encoding="utf-8"))
    PAGE.write_text(as_markdown(load_assumptions(), matrix), encoding="utf-8")
