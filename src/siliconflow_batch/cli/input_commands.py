"""
What is done with input files: checked, and submitted.

Rule: of several files all are checked before anything is sent.
"""

from pathlib import Path
from typing import Annotated

import typer
from attrs import define

from .. import Batch, SiliconFlowBatch, flows
from ..errors import InputFileInvalid, LineFault
from ..input_files import validation
from . import arguments, exits
from .display import OnProgress, transfers
from .messages import safe
from .session import Session

WINDOW = "24h"


def validate(
    context: typer.Context,
    files: arguments.InputFiles,
    model: arguments.Model = None,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1, help="Faults to print of each file.")
    ] = 20,
    as_json: arguments.Json = False,
) -> None:
    """
    Check input files, without the network and without a key.

    Prints every fault with its file, line, field and reason. Standard input ('-') is not read.

    \b
    Examples:
      siliconflow-batch validate prompts.jsonl
      siliconflow-batch validate shards/*.jsonl --model deepseek-ai/DeepSeek-V3
      siliconflow-batch validate prompts.jsonl --json | jq .faults
    """
    session: Session = context.obj
    for file in files:
        with session.each(str(file)):
            _validate(session, file, model, most)


def _validate(session: Session, file: Path, model: str | None, most: int) -> None:
    """Says what is wrong with a file, or what it holds."""
    found: dict[str, object] = {"file": str(file), "sound": True}
    try:
        summary = validation.validate(file, model=model, most=most + 1)
    except InputFileInvalid as invalid:
        session.worst = max(session.worst, exits.FAULTS)
        faults = [_fault(fault) for fault in invalid.faults[:most]]
        more = len(invalid.faults) > most
        found |= {"sound": False, "faults": faults, "more": more}
        shown = [*map(str, invalid.faults[:most])]
        shown += [f"{file}: and more; --most shows them"] if more else []
    else:
        found |= {"lines": summary.lines, "bytes": summary.bytes, "model": summary.model}
        shown = [
            f"{file}: sound; {summary.lines:,} lines, {summary.bytes:,} bytes, "
            f"model {summary.model}"
        ]
    if session.json:
        session.put_json(found)
    else:
        session.put("\n".join(map(safe, shown)))


def _fault(fault: LineFault) -> dict[str, object]:
    return {"line": fault.line, "field": fault.field, "reason": fault.reason}


@define
class Submission:
    """How far one file has come; `creating` means that a batch may exist."""

    path: Path
    file_id: str | None = None
    creating: bool = False
    batch: Batch | None = None


def submit(
    context: typer.Context,
    files: arguments.InputFiles,
    model: arguments.Model = None,
    window: Annotated[
        str, typer.Option("--window", metavar="HOURS", help="Time to complete, from 24h to 336h.")
    ] = WINDOW,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            "--metadata", metavar="KEY=VALUE", help="A note on the batches; may be repeated."
        ),
    ] = None,
    base_url: arguments.BaseUrl = None,
    as_json: arguments.Json = False,
) -> None:
    """
    Check input files, upload them and create a batch of each.

    Prints the ids of the batches, one a line. All files are checked before anything is sent; where
    one has faults, nothing is. Standard input ('-') is not read.

    \b
    Examples:
      siliconflow-batch submit prompts.jsonl
      siliconflow-batch submit shards/*.jsonl --window 48h --metadata job=nightly
      siliconflow-batch results --wait $(siliconflow-batch submit prompts.jsonl)
    """
    session: Session = context.obj
    if len({file.resolve() for file in files}) < len(files):
        raise exits.UsageWrong("A file is named twice; each would be paid for.")
    notes = _checked(window, metadata or [], model)
    for file in files:
        with session.each(str(file)):
            validation.validate(file, model=model)
    if session.worst:
        return
    submissions = [Submission(file) for file in files]
    try:
        with session.client(base_url) as client, transfers(session) as bar:
            for submission in submissions:
                with session.each(str(submission.path)):
                    file_id = _upload(client, submission, bar(submission.path.name))
                    batch = _create(client, submission, file_id, window, notes, model)
                    _put(session, submission.path, batch)
    except KeyboardInterrupt:
        again = _settings(window, notes, model)
        session.onward = [_onward(submission, again) for submission in submissions]
        raise
    if ids := [submission.batch.id for submission in submissions if submission.batch]:
        session.tell("Go on with:")
        session.tell(f"  {session.command('wait', *ids)}")
        session.tell(f"  {session.command('results', '--wait', *ids)}")


def _checked(window: str, metadata: list[str], model: str | None) -> dict[str, str]:
    """The notes; refused here, with nothing sent, is what would be refused after the upload."""
    notes = arguments.pairs(metadata)
    flows.creation("file-to-come", window=window, metadata=notes, model=model, token="")
    return notes


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
    notes: dict[str, str],
    model: str | None,
) -> Batch:
    submission.creating = True
    submission.batch = client.create(file_id, window=window, metadata=notes, model=model)
    return submission.batch


def _put(session: Session, path: Path, batch: Batch) -> None:
    if session.json:
        session.put_json({**batch.model.to_dict(), "source": str(path)})
    else:
        session.put(safe(batch.id))


def _settings(window: str, notes: dict[str, str], model: str | None) -> tuple[str, ...]:
    """The options of the call, to be given again."""
    given = [] if model is None else ["--model", model]
    given += [] if window == WINDOW else ["--window", window]
    return (*given, *(part for key in notes for part in ("--metadata", f"{key}={notes[key]}")))


def _onward(submission: Submission, settings: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What exists of a submission that was interrupted, and the command that goes on with it."""
    name, file_id = str(submission.path), submission.file_id
    if submission.batch is not None:
        return f"{name}: batch {submission.batch.id} goes on:", ("wait", submission.batch.id)
    uploaded = f"uploaded as {file_id}; " if file_id else ""
    if submission.creating and file_id:
        said = f"{name}: {uploaded}its batch may exist; submit it again only if this shows none:"
        return said, ("list", "--limit", "0", "--file", file_id)
    return f"{name}: {uploaded}no batch was created; submit it again:", ("submit", name, *settings)
