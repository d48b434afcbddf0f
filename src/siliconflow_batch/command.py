"""
The console script: each command is a row of COMMANDS and lives where its work is.
"""

import importlib
import os
import sys
from collections.abc import Sequence

COMMANDS = {
    "simulate": ("siliconflow_batch_simulator.command", "simulator", "serve the API here"),
    "conformance": ("siliconflow_batch_conformance.command", "conformance", "check a service"),
}
USAGE = "\n".join(
    [
        "usage: siliconflow-batch COMMAND [options]",
        "",
        "commands (each has --help):",
        *(f"  {name:<12} {what}" for name, (_, _, what) in COMMANDS.items()),
    ]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status; 2 when there is no such command."""
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
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
    try:
        return int(command.main(rest))
    except BrokenPipeError:  # the reader of a long list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
