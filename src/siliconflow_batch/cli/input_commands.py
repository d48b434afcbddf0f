"""
The commands for input files: validate and submit.

Rule: all files are validated before anything is sent.
"""

from pathlib import Path
from typing import Annotated

import typer
from attrs import define

from .. import Batch, SiliconFlowBatch
from ..creations.orders import Settings
from ..errors import InputFileInvalid, LineFault
from ..input_files import validation
from . import arguments, exits
from .display import OnProgress, transfers
from .messages import safe
from .session import Session

WINDOW = "24h"
Window = Annotated[
    str, typer.Option("--window", metavar="HOURS", help="Completion window, from 24h to 336h.")
]
Metadata = Annotated[
    list[str] | None,
    typer.Option(
        "--metadata", metavar="KEY=VALUE", help="Metadata of the batches; may be repeated."
    ),
]


def validate(
    context: typer.Context,
    files: arguments.InputFiles,
    model: arguments.Model = None,
    most: Annotated[
        int,
        typer.Option(
            "--most", metavar="N", min=1, help="Maximum number of errors to print for each file."
        ),
    ] = 20,
    as_json: arguments.Json = False,
) -> None:
    """
    Validate input files. This needs no network and no key.

    Every error is printed with its file, line, field and reason. Standard input is not supported.

    \b
    Examples:
      siliconflow-batch validate prompts.jsonl
      siliconflow-batch validate shards/*.jsonl --model deepseek-ai/DeepSeek-V3
      siliconflow-batch validate prompts.jsonl --json | jq .faults
    """
    session: Session = context.obj
    for file in files:
        with session.report_errors(str(file)):
            _validate(session, file, model, most)


def _validate(session: Session, file: Path, model: str | None, most: int) -> None:
    """Prints the errors of a file, or a summary of it."""
    result: dict[str, object] = {"file": str(file), "sound": True}
    try:
        summary = validation.validate(file, model=model, most=most + 1)
    except InputFileInvalid as invalid:
        session.exit_status = max(session.exit_status, exits.INPUT_INVALID)
        faults = [_fault(fault) for fault in invalid.faults[:most]]
        more = len(invalid.faults) > most
        result |= {"sound": False, "faults": faults, "more": more}
        lines = [*map(str, invalid.faults[:most])]
        lines += [f"{file}: there are more errors; use --most to show them"] if more else []
    else:
        result |= {"lines": summary.lines, "bytes": summary.bytes, "model": summary.model}
        lines = [
            f"{file}: valid; {summary.lines:,} lines, {summary.bytes:,} bytes, "
            f"model {summary.model}"
        ]
    if session.json:
        session.print_json(result)
    else:
        session.print_result("\n".join(map(safe, lines)))


def _fault(fault: LineFault) -> dict[str, object]:
    return {"line": fault.line, "field": fault.field, "reason": fault.reason}


@define
class Submission:
    """The progress of one file; `creating` means that a batch may exist."""

    path: Path
    file_id: str | None = None
    creating: bool = False
    batch: Batch | None = None


def submit(
    context: typer.Context,
    files: arguments.InputFiles,
    model: arguments.Model = None,
    window: Window = WINDOW,
    metadata: Metadata = None,
    base_url: arguments.BaseUrl = None,
    as_json: arguments.Json = False,
) -> None:
    """
    Validate and upload input files, and create a batch for each.

    The ids of the batches are printed, one per line. If any file is invalid, nothing is sent.
    Standard input is not supported.

    \b
    Examples:
      siliconflow-batch submit prompts.jsonl
      siliconflow-batch submit shards/*.jsonl --window 48h --metadata job=nightly
      siliconflow-batch results --wait $(siliconflow-batch submit prompts.jsonl)
    """
    session: Session = context.obj
    if len({file.resolve() for file in files}) < len(files):
        raise exits.UsageWrong("The same file occurs twice; both batches would be charged.")
    checked_metadata = _checked_metadata(window, metadata or [], model)
    for file in files:
        with session.report_errors(str(file)):
            validation.validate(file, model=model)
    if session.exit_status:
        return
    submissions = [Submission(file) for file in files]
    try:
        _submit(session, submissions, base_url, window, checked_metadata, model)
    except KeyboardInterrupt:
        options = _settings(window, checked_metadata, model)
        session.next_steps = [_next_step(submission, options) for submission in submissions]
        raise
    if ids := [submission.batch.id for submission in submissions if submission.batch]:
        session.print_note("Next:")
        session.print_note(f"  {session.command('wait', *ids)}")
        session.print_note(f"  {session.command('results', '--wait', *ids)}")


def _submit(
    session: Session,
    submissions: list[Submission],
    base_url: str | None,
    window: str,
    metadata: dict[str, str],
    model: str | None,
) -> None:
    """Uploads each file and creates its batch; `submissions` record the progress."""
    with session.client(base_url) as client, transfers(session) as bar:
        for submission in submissions:
            with session.report_errors(str(submission.path)):
                file_id = _upload(client, submission, bar(submission.path.name))
                batch = _create(client, submission, file_id, window, metadata, model)
                _print(session, submission.path, batch)


def _checked_metadata(window: str, pairs: list[str], model: str | None) -> dict[str, str]:
    """Validates the options of the creation before anything is uploaded."""
    metadata = arguments.metadata(pairs)
    Settings(window, metadata, model)
    return metadata


def _upload(
    client: SiliconFlowBatch, submission: Submission, on_progress: OnProgress | None
) -> str:
    submission.file_id = client.upload(submission.path, on_progress=on_progress).id
    return submission.file_id


def _create(
    client: SiliconFlowBatch,
    submission: Submission,
    file_id: str,
    window: str,
    metadata: dict[str, str],
    model: str | None,
) -> Batch:
    submission.creating = True
    submission.batch = client.create(file_id, window=window, metadata=metadata, model=model)
    return submission.batch


def _print(session: Session, path: Path, batch: Batch) -> None:
    if session.json:
        session.print_json({**batch.raw, "source": str(path)})
    else:
        session.print_result(safe(batch.id))


def _settings(window: str, metadata: dict[str, str], model: str | None) -> tuple[str, ...]:
    """The options that repeat these settings."""
    options = [] if model is None else ["--model", model]
    options += [] if window == WINDOW else ["--window", window]
    for key, value in metadata.items():
        options += ["--metadata", f"{key}={value}"]
    return tuple(options)


def _next_step(submission: Submission, settings: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The state of an interrupted submission, and the command to continue with."""
    name, file_id = str(submission.path), submission.file_id
    if submission.batch is not None:
        return f"{name}: batch {submission.batch.id} continues:", ("wait", submission.batch.id)
    uploaded = f"uploaded as {file_id}; " if file_id else ""
    if submission.creating and file_id:
        text = (
            f"{name}: {uploaded}a batch may exist; submit the file again only if this lists none:"
        )
        return text, ("list", "--limit", "0", "--file", file_id)
    return f"{name}: {uploaded}no batch was created; submit the file again:", (
        "submit",
        name,
        *settings,
    )
