"""
The report as one HTML page without external resources: a table of expandable verdicts.

Rule 1: the template escapes all text. The page's Content-Security-Policy permits its own style and
script only.
Rule 2: the page is no larger than LIMIT. If necessary, it shows less of the wire logs and says so.
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

from ..causes import fundamental_first
from ..requirements import Requirement, load
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
    """The limits of what is shown: numbers of failures and exchanges, characters of texts."""

    failures: int
    exchanges: int
    body: int
    text: int
    script: int

    @property
    def rows(self) -> int:
        """Rows of two lists; 0 shows their texts instead."""
        return min(50, self.text // 40)

    def failures_of(self, cell: Cell) -> list[FailureRecord]:
        return cell.verdict.failures[: self.failures]

    def story(self, failure: FailureRecord) -> list[ExchangeRecord]:
        """The judged exchanges, then the latest ones, in order."""
        indices = range(len(failure.story))
        best = sorted(indices, key=lambda index: (failure.story[index].judged, index))
        kept = set(best[len(best) - self.exchanges :]) if self.exchanges < len(best) else indices
        return [failure.story[index] for index in indices if index in kept]


# From everything to what fits with about 400 failures.
DETAILS = (
    Detail(failures=5, exchanges=60, body=4200, text=8200, script=40_000),
    Detail(failures=3, exchanges=20, body=1500, text=2000, script=16_000),
    Detail(failures=3, exchanges=12, body=800, text=1200, script=8_000),
    Detail(failures=2, exchanges=8, body=400, text=800, script=0),
    Detail(failures=2, exchanges=5, body=240, text=500, script=0),
    Detail(failures=1, exchanges=3, body=160, text=300, script=0),
    Detail(failures=1, exchanges=2, body=80, text=160, script=0),
    Detail(failures=1, exchanges=2, body=0, text=120, script=0),
    Detail(failures=1, exchanges=0, body=0, text=20, script=0),
)


@define(frozen=True)
class TargetCard:
    """The summary of a target above the table."""

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
    """`scripts` are the scripts that repeat a failure, by requirement id."""
    current, last = records(runs, secrets), records(previous or (), secrets)
    table = rows(current, catalogue, last)
    texts = redacted(dict(scripts or {}), secrets)
    page = ""
    for detail in DETAILS:
        if _minimum_size(table, texts, detail) > LIMIT and detail is not DETAILS[-1]:
            continue
        page = _render(current, table, texts, detail, compared=bool(last))
        if len(page.encode()) <= LIMIT:
            break
    return page


def _minimum_size(table: Sequence[Row], scripts: Mapping[str, str], detail: Detail) -> int:
    """A lower bound of the page's size in bytes."""
    return sum(
        sum(
            min(len(exchange.body.text), detail.body) + min(len(exchange.sent.text), detail.body)
            for failure in detail.failures_of(cell)
            for exchange in detail.story(failure)
        )
        + min(len(scripts.get(row.requirement.id, "")), detail.script)
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
    failing = _fundamental_first([row for row in table if any(c.fails for c in row.cells)])
    others = [row for row in table if row not in failing]
    return (
        _environment()
        .get_template("page.html")
        .render(
            cards=list(_cards(runs, table)),
            groups={**({"Failures": failing} if failing else {}), **families(others)},
            failing=failing,
            counts=tally(cells),
            tiers=[tier for tier in TIERS if any(row.requirement.tier == tier for row in table)],
            compared=compared,
            detail=detail,
            shortened=detail is not DETAILS[0],
            scripts=scripts,
            style=Markup(style),  # noqa: S704 - files of this package
            script=Markup(script),  # noqa: S704
            policy=f"default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        )
    )


def _fundamental_first(failing: list[Row]) -> list[Row]:
    """The rows as the terminal lists them: what others need first; unknown requirements last."""
    order = fundamental_first(load(), load())
    place = {id: number for number, id in enumerate(order)}
    return sorted(failing, key=lambda row: place.get(row.requirement.id, len(place)))


def _cards(runs: Sequence[RunRecord], table: Sequence[Row]) -> Iterator[TargetCard]:
    for number, (run, label) in enumerate(zip(runs, labels(runs), strict=True)):
        pairs = [(row.requirement.tier, row.cells[number]) for row in table]
        failing = {tier: sum(cell.fails for of, cell in pairs if of == tier) for tier in TIERS}
        changes = [cell.change for _, cell in pairs]
        yield TargetCard(
            label=label,
            run=run,
            when=datetime.fromtimestamp(run.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            counts=tally(cell for _, cell in pairs),
            failing={tier: number for tier, number in failing.items() if number},
            changes={name: changes.count(name) for name in ("new failure", "fixed")},
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


def _slug(name: str) -> str:
    """The CSS class of an outcome; `other` for an unknown one."""
    return name.replace(" ", "-") if name in OUTCOMES else "other"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
