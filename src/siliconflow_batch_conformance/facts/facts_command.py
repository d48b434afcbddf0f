"""
`siliconflow-batch facts`: which answers to the open questions a recording shows.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from siliconflow_batch.state.atomic_file import write_file

from ..recordings import har
from ..recordings.entries import HarUnreadable
from .assumptions import load_assumptions
from .conclusions import conclude
from .facts_output import as_json, as_text, totals
from .sightings import Exchanges

PROGRAM = "siliconflow-batch facts"
EPILOG = """\
examples:
  siliconflow-batch conformance --base-url https://api.siliconflow.cn/v1 --writes --record run.har
  siliconflow-batch facts --har run.har
  siliconflow-batch facts --har run.har --json > facts.json
  siliconflow-batch simulate --facts facts.json

outcomes:
  confirmed      the recording shows the alternative that this project has chosen
  refuted        it shows another one; "to change" names the entry of the assumptions
  contradicted   two exchanges show different alternatives
  not seen       no exchange shows which alternative is right

exit status: 0 if the recording was read, 2 if not
"""


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Show which answers to the open questions a recording of real traffic shows.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--har", type=Path, required=True, metavar="FILE", help="recorded traffic (HAR 1.2)")
    add("--base-url", metavar="URL", help="the service in the recording (default: found in it)")
    add("--json", action="store_true", help="print JSON, which `simulate --facts` reads")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        capture = har.capture(options.har, options.base_url)
    except HarUnreadable as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    conclusions = conclude(capture.exchanges, load_assumptions())
    if options.json:
        print(json.dumps(as_json(conclusions, options.har.name), indent=2))  # noqa: T201
        return 0
    for reason, number in capture.left_out.items():
        print(f"skipped: {number} ({reason})")  # noqa: T201
    for line in as_text(conclusions):
        print(line)  # noqa: T201 - the command's output
    return 0


def write_facts(path: Path, exchanges: Exchanges, source: str) -> str:
    """Writes the facts of a run as JSON; returns a line for the terminal."""
    conclusions = conclude(exchanges, load_assumptions())
    write_file(path, json.dumps(as_json(conclusions, source), indent=2) + "\n")
    return f"facts: {totals(conclusions)}; {path}"
