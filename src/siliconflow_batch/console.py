"""
The console script: each command is a row of COMMANDS and lives where its work is.
"""

import importlib
import os
import sys
from collections.abc import Sequence

from .cli import exits

CLI = "siliconflow_batch.cli.program"
COMMANDS = {
    "validate": (CLI, "cli", "check input files"),
    "submit": (CLI, "cli", "check and upload input files, create batches"),
    "status": (CLI, "cli", "show batches"),
    "list": (CLI, "cli", "list the batches of the account"),
    "wait": (CLI, "cli", "wait until batches have ended"),
    "results": (CLI, "cli", "fetch what was answered and what failed"),
    "cancel": (CLI, "cli", "stop batches"),
    "files": (CLI, "cli", "list the uploaded files"),
    "simulate": ("siliconflow_batch_simulator.launcher", "simulator", "serve the API here"),
    "conformance": ("siliconflow_batch_conformance.command", "conformance", "check a service"),
}
USAGE = "\n".join(
    [
        "usage: siliconflow-batch COMMAND [options]",
        "",
        "commands (each has --help):",
        *(f"  {name:<12} {what}" for name, (_, _, what) in COMMANDS.items()),
        "",
        "The key comes from SILICONFLOW_API_KEY, or is asked for; the site from",
        "SILICONFLOW_BASE_URL, by default the China site.",
        "",
        "exit status (simulate and conformance have their own):",
        exits.table(),
        "",
        exits.WORST,
    ]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status; 2 when there is no such command."""
    try:
        status = _run(*list(sys.argv[1:] if arguments is None else arguments) or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of a long list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(name: str, *rest: str) -> int:
    if name in ("-h", "--help"):
        print(USAGE)  # noqa: T201 - the command's output
        return 0
    if name not in COMMANDS:
        print(f"siliconflow-batch: no command {name!r}\n\n{USAGE}", file=sys.stderr)  # noqa: T201
        return 2
    module, extra, _ = COMMANDS[name]
    try:
        command = importlib.import_module(module)
    except ModuleNotFoundError as missing:
        print(  # noqa: T201
            f"siliconflow-batch {name} needs {missing.name!r}, which comes with an extra:\n"
            f"  pip install 'siliconflow-batch[{extra}]'",
            file=sys.stderr,
        )
        return 2
    # The commands of one module are one program, which is told the name.
    return int(command.main([name, *rest] if module == CLI else list(rest)))
