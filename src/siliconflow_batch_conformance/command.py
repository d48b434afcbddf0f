"""
`siliconflow-batch conformance`: runs the suite against a service or against its own simulator.
"""

import argparse
import contextlib
import os
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TextIO

from attrs import define

from siliconflow_batch.errors import StateUnusable
from siliconflow_batch_simulator.direct import reached_directly

from . import reports
from .checks.exchange import Exchange, without_keys
from .deviations import Entry, LedgerInvalid, apply
from .deviations import read as read_ledger
from .exit_status import NO_VERDICT, exit_status
from .facts.facts_command import write_facts
from .options import parser, refuse_contradictions
from .recordings import har
from .recordings.entries import HarUnreadable
from .reports import terminal
from .reports.texts import visible
from .repro.script import script
from .requirements import load
from .run import judge, judge_recorded, selected
from .service.rig import Rig, RigBroken
from .service.sender import EnvironmentInvalid
from .verdicts import Run

PROGRAM = "siliconflow-batch conformance"
VARIABLES = ("SILICONFLOW_API_KEY", "SILICONFLOW_API_KEY_2")
BROKEN = (
    *(RigBroken, LedgerInvalid, StateUnusable, HarUnreadable, reports.ReportUnreadable),
    EnvironmentInvalid,
    OSError,  # a folder that cannot be created
)


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit status (see `exit_status`)."""
    options = parser().parse_args(arguments)
    if options.list:
        for row in load().values():
            print_line(f"{row.id:<12} {row.tier:<8} {row.operation}: {row.says}")
        return 0
    try:
        refuse_contradictions(options)
        inputs = _read_inputs(options)
        if options.har:
            return _judge_har(options, inputs)
        with reached_directly(), _open_rig(options) as rig:
            if options.dry_run:
                return _dry_run(options, rig)
            if options.clean_up:
                return _clean_up(rig)
            return _run(options, inputs, rig)
    except KeyboardInterrupt:
        print_line("interrupted; inconclusive")
        return NO_VERDICT
    except BROKEN as error:
        print_line(f"{PROGRAM}: {error}", sys.stderr)
        return NO_VERDICT


def print_line(line: str, file: TextIO | None = None) -> None:
    """Prints lines of a service's text: without keys, and with control characters escaped."""
    line = visible(without_keys(line, filter(None, map(os.environ.get, VARIABLES))))
    print(line, flush=True, file=file)  # the command's output


@define
class Inputs:
    """Known deviations, reports of other targets, and this target's previous report."""

    ledger: list[Entry]
    others: list[reports.RunRecord]
    previous: list[reports.RunRecord] | None


def _read_inputs(options: argparse.Namespace) -> Inputs:
    """Reads all files before the first request, so that an unreadable one wastes no run."""
    earlier = options.report / "report.json" if options.report else None
    files = filter(None, (options.record, options.facts))
    for folder in filter(None, (options.report, *(file.parent for file in files))):
        folder.mkdir(parents=True, exist_ok=True)
    return Inputs(
        read_ledger(options.deviations, load()),
        [run for path in options.beside for run in reports.read(path)],
        reports.read(earlier) if earlier and earlier.exists() else None,
    )


def _run(options: argparse.Namespace, inputs: Inputs, rig: Rig) -> int:
    rig.check()
    with _interrupt_on_sigterm():
        print_line(f"{rig.target.base_url}, seed {options.seed}: {rig.plan()}")
        only = selected(options.only, core=options.core)
        if options.base_url:
            with rig.journaled() as notes:
                report = judge(rig, options.seed, only)
        else:
            notes, report = [], judge(rig, options.seed, only)
        keys = tuple(key for target in rig.targets() for key in (target.key, target.key.swapcase()))
        status = conclude(options, inputs, report.run(), keys, notes)
        observer, base_url = rig.target.observer, rig.target.base_url
        if options.facts:
            status = _status_after(_facts_writer(options, observer.exchanges, base_url), status)
        if not options.record:
            return status
        write = partial(har.write, options.record, observer.exchanges, base_url, keys)
        return _status_after(partial(write, observer.judgments), status)


def _facts_writer(
    options: argparse.Namespace, exchanges: list[Exchange], base_url: str
) -> Callable[[], None]:
    return lambda: print_line(write_facts(options.facts, exchanges, base_url))


@contextlib.contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the run like Ctrl-C, so that it cleans up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def conclude(
    options: argparse.Namespace,
    inputs: Inputs,
    run: Run,
    secrets: tuple[str, ...] = (),
    notes: Sequence[str] = (),
) -> int:
    """
    Applies the ledger to a run, prints and writes its reports, and returns the exit status.

    `notes` are about the clean-up; they follow the findings.
    """
    catalogue = load()
    judged = apply(run, inputs.ledger, datetime.now(UTC).date())
    tiers = {id: row.tier for id, row in catalogue.items()}
    status = exit_status(
        judged, tiers, strict=options.strict, allow_inconclusive=options.allow_inconclusive
    )
    for line in terminal.report(judged, catalogue, status, notes, _again(options)):
        print_line(line)
    if not options.report:
        return status
    write = partial(_write_reports, options, inputs, judged, secrets)
    return _status_after(write, status)


def _again(options: argparse.Namespace) -> str:
    """The command that repeats a run whose simulator is gone; empty for any other run."""
    if options.base_url or options.har:
        return ""
    faults = [f"--fault {shlex.quote(name)}" for name in options.fault]
    return " ".join([PROGRAM, *faults, f"--seed {options.seed}"])


def _status_after(write: Callable[[], None], status: int) -> int:
    """Calls `write` and returns `status`; a failed write turns 0 into 2, and 1 stays 1."""
    try:
        write()
    except OSError as error:
        print_line(f"{PROGRAM}: {error}", sys.stderr)
        return status or NO_VERDICT
    return status


def _write_reports(
    options: argparse.Namespace, inputs: Inputs, run: Run, secrets: tuple[str, ...]
) -> None:
    folder, catalogue = options.report, load()
    scripts = {
        id: script(catalogue[id], verdict.failures[0], run.target)
        for id, verdict in run.verdicts.items()
        if verdict.failures
    }
    reports.write(
        folder,
        [run, *inputs.others],
        catalogue,
        inputs.previous,
        scripts,
        secrets=secrets,
        strict=options.strict,
    )
    print_line(f"reports: {folder / 'report.html'}")


def _judge_har(options: argparse.Namespace, inputs: Inputs) -> int:
    capture = har.capture(options.har, options.base_url)
    for reason, number in capture.left_out.items():
        print_line(f"skipped: {number} ({reason})")
    if errors := Counter(one.status for one in capture.exchanges if one.status >= 500):
        counts = ", ".join(f"{number} with {status}" for status, number in sorted(errors.items()))
        print_line(f"not judged: server errors, which the documents do not describe: {counts}")
    only = selected(options.only, core=options.core)
    run = judge_recorded(capture.exchanges, capture.base_url, only, capture.judgments)
    status = conclude(options, inputs, run)
    if options.facts:
        writer = _facts_writer(options, capture.exchanges, capture.base_url)
        status = _status_after(writer, status)
    return status


def _clean_up(rig: Rig) -> int:
    outcome = rig.clean_up()
    for message in outcome.messages or ["no unfinished batches"]:
        print_line(message)
    return NO_VERDICT if outcome.left else 0


def _dry_run(options: argparse.Namespace, rig: Rig) -> int:
    only = selected(options.only, core=options.core)
    for id, cases in judge(rig, options.seed, only, collect=True).collected.items():
        print_line(f"{id:<12} {', '.join(cases)}")
    print_line(rig.plan())
    return 0


@contextlib.contextmanager
def _open_rig(options: argparse.Namespace) -> Iterator[Rig]:
    models = (options.model, options.other_model)
    if not options.base_url:
        try:
            with Rig.simulated(tuple(options.fault), models) as rig:
                yield rig
        except ValueError as error:  # an unknown fault
            raise RigBroken(str(error)) from error
        return
    keys = os.environ.get("SILICONFLOW_API_KEY", ""), os.environ.get("SILICONFLOW_API_KEY_2")
    rig = Rig.at(
        options.base_url,
        *keys,
        writes=options.writes,
        patience=options.patience,
        rate=options.rate,
        unmetered=options.unmetered,
        models=models,
    )
    try:
        yield rig
    finally:
        rig.close()
