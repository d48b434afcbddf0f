"""
`siliconflow-batch simulate`: the simulator in the foreground.
"""

import argparse
import ipaddress
import logging
import sys
from collections.abc import Sequence

from .clock import Clock
from .faults import FAULTS
from .server import DEFAULT_KEY, Simulator

EPILOG = """\
examples:
  siliconflow-batch simulate
  siliconflow-batch simulate --port 8700 --api-key KEY --api-key KEY2
  siliconflow-batch simulate --speed 3600          an hour passes every second
  siliconflow-batch simulate --fault after-ignored
"""


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="siliconflow-batch simulate",
        description="Serve the SiliconFlow Batch API on this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8700, help="0 takes a free one (default: %(default)s)")
    add(
        "--api-key",
        action="append",
        metavar="KEY",
        help=f"a key, once for each account (default: {DEFAULT_KEY})",
    )
    add("--speed", type=float, default=1.0, help="simulated seconds per second (default: 1)")
    add("--seed", type=int, help="repeatable ids; without it they cannot be guessed")
    add("--result-ids", action="store_true", help="name result files by id, not by download URL")
    add(
        "--late-validation",
        action="store_true",
        help="let a faulty input file become a failed batch instead of refusing it",
    )
    add("--fault", action="append", default=[], metavar="NAME", help="break one thing on purpose")
    add("--list-faults", action="store_true", help="name the faults and stop")
    return parser


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    if options.list_faults:
        width = max(map(len, FAULTS))
        for name, fault in FAULTS.items():
            print(f"{name:<{width}}  {fault.description}")  # noqa: T201 - the command's output
        return 0
    try:
        simulator = Simulator(
            keys=tuple(options.api_key or [DEFAULT_KEY]),
            host=options.host,
            port=options.port,
            faults=tuple(options.fault),
            clock=Clock(options.speed),
            seed=options.seed,
            urls=not options.result_ids,
            late_validation=options.late_validation,
        )
    except (OSError, OverflowError, ValueError) as error:
        print(f"siliconflow-batch simulate: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if not _is_loopback(options.host):
        warning = "warning: other machines can reach this simulator; it is made for loopback."
        print(warning, file=sys.stderr)  # noqa: T201
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("siliconflow_batch_simulator").setLevel(logging.INFO)
    print(simulator.base_url, flush=True)  # noqa: T201
    try:
        simulator.serve()
    finally:
        simulator.close()
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
