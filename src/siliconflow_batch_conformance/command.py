"""
`siliconflow-batch conformance`: the suite against a service, or against a simulator of its own.
"""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

from attrs import define

from . import reports
from .checks.exchange import without_keys
from .deviations import Entry, LedgerInvalid, apply
from .deviations import read as read_ledger
from .exit_status import NO_VERDICT, exit_status
from .options import parser, refuse_contradictions
from .recordings import har
from .recordings.entries import HarUnreadable
from .reports import terminal
from .repro.script import script
from .requirements import load
from .run import judge, judge_recorded, selected
from .service.budget import is_loopback
from .service.locked_file import StateUnusable
from .service.rig import Rig, RigBroken
from .verdicts import Run

VARIABLES = ("SILICONFLOW_API_KEY", "SILICONFLOW_API_KEY_2")
BROKEN = (
    *(RigBroken, LedgerInvalid, StateUnusable, HarUnreadable, reports.ReportUnreadable),
    OSError,  # a folder that cannot be made
)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status (see `exits`)."""
    options = parser().parse_args(arguments)
    if options.list:
        for row in load().values():
            say(f"{row.id:<12} {row.tier:<8} {row.operation}: {row.says}")
        return 0
    try:
        refuse_contradictions(options)
        held_against = _read(options)
        if options.har:
            return conclude(options, held_against, _recorded(options))
        with _rig(options) as rig:
            if options.dry_run:
                return _dry_run(options, rig)
            if options.clean_up:
                return _clean_up(rig)
            return _run(options, held_against, rig)
    except KeyboardInterrupt:
        say("interrupted: nothing can be said")
        return NO_VERDICT
    except BROKEN as broken:
        say(f"siliconflow-batch conformance: {broken}", sys.stderr)
        return NO_VERDICT


def say(line: str, file: TextIO | None = None) -> None:
    """Prints without the keys, should a service say them back."""
    line = without_keys(line, filter(None, map(os.environ.get, VARIABLES)))
    print(line, flush=True, file=file)  # the command's output


@define
class HeldAgainst:
    """What a run is held against: known deviations, other targets, the last run."""

    ledger: list[Entry]
    others: list[reports.RunRecord]
    previous: list[reports.RunRecord] | None


def _read(options: argparse.Namespace) -> HeldAgainst:
    """Comes before the first request: a file that cannot be read costs no run."""
    earlier = options.report / "report.json" if options.report else None
    for folder in filter(None, (options.report, options.record and options.record.parent)):
        folder.mkdir(parents=True, exist_ok=True)
    return HeldAgainst(
        read_ledger(options.deviations, load()),
        [other for path in options.beside for other in reports.read(path)],
        reports.read(earlier) if earlier and earlier.exists() else None,
    )


def _run(options: argparse.Namespace, held_against: HeldAgainst, rig: Rig) -> int:
    rig.check()
    # Told to end, the run cleans up behind itself as it does when it is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say(f"{rig.target.base_url}, seed {options.seed}")
    if options.writes and not rig.target.budget.loopback:
        say(rig.price())
    only = selected(options.only, core=options.core)
    if options.base_url:
        with rig.journaled() as said:
            report = judge(rig, options.seed, only)
        for line in said:
            say(line)
    else:
        report = judge(rig, options.seed, only)
    keys = tuple(key for target in rig.targets() for key in (target.key, target.key.swapcase()))
    status = conclude(options, held_against, report.run(), keys)
    if not options.record:
        return status
    seen = rig.target.observer
    record = partial(har.write, options.record, seen.exchanges, rig.target.base_url, keys)
    return _written(status, partial(record, seen.judgments))


def conclude(
    options: argparse.Namespace,
    held_against: HeldAgainst,
    run: Run,
    secrets: tuple[str, ...] = (),
) -> int:
    """Holds a run against the ledger, tells of it and returns the exit status."""
    catalogue = load()
    judged = apply(run, held_against.ledger, datetime.now(UTC).date())
    tiers = {id: row.tier for id, row in catalogue.items()}
    status = exit_status(judged, tiers, strict=options.strict)
    for line in terminal.report(judged, catalogue, status):
        say(line)
    if not options.report:
        return status
    return _written(status, partial(_write_reports, options.report, held_against, judged, secrets))


def _written(status: int, write: Callable[[], None]) -> int:
    """The exit status after `write`, whose trouble takes nothing from a failure that was found."""
    try:
        write()
    except OSError as trouble:
        say(f"siliconflow-batch conformance: {trouble}", sys.stderr)
        return status or NO_VERDICT
    return status


def _write_reports(
    folder: Path, held_against: HeldAgainst, run: Run, secrets: tuple[str, ...]
) -> None:
    catalogue, previous = load(), held_against.previous
    scripts = {
        id: script(catalogue[id], verdict.failures[0], run.target)
        for id, verdict in run.verdicts.items()
        if verdict.failures
    }
    reports.write(
        folder, [run, *held_against.others], catalogue, previous, scripts, secrets=secrets
    )
    say(f"reports: {folder / 'report.html'}")


def _recorded(options: argparse.Namespace) -> Run:
    capture = har.capture(options.har, options.base_url)
    for reason, number in capture.left_out.items():
        say(f"left out: {number} ({reason})")
    only = selected(options.only, core=options.core)
    return judge_recorded(capture.exchanges, capture.base_url, only, capture.judgments)


def _clean_up(rig: Rig) -> int:
    cleaned = rig.clean_up()
    for line in cleaned.said or ["nothing was left unfinished"]:
        say(line)
    return NO_VERDICT if cleaned.left else 0


def _dry_run(options: argparse.Namespace, rig: Rig) -> int:
    only = selected(options.only, core=options.core)
    for id, cases in judge(rig, options.seed, only, collect=True).collected.items():
        say(f"{id:<12} {', '.join(cases)}")
    if not rig.target.budget.loopback:
        say(rig.price() if options.writes else "reads, refused writes and wrong keys alone")
    return 0


@contextlib.contextmanager
def _rig(options: argparse.Namespace) -> Iterator[Rig]:
    if not options.base_url:
        try:
            with Rig.simulated(tuple(options.fault)) as rig:
                yield rig
        except ValueError as unknown_fault:
            raise RigBroken(str(unknown_fault)) from unknown_fault
        return
    keys = os.environ.get("SILICONFLOW_API_KEY", ""), os.environ.get("SILICONFLOW_API_KEY_2")
    rig = Rig.at(
        options.base_url,
        *keys,
        writes=options.writes,
        patience=options.patience,
        rate=options.rate,
    )
    if not is_loopback(options.base_url) and not options.writes:
        print("reading only; --writes allows uploads and paid batches", file=sys.stderr)  # noqa: T201
    try:
        yield rig
    finally:
        rig.close()
