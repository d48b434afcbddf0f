"""
The report as one page that needs no network: requirements by targets, every cell opens.

Rule 1: all text is escaped by the template; style and script are the only markup from elsewhere,
and the page's own policy lets nothing else run or load.
Rule 2: the page stays under LIMIT: the wire logs give way first, and the page says so.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from attrs import define
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..requirements import Requirement
from ..verdicts import Run
from .matrix import Cell, Row, families, labels, rows, tally
from .outcomes import OUTCOMES, TIERS, outcome
from .records import ExchangeRecord, FailureRecord, RunRecord, records
from .redaction import redacted
from .texts import cut, visible

TEMPLATES = Path(__file__).with_name("templates")
LIMIT = 500_000  # bytes


@define(frozen=True)
class Detail:
    """How much of a failure is told: failures and exchanges in number, texts in characters."""

    failures: int
    exchanges: int
    body: int
    text: int
    script: int

    def failures_of(self, cell: Cell) -> list[FailureRecord]:
        return cell.verdict.failures[: self.failures]

    def story(self, failure: FailureRecord) -> list[ExchangeRecord]:
        """The judged exchanges and the latest, in their order."""
        places = range(len(failure.story))
        best = sorted(places, key=lambda place: (failure.story[place].judged, place))
        kept = set(best[len(best) - self.exchanges :]) if self.exchanges < len(best) else places
        return [failure.story[place] for place in places if place in kept]


# From everything that is known down to what fits with some 400 failures.
DETAILS = (
    Detail(failures=5, exchanges=60, body=4200, text=8200, script=40_000),
    Detail(failures=3, exchanges=20, body=1500, text=2000, script=16_000),
    Detail(failures=3, exchanges=12, body=800, text=1200, script=8_000),
    Detail(failures=2, exchanges=8, body=400, text=800, script=0),
    Detail(failures=2, exchanges=5, body=240, text=500, script=0),
    Detail(failures=1, exchanges=3, body=160, text=300, script=0),
    Detail(failures=1, exchanges=2, body=80, text=160, script=0),
    Detail(failures=1, exchanges=2, body=0, text=120, script=0),
    Detail(failures=1, exchanges=0, body=0, text=80, script=0),
)


@define(frozen=True)
class TargetCard:
    """What stands above the matrix for each target."""

    label: str
    run: RunRecord
    when: str
    counts: dict[str, int]
    failing: dict[str, int]
    changes: dict[str, int]


def as_html(
    runs: Sequence[Run | RunRecord],
    catalogue: Mapping[str, Requirement],
    previous: Sequence[Run | RunRecord] | None = None,
    *,
    scripts: Mapping[str, str] | None = None,
    secrets: tuple[str, ...] = (),
) -> str:
    """`scripts` are the texts that repeat a failure, by the requirement's id."""
    kept, last = records(runs, secrets), records(previous or (), secrets)
    table = rows(kept, catalogue, last)
    told = redacted(dict(scripts or {}), secrets)
    page = ""
    for detail in DETAILS:
        if _least(table, told, detail) > LIMIT and detail is not DETAILS[-1]:
            continue
        page = _render(kept, table, told, detail, compared=bool(last))
        if len(page.encode()) <= LIMIT:
            break
    return page


def _least(table: Sequence[Row], scripts: Mapping[str, str], detail: Detail) -> int:
    """A number of bytes that a page of this detail has at least."""
    return sum(
        sum(
            min(len(exchange.body.text), detail.body) + min(len(exchange.sent.text), detail.body)
            for failure in detail.failures_of(cell)
            for exchange in detail.story(failure)
        )
        + min(len(scripts.get(row.sentence.id, "")), detail.script)
        for row in table
        for cell in row.cells
        if cell.verdict.failures
    )


def _render(
    runs: Sequence[RunRecord],
    table: Sequence[Row],
    scripts: Mapping[str, str],
    detail: Detail,
    *,
    compared: bool,
) -> str:
    style = _file("page.css") + f":root{{--targets:{max(1, len(runs))}}}\n"
    script = _file("page.js")
    cells = [cell for row in table for cell in row.cells]
    failing = sorted((row for row in table if any(c.fails for c in row.cells)), key=_by_order)
    return (
        _environment()
        .get_template("page.html")
        .render(
            cards=list(_cards(runs, table)),
            groups=families(table),
            failing=failing,
            counts=tally(cells),
            tiers=[tier for tier in TIERS if any(row.sentence.tier == tier for row in table)],
            compared=compared,
            detail=detail,
            shortened=detail is not DETAILS[0],
            scripts=scripts,
            style=Markup(style),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704
            policy=f"default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        )
    )


def _by_order(row: Row) -> tuple[int, int]:
    return row.order


def _cards(runs: Sequence[RunRecord], table: Sequence[Row]) -> Iterator[TargetCard]:
    for number, (run, label) in enumerate(zip(runs, labels(runs), strict=True)):
        pairs = [(row.sentence.tier, row.cells[number]) for row in table]
        failing = {tier: sum(cell.fails for of, cell in pairs if of == tier) for tier in TIERS}
        changes = [cell.change for _, cell in pairs]
        yield TargetCard(
            label=label,
            run=run,
            when=datetime.fromtimestamp(run.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            counts=tally(cell for _, cell in pairs),
            failing={tier: number for tier, number in failing.items() if number},
            changes={word: changes.count(word) for word in ("new failure", "fixed")},
        )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"cut": cut, "visible": visible, "slug": _slug, "tally": tally}
    environment.globals |= {"outcome": outcome, "OUTCOMES": OUTCOMES}
    return environment


@cache
def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _slug(word: str) -> str:
    """An outcome as the name of a class; that of an unknown word is `other`."""
    return word.replace(" ", "-") if word in OUTCOMES else "other"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
