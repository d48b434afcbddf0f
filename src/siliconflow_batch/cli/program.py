"""
The commands as one program: `main` is what the console script calls.

Rule: a command raises; what that means to the shell is decided here and in `exits`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.main import get_command

from ..errors import SiliconFlowError
from . import batch_commands, exits, input_commands, result_commands
from .session import PROGRAM, Session, interruptible, retries_told

# Each with the exit codes that it can end with, beside 130.
COMMANDS: dict[str, tuple[Callable[..., None], tuple[int, ...]]] = {
    "validate": (input_commands.validate, (0, 1, 2)),
    "submit": (input_commands.submit, (0, 1, 2, 3, 4, 7)),
    "status": (batch_commands.status, (0, 2, 3, 4)),
    "list": (batch_commands.list_, (0, 2, 3, 4)),
    "wait": (batch_commands.wait, (0, 2, 3, 4, 5, 6)),
    "results": (result_commands.results, (0, 2, 3, 4, 5, 6)),
    "cancel": (batch_commands.cancel, (0, 2, 3, 4)),
    "files": (batch_commands.files, (0, 2, 3, 4)),
}


def _app() -> typer.Typer:
    # No markup: examples stand in the help as they are typed. No pretty exceptions: they show keys.
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    for name, (function, codes) in COMMANDS.items():
        epilog = f"\b\nExit status:\n{exits.table(*codes, exits.INTERRUPTED)}"
        app.command(name, epilog=epilog)(function)
    return app


def main(arguments: Sequence[str]) -> int:
    """Runs a command, the first argument, and returns the exit status."""
    # Looked for here, so that what is wrong with the arguments is said as JSON too.
    session = Session(list(arguments), json="--json" in arguments)
    with interruptible(), retries_told(session):
        try:
            _run(session)
        except BrokenPipeError:
            raise
        except typer.Exit as ended:
            return ended.exit_code
        except typer.TyperException as wrong:
            see = f"See {PROGRAM} {arguments[0]} --help."
            session.fail(exits.UsageWrong(f"{wrong.format_message()}\n\n{see}"))
        except (SiliconFlowError, OSError) as error:
            session.fail(error)
        except KeyboardInterrupt:
            session.interrupted()
    return session.worst


def _run(session: Session) -> None:
    command: Any = get_command(_app())
    with command.make_context(PROGRAM, list(session.arguments), obj=session) as context:
        command.invoke(context)
