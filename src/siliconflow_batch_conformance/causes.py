"""
Which failures are the consequence of another: they are blocked, and name it as their cause.

Rule 1: each finding is explained for itself, by a finding on the same exchange or on an object that
the exchange shows. A requirement with one finding that nothing explains is a failure of its own.
Rule 2: a response of another form (`FORM`) explains any finding on it. Apart from that a finding is
explained only by requirements that its own requirement needs.
Rule 3: a response of another shape (`SHAPES`) explains no finding that its status alone shows.
Rule 4: a generated request is explained by any failure of a written case on the same operation.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, evolve

from .checks import Check
from .checks.exchange import LIST_BATCHES, LIST_FILES, RESULT_FIELDS, Exchange, batches, files
from .observer import Finding
from .repro.plain import BY_STATUS
from .repro.story import extract
from .requirements import TIERS, Requirement
from .verdicts import BLOCKED, FAILS, Failure, Verdict

FORM = ("WIRE-4", "WIRE-1", "WIRE-3")  # each explains those after it
SHAPES = ("BATCH-1", "LIST-12", "UPLOAD-1", "FILES-4")
GENERATED = "SCHEMA-"
SEQUENCES = "sequences of operations"
LISTS = (LIST_BATCHES, LIST_FILES)


@define(frozen=True)
class Subject:
    """What one finding is about: whether a status shows it, the exchanges, and ids."""

    by_status: bool
    exchanges: frozenset[int]
    operations: frozenset[str]
    shown: frozenset[str]
    own: frozenset[str]


def with_causes(
    verdicts: Mapping[str, Verdict],
    catalogue: Mapping[str, Requirement],
    findings: Iterable[Finding],
) -> dict[str, Verdict]:
    """
    The verdicts, with each failure that others explain as blocked by them.

    The first failure of a requirement is one that nothing explains, with the exchanges that led to
    it instead of the whole run.
    """
    subjects = {
        id: [*map(_of_failure, verdict.failures)]
        for id, verdict in verdicts.items()
        if verdict.outcome == FAILS
    }
    for finding in findings:
        if finding.requirement in subjects:
            subjects[finding.requirement].append(_subject(finding.arguments, finding.check))
    result = dict(verdicts)
    for id, rows in subjects.items():
        explaining = [_explaining(catalogue[id], one, subjects) for one in rows]
        if all(explaining):
            causes = tuple(other for other in subjects if any(other in one for one in explaining))
            reason = f"the same responses violate {', '.join(causes)}"
            result[id] = evolve(verdicts[id], outcome=BLOCKED, reason=reason, causes=causes)
        else:
            failures = zip(explaining, verdicts[id].failures, strict=False)
            first = sorted(failures, key=lambda pair: bool(pair[0]))
            result[id] = evolve(verdicts[id], failures=[_with_short_story(one) for _, one in first])
    return result


def fundamental_first(ids: Iterable[str], catalogue: Mapping[str, Requirement]) -> list[str]:
    """The ids in an order: first what most other requirements need, then by tier."""
    depending = {id: _depending(id, catalogue) for id in catalogue}
    tiers = list(TIERS)

    def rank(id: str) -> tuple[int, int, int]:
        place = FORM.index(id) if id in FORM else len(FORM)
        return place, -len(depending[id]), tiers.index(catalogue[id].tier)

    return sorted(ids, key=rank)


def _depending(id: str, catalogue: Mapping[str, Requirement]) -> set[str]:
    """The requirements that need one, also through others."""
    found: set[str] = set()
    new = {id}
    while new:
        new = {row.id for row in catalogue.values() if new & {*row.needs}} - found
        found |= new
    return found


def _explaining(
    row: Requirement, subject: Subject, subjects: Mapping[str, list[Subject]]
) -> list[str]:
    """The failed requirements that explain one finding of another."""
    return [id for id in subjects if id != row.id and _explains(id, subjects[id], row, subject)]


def _explains(id: str, found: list[Subject], row: Requirement, subject: Subject) -> bool:
    if row.id.startswith(GENERATED):
        if id.startswith(GENERATED):
            return False
        operation = row.operation
        return operation == SEQUENCES or any(operation in one.operations for one in found)
    if id in FORM and row.id not in FORM[: FORM.index(id) + 1]:
        return any(subject.exchanges & one.exchanges for one in found)
    if id not in row.needs or (id in SHAPES and subject.by_status):
        return False
    return any(subject.exchanges & one.exchanges or subject.shown & one.own for one in found)


def _of_failure(failure: Failure) -> Subject:
    subject = _subject(failure.arguments, failure.check)
    return subject if subject.exchanges else _subject(failure.story[-1:], None)


def _subject(arguments: Iterable[Any], check: Check | None) -> Subject:
    exchanges = list(_exchanges(arguments))
    return Subject(
        check in BY_STATUS,
        frozenset(one.number for one in exchanges),
        frozenset(one.operation for one in exchanges),
        frozenset(id for one in exchanges for id in _shown(one)),
        frozenset(id for one in exchanges if one.operation not in LISTS for id in _own(one)),
    )


def _exchanges(value: Any) -> Iterator[Exchange]:
    if isinstance(value, Exchange):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _exchanges(one)


def _own(exchange: Exchange) -> Iterator[str]:
    """The ids of the objects that an exchange is about, and the result files of a batch."""
    yield from filter(None, (exchange.path_id,))
    yield from files(exchange)
    for id, batch in batches(exchange).items():
        yield id
        yield from (batch[name] for name in RESULT_FIELDS if isinstance(batch.get(name), str))


def _shown(exchange: Exchange) -> Iterator[str]:
    """The ids of all objects that an exchange names; a result file may have a URL instead."""
    yield exchange.path
    yield from _own(exchange)
    for named in (exchange.request_json, *batches(exchange).values()):
        if isinstance(id := named.get("input_file_id"), str):
            yield id


def _with_short_story(failure: Failure) -> Failure:
    """The failure with the exchanges that led to it, instead of the whole run."""
    if failure.check is None:
        return failure
    return evolve(failure, story=tuple(extract(failure).steps.values()))
