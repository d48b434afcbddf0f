"""
The options of `siliconflow-batch conformance`, and what they say of themselves.
"""

import argparse
import math
import os
from pathlib import Path

from .deviations import LEDGER
from .run import selected
from .service.budget import RATE
from .service.rig import RigBroken

EPILOG = """\
examples:
  siliconflow-batch conformance                    against a simulator of its own
  SILICONFLOW_API_KEY=… siliconflow-batch conformance --base-url https://api.siliconflow.cn/v1
  siliconflow-batch conformance --only LIST-3
  siliconflow-batch conformance --har recorded.har
  siliconflow-batch conformance --report report    a page, data, JUnit XML, Markdown, scripts

A service that is not on this machine gets reads, requests that are certain to be refused, and wrong
keys. With --writes at most 5 batches of one or two lines are created there, which are paid for, in
60 writes at most. What a run creates it writes down first, and cancels in the end, whatever
happens; --clean-up does so for a run that could not. A second account's key in
SILICONFLOW_API_KEY_2 adds the cases on isolation.

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
    add("--rate", type=float, default=RATE, help="requests a second there (default: %(default)s)")
    add("--patience", type=float, default=60, help="seconds for a batch to end (default: 60)")
    add("--seed", type=int, default=1, help="repeats the generated cases (default: 1)")
    add("--strict", action="store_true", help="count `should` and `hygiene` as `must`")
    add(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="a requirement or a family of them, as LIST-3 or LIST; may be repeated",
    )
    add("--core", action="store_true", help="leave out the cases that schemathesis generates")
    add("--har", type=Path, metavar="FILE", help="judge recorded traffic, and send nothing")
    add("--record", type=Path, metavar="FILE", help="write the run's traffic as HAR, without keys")
    add("--report", type=Path, metavar="DIR", help="write the reports into this folder")
    add(
        "--beside",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a report.json of another target, to stand beside this one in the reports",
    )
    add(
        "--deviations",
        type=Path,
        default=LEDGER,
        metavar="FILE",
        help="the ledger of known deviations (YAML)",
    )
    add("--clean-up", action="store_true", help="cancel what earlier runs left, and stop")
    add("--dry-run", action="store_true", help="say what would be run, and send nothing")
    add("--list", action="store_true", help="print the requirements and stop")
    add("--fault", action="append", default=[], help="break the simulator on purpose")
    return parser


def refuse_contradictions(options: argparse.Namespace) -> None:
    """Raises `RigBroken` for options that do not go together."""
    for name in options.only:
        if not selected([name]):
            raise RigBroken(f"There is no requirement {name!r}; see --list.")
    if not selected(options.only, core=options.core):
        raise RigBroken("--core leaves out all that --only names.")
    if not 0 < options.patience < math.inf:
        raise RigBroken(f"--patience must be a number of seconds, not {options.patience}.")
    if not 0 < options.rate < math.inf:
        raise RigBroken(f"--rate must be a number of requests a second, not {options.rate}.")
    if options.base_url and options.fault:
        raise RigBroken("--fault breaks the suite's own simulator; leave out --base-url.")
    if options.har and (options.writes or options.fault or options.clean_up):
        raise RigBroken("--har judges what was recorded; it goes with no option that sends.")
    if options.record and options.record.is_dir():
        raise RigBroken(f"--record names a file, and {options.record} is a folder.")
    if options.beside and not options.report:
        raise RigBroken("--beside is about the reports; name their folder with --report.")
    if options.clean_up and not options.base_url:
        raise RigBroken("--clean-up needs the --base-url of the runs that it cleans up behind.")
    if options.base_url and not options.har and not os.environ.get("SILICONFLOW_API_KEY"):
        raise RigBroken("Set SILICONFLOW_API_KEY to a key of the service.")
