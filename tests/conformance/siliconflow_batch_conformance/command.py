"""
`siliconflow-batch conformance`: the suite against a service, or against a simulator of its own.
"""

import argparse
import contextlib
import math
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from .report import NOTHING_SAID, Report
from .requirements import load
from .rig import Rig, RigBroken
from .target import is_loopback

HERE = Path(__file__).parent
EPILOG = """\
examples:
  siliconflow-batch conformance                    against a simulator of its own
  SILICONFLOW_API_KEY=… siliconflow-batch conformance --base-url https://api.siliconflow.cn/v1
  siliconflow-batch conformance --only LIST-3

A service that is not on this machine is only read. --writes lets the suite upload files and create
batches there, which are paid for. A second account's key in SILICONFLOW_API_KEY_2 adds the cases on
isolation.

exit status: 0 conformant, 1 not, 2 nothing can be said (nobody answers, the key is not taken)
"""


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="siliconflow-batch conformance",
        description="Check a service against the documents of the SiliconFlow Batch API.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--base-url", help="the service, with its /v1 (default: a simulator, started for the run)")
    add("--writes", action="store_true", help="allow uploads and paid batches on a live service")
    add("--patience", type=float, default=60, help="seconds for a batch to end (default: 60)")
    add("--seed", type=int, default=1, help="repeats the generated cases (default: 1)")
    add("--strict", action="store_true", help="count the `should` requirements too")
    add(
        "--only",
        action="append",
        metavar="ID",
        help="a requirement or a family of them, as LIST-3 or LIST; may be repeated",
    )
    add("--core", action="store_true", help="leave out the cases that schemathesis generates")
    add("--list", action="store_true", help="print the requirements and stop")
    add("--fault", action="append", default=[], help="break the simulator on purpose")
    return parser


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    if options.list:
        for row in load().values():
            print(f"{row.id:<12} {row.tier:<6} {row.operation}: {row.says}")  # noqa: T201
        return 0
    try:
        _refuse_contradictions(options)
        with _rig(options) as rig:
            rig.check()
            # Told to end, the run cleans up behind itself as it does when it is interrupted.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            print(f"{rig.target.base_url}, seed {options.seed}", flush=True)  # noqa: T201
            report = judge(
                rig,
                options.seed,
                strict=options.strict,
                only=options.only or (),
                core=options.core,
            )
            report.print()
            return report.status()
    except KeyboardInterrupt:
        print("interrupted: nothing can be said")  # noqa: T201
        return NOTHING_SAID
    except RigBroken as broken:
        print(f"siliconflow-batch conformance: {broken}", file=sys.stderr)  # noqa: T201
        return NOTHING_SAID


def _refuse_contradictions(options: argparse.Namespace) -> None:
    """Raises `RigBroken` for options that do not go together."""
    for name in options.only or ():
        if not _selected(load(), [name]):
            raise RigBroken(f"There is no requirement {name!r}; see --list.")
    if not 0 < options.patience < math.inf:
        raise RigBroken(f"--patience must be a number of seconds, not {options.patience}.")
    if options.base_url and options.fault:
        raise RigBroken("--fault breaks the suite's own simulator; leave out --base-url.")
    if options.base_url and not os.environ.get("SILICONFLOW_API_KEY"):
        raise RigBroken("Set SILICONFLOW_API_KEY to a key of the service.")


@contextlib.contextmanager
def _rig(options: argparse.Namespace) -> Iterator[Rig]:
    if not options.base_url:
        try:
            with Rig.simulated(tuple(options.fault)) as rig:
                yield rig
        except ValueError as unknown_fault:
            raise RigBroken(str(unknown_fault)) from unknown_fault
        return
    keys = os.environ["SILICONFLOW_API_KEY"], os.environ.get("SILICONFLOW_API_KEY_2")
    rig = Rig.at(options.base_url, *keys, writes=options.writes, patience=options.patience)
    if not is_loopback(options.base_url) and not options.writes:
        print("reading only; --writes allows uploads and paid batches", file=sys.stderr)  # noqa: T201
    try:
        yield rig
    finally:
        rig.close()


def _selected(ids: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The ids that are named, alone or by their family."""
    wanted = set(names)
    return frozenset(id for id in ids if wanted & {id, id.partition("-")[0]})


def judge(
    rig: Rig, seed: int, *, strict: bool = False, only: Sequence[str] = (), core: bool = False
) -> Report:
    """Runs the cases in this process; `core` leaves out those that schemathesis generates."""
    catalogue = load()
    chosen = _selected(catalogue, only or {id.partition("-")[0] for id in catalogue})
    if core:
        chosen -= _selected(catalogue, ["SCHEMA"])
    report = Report(rig, seed, strict, only=chosen)
    os.environ["SILICONFLOW_CONFORMANCE_SEED"] = str(seed)
    os.environ.pop("PYTEST_ADDOPTS", None)
    set_hypothesis_home_dir(tempfile.gettempdir())  # not into the caller's folder
    generated = any(id.startswith("SCHEMA-") for id in chosen)
    pytest.main(
        [
            *("-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE), str(HERE)),
            f"--hypothesis-seed={seed}",
            *([] if generated else [f"--ignore={HERE / 'test_contract.py'}"]),
        ],
        plugins=[report],
    )
    return report
