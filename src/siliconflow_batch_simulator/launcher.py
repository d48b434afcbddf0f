"""
The command `siliconflow-batch simulate`: the simulator in the foreground.
"""

import argparse
import ipaddress
import json
import logging
import signal
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .batches.lifecycle import Pace
from .faults import CLASSES, FAULTS
from .server import DEFAULT_KEY, Simulator
from .service.backend import Backend
from .service.clock import Clock
from .service.database import FolderUnusable
from .switches.switchboard import Rule
from .variants import VARIANTS, by_question

EPILOG = """\
examples:
  siliconflow-batch simulate
  siliconflow-batch simulate --port 8700 --api-key KEY --api-key KEY2
  siliconflow-batch simulate --speed 3600            one hour passes every second
  siliconflow-batch simulate --variant result-ids --variant list-oldest-first
                                                     another answer to two open questions
  siliconflow-batch simulate --fault rate-limited    every request is refused with 429
  siliconflow-batch simulate --rules rules.toml      variants and faults by operation, at random
  siliconflow-batch simulate --backend http://127.0.0.1:11434/v1 --backend-model llama3

rules.toml:
  [[rule]]
  name = "reset-after"
  operation = "POST /batches"     # default: every operation
  times = 2                       # number of requests; default: unlimited
  rate = 0.1                      # share of requests, chosen at random; default: 1.0
"""


class OptionInvalid(ValueError):
    """An option has an invalid value; nothing was started."""


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="siliconflow-batch simulate",
        description="Serve the SiliconFlow Batch API on this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_server_options(parser)
    _add_time_options(parser)
    _add_service_options(parser)
    _add_fault_options(parser)
    return parser


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8700, help="0 for any free port (default: %(default)s)")
    add(
        "--api-key",
        action="append",
        metavar="KEY",
        help=f"API key; repeat for more accounts (default: {DEFAULT_KEY})",
    )


def _add_time_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--speed",
        type=float,
        default=1.0,
        help="simulated seconds per second, 0 to stop the clock (default: %(default)s)",
    )
    add(
        "--start", type=float, metavar="SECONDS", help="initial time in Unix seconds (default: now)"
    )
    add(
        "--running",
        type=float,
        default=0.6,
        help="simulated seconds that the lines of a batch take (default: %(default)s)",
    )
    add(
        "--cancelling",
        type=float,
        default=0.3,
        help="simulated seconds that a cancel takes (default: %(default)s)",
    )


def _add_service_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--seed", type=int, help="make ids and random choices repeatable (default: random ids)")
    add("--data-dir", type=Path, metavar="DIR", help="keep batches and files across restarts")
    add("--backend", metavar="URL", help="send lines to this chat-completions server")
    add("--backend-model", metavar="NAME", help="model to use on the backend")
    add(
        "--backend-concurrency",
        type=int,
        default=4,
        help="lines sent to the backend at the same time (default: %(default)s)",
    )


def _add_fault_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--variant",
        action="append",
        default=[],
        metavar="NAME",
        help="answer an open question of the documents in this way; can be repeated",
    )
    add(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="activate a variant or a fault for all requests; can be repeated",
    )
    add(
        "--facts",
        type=Path,
        metavar="FILE",
        help="activate the variants that a recording shows: the output of `facts --json`",
    )
    add("--rules", type=Path, metavar="FILE", help="activate variants and faults by rules (TOML)")
    add("--list-faults", action="store_true", help="list all variants and faults, and exit")


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0 after it was stopped, 2 if it could not start."""
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
        warning = "warning: the simulator is meant for this machine, but others can reach it."
        print(warning, file=sys.stderr)  # noqa: T201
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("siliconflow_batch_simulator").setLevel(logging.INFO)
    print(simulator.base_url, flush=True)  # noqa: T201
    _serve(simulator)
    return 0


def _serve(simulator: Simulator) -> None:
    # uvicorn stops on these signals and raises them again; unhandled, they would end the process
    # before the temporary folder is removed.
    for ending in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(ending, _interrupt)
    try:
        simulator.serve()
    except KeyboardInterrupt:
        pass
    finally:
        simulator.close()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _simulator(options: argparse.Namespace) -> Simulator:
    if options.running < 0 or options.cancelling < 0:
        raise OptionInvalid("--running and --cancelling must be at least 0 seconds.")
    start = {} if options.start is None else {"start": options.start}
    return Simulator(
        keys=tuple(dict.fromkeys(options.api_key or [DEFAULT_KEY])),
        host=options.host,
        port=options.port,
        variants=(*options.variant, *(read_variants(options.facts) if options.facts else ())),
        faults=(*options.fault, *(read_rules(options.rules) if options.rules else ())),
        backend=_backend(options),
        data_dir=options.data_dir,
        keep_requests=0,
        clock=Clock(options.speed, **start),
        pace=Pace(running=options.running, cancelling=options.cancelling),
        seed=options.seed,
    )


def _backend(options: argparse.Namespace) -> Backend | None:
    if options.backend_concurrency < 1:
        raise OptionInvalid("--backend-concurrency must be at least 1.")
    if not options.backend:
        if options.backend_model:
            raise OptionInvalid("--backend-model needs --backend.")
        return None
    if not options.backend.startswith(("http://", "https://")):
        raise OptionInvalid(f"--backend must be an http URL, not {options.backend!r}.")
    return Backend(options.backend, options.backend_model, options.backend_concurrency)


def read_rules(path: Path) -> list[Rule]:
    """Reads a rules file; raises `OptionInvalid`."""
    try:
        document: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        if document.keys() != {"rule"}:
            names = ", ".join(document) or "nothing"
            raise ValueError(f"it must contain only [[rule]] tables, not {names}")
        return [Rule(**row) for row in document["rule"]]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        message = f"{path} cannot be read: {error}; --help shows an example."
        raise OptionInvalid(message) from error


def read_variants(path: Path) -> list[str]:
    """The names in `variants` of a facts file; raises `OptionInvalid`."""
    try:
        facts: Any = json.loads(path.read_text(encoding="utf-8"))
        names = facts["variants"] if isinstance(facts, dict) and "variants" in facts else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("it has no list of names at 'variants'")
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}; `siliconflow-batch facts --json` writes it."
        raise OptionInvalid(message) from error
    return names


def _list_faults() -> None:
    width = max(map(len, {**VARIANTS, **FAULTS}))
    variants = [
        (f"variants ({question or 'bad days'})", rows) for question, rows in by_question().items()
    ]
    classes = [(f"faults ({name})", rows) for name, rows in CLASSES.items()]
    for heading, rows in [*variants, *classes]:
        print(f"{heading}:")  # noqa: T201 - the command's output
        for name, behaviour in rows.items():
            print(f"  {name:<{width}}  {behaviour.description}")  # noqa: T201


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
