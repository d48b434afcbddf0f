"""
The report as JUnit XML: a test suite for each target, a test case for each requirement.

Rule 1: a test case fails exactly if it makes the exit status 1; a failed `should` or `hygiene` is
skipped without --strict, as are known deviations and what was not judged, each with its reason.
Rule 2: the elements and attributes are those of the schema of Jenkins' xUnit plugin, junit-10.xsd.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from ..exit_status import is_fatal
from ..requirements import Requirement
from ..verdicts import FAILS, Run
from .matrix import Cell, Row, rows
from .outcomes import ERROR, EXCUSED, FAILURE, GOOD, OPEN, outcome
from .records import RunRecord, records
from .texts import in_one_line, xml

ELEMENT = {FAILURE: "failure", ERROR: "error", OPEN: "skipped", EXCUSED: "skipped", GOOD: ""}
COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def as_junit(
    runs: Sequence[Run | RunRecord],
    catalogue: Mapping[str, Requirement],
    *,
    secrets: tuple[str, ...] = (),
    strict: bool = False,
) -> str:
    current = records(runs, secrets)
    table = rows(current, catalogue)
    root = ET.Element("testsuites", name="SiliconFlow Batch API conformance")
    for number, run in enumerate(current):
        root.append(_suite(run, [(row, row.cells[number]) for row in table], strict=strict))
    _count(root, ("failures", "errors"))
    root.set("time", f"{sum(run.seconds for run in current):.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _suite(run: RunRecord, cases: list[tuple[Row, Cell]], *, strict: bool) -> ET.Element:
    began = datetime.fromtimestamp(run.began, UTC)
    suite = ET.Element("testsuite", name=xml(run.target))
    properties = ET.SubElement(suite, "properties")
    for name, value in (("seed", run.seed), ("requests", run.requests)):
        ET.SubElement(properties, "property", name=name, value=str(value))
    for row, cell in cases:
        suite.append(_case(row, cell, strict=strict))
    if run.errors:
        case = ET.SubElement(suite, "testcase", classname="rig", name="the run itself", time="0")
        message = xml(in_one_line(run.errors[0], 200))
        ET.SubElement(case, "error", message=message, type="rig").text = xml(
            "\n\n".join(run.errors)
        )
    _count(suite, COUNTED)
    suite.set("time", f"{run.seconds:.3f}")
    suite.set("timestamp", began.strftime("%Y-%m-%dT%H:%M:%S"))
    return suite


def _case(row: Row, cell: Cell, *, strict: bool) -> ET.Element:
    verdict, requirement = cell.verdict, row.requirement
    name = xml(f"{requirement.id} {requirement.says}")
    case = ET.Element("testcase", classname=xml(requirement.family), name=name, time="0")
    tag = ELEMENT[outcome(verdict.outcome).kind]
    is_caused = bool(verdict.failures)
    if is_fatal(verdict.outcome, is_caused, requirement.tier, strict=strict):
        tag = "failure"
    elif tag == "failure":
        tag = "skipped"
    if tag:
        actual = verdict.failures[0].actual if verdict.failures else ""
        why = verdict.reason or actual or outcome(verdict.outcome).meaning
        is_plain = tag == "failure" and verdict.outcome == FAILS
        message = why if is_plain else f"{verdict.outcome}: {why}"
        kind = f"{requirement.tier} {verdict.outcome}".strip()
        element = ET.SubElement(case, tag, message=xml(in_one_line(message, 300)), type=kind)
        element.text = xml(_text(row, cell))
    return case


def _text(row: Row, cell: Cell) -> str:
    requirement, verdict = row.requirement, cell.verdict
    lines = [
        f"{requirement.id}  {requirement.operation}: {requirement.says}  [{requirement.tier}]",
        f"  docs:      {requirement.provenance}",
    ]
    if verdict.reason:
        lines.append(f"  reason:    {verdict.reason}")
    for failure in verdict.failures:
        lines += [f"  case:      {failure.case}", f"  expected:  {failure.expected}"]
        lines.append(f"  actual:    {failure.actual}")
    if verdict.left_out:
        lines.append(f"  more:      {verdict.left_out} more cases fail")
    return "\n".join(lines)


def _count(element: ET.Element, names: Iterable[str]) -> None:
    """Sets the attributes with the number of tests, and of what `names` names."""
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    for name in names:
        element.set(name, str(sum(1 for _ in element.iter(COUNTED[name]))))
