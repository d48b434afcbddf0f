"""
`siliconflow-batch simulate`: the simulator in the foreground.
"""

import argparse
import ipaddress
import logging
import signal
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .batches.backend import Backend
from .batches.lifecycle import Pace
from .faults import CLASSES, FAULTS
from .server import DEFAULT_KEY, Simulator
from .state.clock import Clock
from .state.database import FolderUnusable
from .switches.switchboard import Rule
from .switches.variants import VARIANTS

EPILOG = """\
examples:
  siliconflow-batch simulate
  siliconflow-batch simulate --port 8700 --api-key KEY --api-key KEY2
  siliconflow-batch simulate --speed 3600            an hour passes every second
  siliconflow-batch simulate --fault rate-limited    every request is refused with 429
  siliconflow-batch simulate --rules bad-days.toml   bad days by operation and by chance
  siliconflow-batch simulate --backend http://127.0.0.1:11434/v1 --backend-model llama3

bad-days.toml:
  [[rule]]
  name = "reset-after"
  operation = "POST /batches"     # leave out for every operation
  times = 2                       # leave out for ever
  rate = 0.1                      # the share of requests, by chance; --seed repeats it
"""


class OptionInvalid(ValueError):
    """An option that cannot be carried out; nothing was started."""


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
    add("--speed", type=float, default=1.0, help="simulated seconds per second; 0 stands still")
    add("--start", type=float, metavar="SECONDS", help="what time it is first, in Unix seconds")
    add("--running", type=float, default=0.6, help="simulated seconds for the lines of a batch")
    add("--cancelling", type=float, default=0.3, help="simulated seconds until it is cancelled")
    add("--seed", type=int, help="repeatable ids and chances; without it ids cannot be guessed")
    add("--result-ids", action="store_true", help="name result files by id, not by download URL")
    add(
        "--late-validation",
        action="store_true",
        help="let a faulty input file become a failed batch instead of refusing it",
    )
    add("--data-dir", type=Path, metavar="DIR", help="keep batches and files across restarts")
    add("--backend", metavar="URL", help="answer lines by this chat-completions server")
    add("--backend-model", metavar="NAME", help="the model to ask there")
    add("--backend-concurrency", type=int, default=4, help="lines asked at a time (default: 4)")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="have a bad day; --list-faults names them",
    )
    add("--rules", type=Path, metavar="FILE", help="bad days by operation and by chance (TOML)")
    add("--list-faults", action="store_true", help="name the bad days and stop")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0 when it was stopped, 2 when it could not start."""
    options = parser().parse_args(arguments)
    if options.list_faults:
        _list_faults()
        return 0
    try:
        simulator = _simulator(options)
    except (OSError, ValueError, FolderUnusable) as error:
        print(f"siliconflow-batch simulate: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if not _is_loopback(options.host):
        warning = "warning: other machines can reach this simulator; it is made for loopback."
        print(warning, file=sys.stderr)  # noqa: T201
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("siliconflow_batch_simulator").setLevel(logging.INFO)
    print(simulator.base_url, flush=True)  # noqa: T201
    # uvicorn stops at these and raises them again: unhandled they would leave the files behind.
    for ending in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(ending, _stop)
    try:
        simulator.serve()
    except KeyboardInterrupt:
        pass
    finally:
        simulator.close()
    return 0


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _simulator(options: argparse.Namespace) -> Simulator:
    if options.backend_concurrency < 1:
        raise OptionInvalid("--backend-concurrency must be at least 1.")
    if options.backend_model and not options.backend:
        raise OptionInvalid("--backend-model needs --backend.")
    backend = None
    if options.backend:
        if not options.backend.startswith(("http://", "https://")):
            raise OptionInvalid(f"--backend must be an http URL, not {options.backend!r}.")
        backend = Backend(options.backend, options.backend_model, options.backend_concurrency)
    if options.running < 0 or options.cancelling < 0:
        raise OptionInvalid("--running and --cancelling are seconds, 0 or more.")
    return Simulator(
        keys=tuple(dict.fromkeys(options.api_key or [DEFAULT_KEY])),
        host=options.host,
        port=options.port,
        faults=(*options.fault, *(_read_rules(options.rules) if options.rules else ())),
        backend=backend,
        data_dir=options.data_dir,
        keep_requests=0,
        clock=Clock(options.speed)
        if options.start is None
        else Clock(options.speed, options.start),
        pace=Pace(running=options.running, cancelling=options.cancelling),
        seed=options.seed,
        urls=not options.result_ids,
        late_validation=options.late_validation,
    )


def _read_rules(path: Path) -> list[Rule]:
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        if found.keys() != {"rule"}:
            raise ValueError(
                f"it must hold [[rule]] tables alone, not {', '.join(found) or 'nothing'}"
            )
        return [Rule(**row) for row in found["rule"]]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise OptionInvalid(f"{path} cannot be read: {error}; see --help for its form.") from error


def _list_faults() -> None:
    width = max(map(len, {**VARIANTS, **FAULTS}))
    faults = [(f"faults of {kind}, against the documents", rows) for kind, rows in CLASSES.items()]
    for kind, rows in [("variants, legal", VARIANTS), *faults]:
        print(f"{kind}:")  # noqa: T201 - the command's output
        for name, behaviour in rows.items():
            print(f"  {name:<{width}}  {behaviour.description}")  # noqa: T201


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
