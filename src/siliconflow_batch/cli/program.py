"""
The commands, combined into one program.

Rule: commands raise exceptions; this module and `exits` turn them into exit statuses.
"""

from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.main import get_command

from ..errors import SiliconFlowError
from . import batch_commands, download_command, exits, input_commands, result_commands
from .session import PROGRAM, Session, interruptible, reported_log

# Each command with its possible exit statuses, other than 130.
COMMANDS: dict[str, tuple[Callable[..., None], tuple[int, ...]]] = {
    "validate": (input_commands.validate, (0, 1, 2)),
    "submit": (input_commands.submit, (0, 1, 2, 3, 4, 7)),
    "status": (batch_commands.status, (0, 2, 3, 4, 7)),
    "list": (batch_commands.list_, (0, 2, 3, 4)),
    "wait": (batch_commands.wait, (0, 2, 3, 4, 5, 6)),
    "results": (result_commands.results, (0, 2, 3, 4, 5, 6)),
    "download": (download_command.download, (0, 2, 3, 4, 5, 6)),
    "cancel": (batch_commands.cancel, (0, 2, 3, 4)),
    "files": (batch_commands.files, (0, 2, 3, 4)),
}


def _app() -> typer.Typer:
    # No markup: it would change the examples. No pretty exceptions: they would show keys.
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    for name, (function, codes) in COMMANDS.items():
        epilog = f"\b\nExit status:\n{exits.table(*codes, exits.INTERRUPTED)}"
        app.command(name, epilog=epilog)(function)
    return app


def main(arguments: Sequence[str]) -> int:
    """Runs the command named by the first argument, and returns the exit status."""
    # Parsed here as well, so that usage errors are printed as JSON.
    session = Session(list(arguments), json="--json" in arguments)
    with interruptible(), reported_log(session):
        try:
            _run(session)
        except BrokenPipeError:
            raise
        except typer.Exit as exit_:
            return exit_.exit_code
        except typer.TyperException as error:
            see = f"See {PROGRAM} {arguments[0]} --help."
            session.report_error(exits.UsageWrong(f"{error.format_message()}\n\n{see}"))
        except (SiliconFlowError, OSError) as error:
            session.report_error(error)
        except KeyboardInterrupt:
            session.report_interruption()
    return session.exit_status


def _run(session: Session) -> None:
    command: Any = get_command(_app())
    with command.make_context(PROGRAM, list(session.arguments), obj=session) as context:
        command.invoke(context)
