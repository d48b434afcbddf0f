"""
The commands for input files: validate and submit.

Rule: all files are validated before anything is sent.
"""

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from .. import Batch, Patience
from ..creations.orders import BatchSettings, Order
from ..errors import InputFileInvalid, LineFault
from ..input_files import validation
from ..input_files.sources import InputFile, opened
from ..state.command_files import open_command
from ..state.submissions import SubmissionBusy
from ..transport.upload import upload_call
from . import arguments, exits
from .display import transfers
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

    Every error is printed with its file, line, field and reason.

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
        source = arguments.input_source(file)
        summary = validation.validate(source, model=model, name=str(file), most=most + 1)
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


def submit(
    context: typer.Context,
    files: arguments.InputFiles,
    model: arguments.Model = None,
    window: Window = WINDOW,
    metadata: Metadata = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key",
            metavar="KEY",
            help="Any text, for one file: the same key returns the same batch.",
        ),
    ] = None,
    patience: Annotated[
        float,
        typer.Option(
            "--patience",
            metavar="SECONDS",
            min=0,
            help="How long to look for a batch whose creation had no clear response.",
        ),
    ] = Patience().seconds,
    new_account: Annotated[
        bool,
        typer.Option("--new-account", help="An empty list shows that no batch was created."),
    ] = False,
    base_url: arguments.BaseUrl = None,
    as_json: arguments.Json = False,
) -> None:
    """
    Validate and upload input files, and create a batch for each.

    The ids of the batches are printed, one per line. If any file is invalid, nothing is sent.

    If the command ends before every file has its batch, run the same command again: it continues,
    and creates no second batch. The progress is recorded in $SILICONFLOW_STATE, or else in
    ~/.local/state/siliconflow-batch.

    \b
    Examples:
      siliconflow-batch submit prompts.jsonl
      siliconflow-batch submit shards/*.jsonl --window 48h --metadata job=nightly
      zcat prompts.jsonl.gz | siliconflow-batch submit -
      siliconflow-batch submit prompts.jsonl --idempotency-key nightly-2026-11-25
      siliconflow-batch results --wait $(siliconflow-batch submit prompts.jsonl)
    """
    session: Session = context.obj
    if len({file.resolve() for file in files}) < len(files):
        raise exits.UsageWrong("The same file occurs twice; both batches would be charged.")
    if idempotency_key is not None and len(files) > 1:
        raise exits.UsageWrong("--idempotency-key needs exactly one file: a key names one batch.")
    settings = BatchSettings(window, arguments.metadata(metadata or []), model)
    with contextlib.ExitStack() as open_files:
        inputs = {}
        for path in files:
            with session.report_errors(str(path)):
                file = open_files.enter_context(opened(arguments.input_source(path)))
                inputs[path] = file, validation.validate(file, model=model)
        if session.exit_status:
            return
        patience_ = Patience(seconds=patience, new_account=new_account)
        ids = _submit(session, inputs, base_url, settings, idempotency_key, patience_)
    if ids:
        session.print_note("Next:")
        session.print_note(f"  {session.command('wait', *ids)}")
        session.print_note(f"  {session.command('results', '--wait', *ids)}")


def _submit(
    session: Session,
    inputs: Mapping[Path, tuple[InputFile, validation.InputSummary]],
    base_url: str | None,
    settings: BatchSettings,
    key: str | None,
    patience: Patience,
) -> list[str]:
    """
    Creates a batch for each file, and returns their ids.

    The same command continues until each file has its batch, and the process has printed
    everything. With an idempotency key the records stay.
    """
    made: list[str] = []
    orders: dict[int, Path] = {}

    def on_end(order: Order) -> None:
        path = orders[id(order)]
        with session.report_errors(str(path)):
            batch = client._made(order)
            made.append(batch.id)
            _print(session, path, order, batch)

    names = dict(zip(inputs, _names(inputs), strict=True))
    with (
        session.client(base_url, patience) as client,
        transfers(session) as bar,
        contextlib.ExitStack() as records,
    ):
        command = settings.digest(*sorted(f"{names[p]} {c.sha256}" for p, (_, c) in inputs.items()))
        begun = []
        for path, (file, checked) in inputs.items():
            with session.report_errors(str(path)):
                record = client._open_record(
                    key,
                    settings,
                    checked.sha256,
                    name=names[path],
                    source=file.name,
                    command="" if key else command,
                )
                records.callback(record.close)
                upload = partial(upload_call, file, checked, bar(file.name))
                order = client._order(settings, record, source=upload, is_keyed=key is not None)
                orders[id(order)] = path
                begun.append((order, record))
        unfinished = None if key else open_command(client._account(), command)
        if unfinished:
            records.callback(unfinished.close)
        elif begun and not key:
            raise SubmissionBusy(None, None)
        try:
            client._run(client._flow(*(order for order, _ in begun), on_end=on_end))
        except BrokenPipeError:
            session.discard_output()
            raise exits.OutputClosed(made) from None
        if unfinished and len(made) == len(inputs):
            # One step, after which the same command begins anew; then only what may be left out.
            exits.LAST += [unfinished.remove, *(record.forget for _, record in begun)]
            exits.LAST.append(records.pop_all().close)
    return made


def _names(inputs: Mapping[Path, tuple[InputFile, object]]) -> Iterator[str]:
    """A name for each input that is the same if the command is run again; a pipe has a number."""
    for number, (path, (file, _)) in enumerate(inputs.items(), 1):
        yield f"pipe {number}" if file.is_copy else str(path.resolve())


def _print(session: Session, path: Path, order: Order, batch: Batch) -> None:
    if order.made or (order.is_keyed and order.is_found):
        session.print_note(f"{path}: an earlier command has created this batch.")
    elif order.is_resumed and order.is_found:
        session.print_note(f"{path}: an earlier command was interrupted after creating this batch.")
    if session.json:
        session.print_json({**batch.raw, "source": str(path)})
    else:
        session.print_result(safe(batch.id))
