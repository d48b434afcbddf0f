"""
The options of `siliconflow-batch conformance` and their help.
"""

import argparse
import math
import os
from pathlib import Path

from .deviations import LEDGER
from .run import selected
from .service.budget import RATE
from .service.rig import MODEL, OTHER_MODEL, RigBroken

EPILOG = """\
examples:
  siliconflow-batch conformance                    against its own simulator
  SILICONFLOW_API_KEY=… siliconflow-batch conformance --base-url https://api.siliconflow.cn/v1
  siliconflow-batch conformance --only LIST-3
  siliconflow-batch conformance --har recorded.har
  siliconflow-batch conformance --report report    HTML, JSON, JUnit XML, Markdown, scripts

A service receives only reads and requests that it must reject. --writes also allows at most 70
writes, which create at most 5 batches of one or two lines; these are paid for. --unmetered lifts
the limits, for a service that costs nothing. They hold on this machine as well, where a gateway may
stand in front of a paid service.
Each creation is recorded in a journal before it is sent. At its end, a run cancels its unfinished
batches; after a run that could not, --clean-up does so. Set SILICONFLOW_API_KEY_2 to a key of a
second account to test that accounts are isolated.

exit status:
  0  conformant: each `must` that such a run can judge holds, or is in the ledger
  1  not conformant
  2  inconclusive: no response, a rejected key, or a `must` that could not be judged
"""


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="siliconflow-batch conformance",
        description="Test whether a service conforms to the SiliconFlow Batch API's documents.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_target(parser.add_argument_group("target"))
    _add_selection(parser.add_argument_group("selection"))
    _add_files(parser.add_argument_group("files"))
    _add_modes(parser.add_argument_group("instead of a run"))
    return parser


def _add_target(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--base-url",
        metavar="URL",
        help="the service, including /v1 (default: start a simulator for the run)",
    )
    add("--writes", action="store_true", help="allow uploads and up to 5 paid batches")
    add(
        "--unmetered",
        action="store_true",
        help="send as much as the cases need: the service costs nothing",
    )
    add(
        "--rate",
        type=float,
        default=RATE,
        help="requests per second, unless --unmetered (default: %(default)s)",
    )
    add(
        "--patience",
        type=float,
        default=60,
        metavar="SECONDS",
        help="how long to wait for a batch to end (default: %(default)s)",
    )
    add("--model", default=MODEL, help="model of the lines (default: %(default)s)")
    add(
        "--other-model",
        default=OTHER_MODEL,
        metavar="MODEL",
        help="model that replaces it in one batch (default: %(default)s)",
    )
    add("--fault", action="append", default=[], help="enable a fault of the simulator")


def _add_selection(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="check a requirement (LIST-3) or a family (LIST); may be repeated",
    )
    add("--core", action="store_true", help="skip the cases that schemathesis generates")
    add("--seed", type=int, default=1, help="seed of the generated cases (default: %(default)s)")
    add("--strict", action="store_true", help="treat `should` and `hygiene` like `must`")
    add(
        "--allow-inconclusive",
        action="store_true",
        help="exit with 0 although requirements are inconclusive or blocked",
    )


def _add_files(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--har", type=Path, metavar="FILE", help="judge recorded traffic without sending requests")
    add("--record", type=Path, metavar="FILE", help="write the traffic as HAR, without keys")
    add(
        "--facts",
        type=Path,
        metavar="FILE",
        help="write the answers to the open questions that the traffic shows (JSON)",
    )
    add("--report", type=Path, metavar="DIR", help="write reports to this folder")
    add(
        "--beside",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="add a report.json of another target to the reports; may be repeated",
    )
    add(
        "--deviations",
        type=Path,
        default=LEDGER,
        metavar="FILE",
        help="the ledger of known deviations (YAML)",
    )


def _add_modes(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--list", action="store_true", help="list the requirements")
    add("--dry-run", action="store_true", help="list the cases without sending requests")
    add("--clean-up", action="store_true", help="cancel unfinished batches of earlier runs")


def refuse_contradictions(options: argparse.Namespace) -> None:
    """Raises `RigBroken` for invalid options and combinations."""
    if not (__debug__ or options.har):
        raise RigBroken("Run it without `python -O` and PYTHONOPTIMIZE: the cases need assertions.")
    for name in options.only:
        if not selected([name]):
            raise RigBroken(f"There is no requirement {name!r}; see --list.")
    if not selected(options.only, core=options.core):
        raise RigBroken("--core leaves out all requirements that --only names.")
    if not 0 < options.patience < math.inf:
        raise RigBroken(f"--patience must be a positive number of seconds, not {options.patience}.")
    if not 0 < options.rate < math.inf:
        raise RigBroken(f"--rate must be a positive number, not {options.rate}.")
    if options.base_url and options.fault:
        raise RigBroken("--fault needs the suite's own simulator; leave out --base-url.")
    if options.har and (options.writes or options.fault or options.clean_up):
        raise RigBroken("--har sends no requests; leave out --writes, --fault and --clean-up.")
    for name in ("record", "facts"):
        path = getattr(options, name)
        if path and path.is_dir():
            raise RigBroken(f"--{name} names a file, and {path} is a folder.")
    if options.model == options.other_model:
        raise RigBroken("--model and --other-model must be different.")
    if options.unmetered and (options.har or not options.base_url):
        raise RigBroken("--unmetered is about a service; give its --base-url.")
    if options.beside and not options.report:
        raise RigBroken("--beside needs --report.")
    if options.clean_up and not options.base_url:
        raise RigBroken("--clean-up needs the --base-url of the earlier runs.")
    if options.base_url and not options.har and not os.environ.get("SILICONFLOW_API_KEY"):
        raise RigBroken("Set SILICONFLOW_API_KEY to a key of the service.")
