"""The conclusions about the open questions as JSON and as text."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from ..checks.exchange import Exchange
from .conclusions import CONFIRMED, CONTRADICTED, NOT_SEEN, REFUTED, Conclusion

ENTRY = "contract/assumptions.yaml, question {!r}"


def as_json(conclusions: list[Conclusion], source: str) -> dict[str, Any]:
    """
    The facts of one source of traffic, a file or a base URL.

    `variants` are the simulator's variants that show the alternatives that were seen; `simulate
    --facts` reads them.
    """
    return {
        "source": source,
        "variants": [one.variant for one in conclusions if one.variant],
        "facts": [_fact(one) for one in conclusions],
    }


def _fact(one: Conclusion) -> dict[str, Any]:
    return {
        "id": one.question.id,
        "question": one.question.question,
        "outcome": one.outcome,
        "alternatives": [*one.alternatives],
        "shown_by": _reference(one.exchange),
        "contradicted_by": _reference(one.contradicted_by),
        "reason": one.reason,
        "change": _change(one),
    }


def _reference(exchange: Exchange | None) -> dict[str, Any] | None:
    if exchange is None:
        return None
    return {
        "number": exchange.number,
        "method": exchange.method,
        "path": _path(exchange),
        "status": exchange.status,
    }


def _change(one: Conclusion) -> str:
    """The entry to change; empty where the first alternative was not refuted."""
    if one.outcome != REFUTED:
        return ""
    return f"{ENTRY.format(one.question.id)}: put {' or '.join(one.alternatives)} first"


def as_text(conclusions: list[Conclusion]) -> Iterator[str]:
    """A table with a line for each question, then the entries to change and the totals."""
    rows = [(one.question.id, one.outcome, *_columns(one)) for one in conclusions]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for id, outcome, alternative, evidence in rows:
        cells = (id, outcome, alternative)
        padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"{padded}  {evidence}".rstrip()
    if changes := [change for change in map(_change, conclusions) if change]:
        yield ""
        yield "to change:"
        yield from (f"  {change}" for change in changes)
    yield ""
    yield totals(conclusions)


def totals(conclusions: list[Conclusion]) -> str:
    numbers = Counter(one.outcome for one in conclusions)
    outcomes = (CONFIRMED, REFUTED, CONTRADICTED, NOT_SEEN)
    counts = ", ".join(f"{numbers[outcome]} {outcome}" for outcome in outcomes)
    return f"{len(conclusions)} questions: {counts}"


def _columns(one: Conclusion) -> tuple[str, str]:
    """The alternative, and what shows it."""
    if one.outcome == CONTRADICTED:
        first, second = map(_described, (one.exchange, one.contradicted_by))
        return " and ".join(one.alternatives), f"{first}; {second}"
    if one.outcome == NOT_SEEN:
        return "", one.reason
    return " or ".join(one.alternatives), _described(one.exchange)


def _described(exchange: Exchange | None) -> str:
    if exchange is None:
        return ""
    path = _path(exchange)
    return f"exchange {exchange.number}: {exchange.method} {path} ({exchange.status})"


def _path(exchange: Exchange) -> str:
    query = f"?{urlencode(exchange.query)}" if exchange.query else ""
    # A download URL may be signed; its query is not needed to find the exchange.
    return exchange.path.partition("?")[0][:100] + query
