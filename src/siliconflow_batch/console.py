"""
The console script. Each command is a row of COMMANDS, with its module and its extra.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .cli import exits

CLI = "siliconflow_batch.cli.program"
COMMANDS = {
    "validate": (CLI, "cli", "validate input files"),
    "submit": (CLI, "cli", "validate and upload input files, create batches"),
    "status": (CLI, "cli", "show batches"),
    "list": (CLI, "cli", "list the batches of the account"),
    "wait": (CLI, "cli", "wait for batches to end"),
    "results": (CLI, "cli", "download results and errors"),
    "download": (CLI, "cli", "download result files as they are"),
    "cancel": (CLI, "cli", "cancel batches"),
    "files": (CLI, "cli", "list the uploaded files"),
    "simulate": (
        "siliconflow_batch_simulator.launcher",
        "simulator",
        "run a simulator of the service",
    ),
    "conformance": (
        "siliconflow_batch_conformance.command",
        "conformance",
        "test the conformance of a service",
    ),
    "facts": (
        "siliconflow_batch_conformance.facts.facts_command",
        "conformance",
        "show what a recording says about the open questions",
    ),
}
USAGE = "\n".join(
    [
        "usage: siliconflow-batch COMMAND [options]",
        "",
        "commands (each has --help):",
        *(f"  {name:<12} {summary}" for name, (_, _, summary) in COMMANDS.items()),
        "",
        "The key is read from SILICONFLOW_API_KEY, or from a prompt on a terminal. The base URL is",
        "read from SILICONFLOW_BASE_URL; the default is the China site.",
        "",
        "exit status (simulate, conformance and facts have their own):",
        exits.table(),
        "",
        exits.WORST,
    ]
)


def script() -> NoReturn:
    """
    The console script.

    The step that ends a command is the last of the process: whoever sees it killed may run the same
    command again.
    """
    status = _finished_output(None)
    if exits.LAST:
        sys.stderr.flush()
        exits.LAST[0]()
        os._exit(status)
    sys.exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status; 2 for an unknown command."""
    status = _finished_output(arguments)
    _do_last()
    return status


def _do_last() -> None:
    while exits.LAST:
        exits.LAST.pop(0)()


def _finished_output(arguments: Sequence[str] | None) -> int:
    """Runs a command until all of its output is written; returns its exit status."""
    try:
        status = _run(*list(sys.argv[1:] if arguments is None else arguments) or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(name: str, *rest: str) -> int:
    if name in ("-h", "--help"):
        print(USAGE)  # noqa: T201 - the command's output
        return 0
    if name not in COMMANDS:
        print(f"siliconflow-batch: unknown command {name!r}\n\n{USAGE}", file=sys.stderr)  # noqa: T201
        return 2
    module, extra, _ = COMMANDS[name]
    try:
        command = importlib.import_module(module)
    except ModuleNotFoundError as missing:
        print(  # noqa: T201
            f"siliconflow-batch {name} requires {missing.name!r}; install it with:\n"
            f"  pip install 'siliconflow-batch[{extra}]'",
            file=sys.stderr,
        )
        return 2
    # The program of the client's commands needs the command's name.
    return int(command.main([name, *rest] if module == CLI else list(rest)))
