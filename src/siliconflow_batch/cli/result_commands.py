"""
The command for results, which writes them to stdout or to files.

Rule 1: results are downloaded completely before they are written, and files are replaced
atomically; devices and FIFOs are written into.
Rule 2: failed lines are results; they affect the exit status only.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer

from .. import Batch, Result
from ..errors import ResultsIncomplete
from ..input_files.sources import opened
from ..result_files import ordering, reading, resubmission
from ..result_files.summary import Summary
from ..state.atomic_file import check_target
from ..state.atomic_file import output as open_output
from . import arguments, exits
from .batch_commands import await_all
from .display import print_summary, transfers
from .download_command import Download, ended_batch
from .messages import to_json
from .session import Session

PREFIX = ".siliconflow-batch-"

OutputFile = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write one batch's results here; - is stdout."),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        metavar="DIR",
        help="Write the results of each batch to ID.jsonl in this folder.",
    ),
]
Errors = Annotated[bool, typer.Option("--errors", help="Only the failed lines.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the batches to end first.")]
Order = Annotated[
    Literal["input"] | None,
    typer.Option(
        "--order",
        metavar="input",
        help="Use the order of the input; by default failed lines come last.",
    ),
]

Source = Annotated[
    Path | None,
    typer.Option(
        "--input", metavar="FILE", help="The input of the batch; otherwise it is downloaded."
    ),
]
FailedInput = Annotated[
    Path | None,
    typer.Option(
        "--failed-input",
        metavar="FILE",
        help="Write the input lines without an answer to this file, to be submitted again.",
    ),
]


def results(
    context: typer.Context,
    ids: arguments.Ids,
    output: OutputFile = None,
    output_dir: OutputFolder = None,
    errors: Errors = False,
    wait: Wait = False,
    order: Order = None,
    source: Source = None,
    failed_input: FailedInput = None,
    interval: arguments.Interval = 5,
    base_url: arguments.BaseUrl = None,
    as_json: arguments.Json = False,
) -> None:
    """
    Download the results of batches as JSON Lines: one record for each line of the input.

    Records are written to stdout or to files, which are replaced atomically. A summary is printed
    on stderr. If lines failed or have no result, the exit status is 5. With --json and files, an
    object is printed for each file.

    \b
    Examples:
      siliconflow-batch results batch_abc > results.jsonl
      siliconflow-batch results --wait batch_abc --output results.jsonl --order input
      siliconflow-batch results batch_abc batch_def --output-dir results
      siliconflow-batch results batch_abc --errors | jq .custom_id
      siliconflow-batch results batch_abc --output all.jsonl --failed-input again.jsonl
    """
    session: Session = context.obj
    targets = _targets(ids, output, output_dir)
    _check_one_input(ids, source, failed_input)
    ended: dict[str, Batch] = {}
    with nullcontext() if source is None else opened(arguments.input_source(source)) as file:
        if wait:

            def keep(id: str, batch: Batch) -> None:
                ended[id] = batch

            await_all(session, ids, base_url, keep, interval=interval)
        with session.client(base_url) as client, transfers(session) as bar:
            for id in ended if wait else ids:
                with session.report_errors(id):
                    batch = ended_batch(client, ended.get(id) or id)
                    needs_input = failed_input is not None
                    one = Download(client, batch, session, bar, order, file, needs_input)
                    _results(session, one, targets.get(id), failed_input, errors)


def _check_one_input(ids: list[str], source: Path | None, failed_input: Path | None) -> None:
    for option, path in (("--input", source), ("--failed-input", failed_input)):
        if path and len(ids) > 1:
            raise exits.UsageWrong(f"{option} supports one batch only.")
    if failed_input == Path("-"):
        raise exits.UsageWrong("--failed-input needs the path of a file: stdout has the results.")
    if failed_input:
        check_target(failed_input)


def _targets(ids: list[str], output: Path | None, folder: Path | None) -> dict[str, Path]:
    """The output file of each batch; creates its folder before the command waits."""
    if output and folder:
        raise exits.UsageWrong("Use either --output or --output-dir.")
    if output and len(ids) > 1:
        raise exits.UsageWrong("--output supports one batch only; use --output-dir.")
    if output == Path("-"):
        return {}
    if output:
        check_target(output)
        return {ids[0]: output}
    if folder is None:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return {id: folder / f"{id}.jsonl" for id in ids}


def _results(
    session: Session,
    download: Download,
    target: Path | None,
    failed_input: Path | None,
    only_errors: bool,
) -> None:
    """Writes the results of one batch; raises if lines failed or have no result."""
    batch, summary = download.batch, Summary()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        records = download.records(folder)
        if download.source is not None:
            summary.expect(ordering.custom_ids(download.source))
        found = _counted(session, records, summary, batch.id)
        shown = (result for result in found if not (only_errors and result.ok))
        if target is None:
            for result in shown:
                session.print_json(result.raw)
        else:
            _write(shown, target)
            session.print_note(f"{batch.id}: written to {target}")
        summary.end(batch)
        if failed_input is not None:
            with session.report_errors(batch.id):
                _write_failed_input(session, download, folder, failed_input)
    if target is not None and session.json:
        facts = {"id": batch.id, "status": batch.status, "file": str(target)}
        session.print_json(facts | summary.facts())
    print_summary(session, batch.id, summary)
    if summary.failed or summary.missing or batch.status != "completed":
        raise ResultsIncomplete(batch, summary)
    summary.raise_unless_complete(batch)
    session.print_note(f"{batch.id}: {summary.answered} answered, none failed")


def _counted(
    session: Session, results: Iterator[Result], summary: Summary, id: str
) -> Iterator[Result]:
    """The results, counted; those that cannot be read are reported instead."""
    for result in results:
        summary.add(result)
        if result.custom_id:
            yield result
        else:
            session.print_note(f"{id}: {result.error_message}: {result.raw_bytes[:80]!r}")


def _write(results: Iterable[Result], path: Path) -> None:
    with open_output(path) as file:
        for result in results:
            file.write(to_json(result.raw).encode() + b"\n")


def _write_failed_input(session: Session, download: Download, folder: Path, target: Path) -> None:
    """Writes the lines of the input that have no answer, if there are any."""
    batch = download.batch
    if download.source is None:
        raise exits.UsageWrong("--failed-input needs the input: pass it with --input FILE.")
    unanswered = resubmission.Unanswered(batch, download.source)
    for kind in ordering.BOTH:
        if (folder / kind).exists():
            for result in reading.read(folder / kind, kind):
                unanswered.add(result)
    number, lines = 0, unanswered.lines()
    if first := next(lines, None):
        with open_output(target) as file:
            for line in chain([first], lines):
                file.write(line.rstrip(b"\r\n") + b"\n")
                number += 1
        session.print_note(f"{batch.id}: {target} has the lines to submit again: {number}")
    else:
        session.print_note(f"{batch.id}: every line has an answer; {target} is not written")
