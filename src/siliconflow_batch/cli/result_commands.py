"""
The command for results, which writes them to stdout or to files.

Rule 1: results are downloaded completely before they are written, and files are replaced
atomically.
Rule 2: failed lines are results; they affect the exit status only.
"""

import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer
from attrs import asdict, define

from .. import Batch, Result, SiliconFlowBatch
from ..result_files import ordering
from ..result_files import results as records
from . import arguments, exits
from .batch_commands import await_all
from .display import OnProgress, transfers
from .messages import to_json
from .session import Session

Bar = Callable[[str], OnProgress | None]
PREFIX = ".siliconflow-batch-"


OutputFile = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write the results of one batch to this file."),
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


def results(
    context: typer.Context,
    ids: arguments.Ids,
    output: OutputFile = None,
    output_dir: OutputFolder = None,
    errors: Errors = False,
    wait: Wait = False,
    order: Order = None,
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
    """
    session: Session = context.obj
    targets = _targets(ids, output, output_dir)
    ended: dict[str, Batch] = {}
    if wait:

        def keep(id: str, batch: Batch) -> None:
            ended[id] = batch

        await_all(session, ids, base_url, keep, interval=interval)
    with session.client(base_url) as client, transfers(session) as bar:
        for id in ended if wait else ids:
            with session.report_errors(id):
                batch = ended.get(id) or client.retrieve(id)
                _results(session, Download(client, batch, errors, order, bar), targets.get(id))


def _targets(ids: list[str], output: Path | None, folder: Path | None) -> dict[str, Path]:
    """The output file of each batch; creates its folder before the command waits."""
    if output and folder:
        raise exits.UsageWrong("Use either --output or --output-dir.")
    if output and len(ids) > 1:
        raise exits.UsageWrong("--output supports one batch only; use --output-dir.")
    if output:
        if output.is_dir() or not output.parent.is_dir():
            raise exits.UsageWrong(
                f"--output must be a file in an existing folder, not {str(output)!r}."
            )
        return {ids[0]: output}
    if folder is None:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return {id: folder / f"{id}.jsonl" for id in ids}


@define
class Download:
    """The download of a batch's results; `errors` selects failed lines, `order` sorts them."""

    client: SiliconFlowBatch
    batch: Batch
    errors: bool
    order: str | None
    bar: Bar

    def records(self, folder: Path) -> Iterator[Result]:
        """Downloads the result files to `folder`, and returns their results."""
        kinds = ("error",) if self.errors else ("output", "error")
        paths = [
            self._fetch(reference, folder / kind)
            for kind, reference in ordering.references(self.batch, kinds)
        ]
        if self.order is None:
            return chain.from_iterable(map(records.read, paths))
        source = self._fetch(ordering.input_of(self.batch), folder / "input")
        return ordering.in_order(paths, source)

    def _fetch(self, reference: str, target: Path) -> Path:
        on_progress = self.bar(f"{self.batch.id} {target.name}")
        return self.client.download(reference, target, on_progress=on_progress)


@define
class Tally:
    """The number of lines by outcome; `missing` ones are in no result file."""

    answered: int = 0
    failed: int = 0
    missing: int = 0

    def count(self, result: Result) -> None:
        if result.ok:
            self.answered += 1
        else:
            self.failed += 1


def _results(session: Session, download: Download, target: Path | None) -> None:
    """Writes the results of one batch; raises if lines failed or have no result."""
    batch, tally = download.batch, Tally()
    if not batch.is_final:
        raise exits.NotEnded(batch.id, batch.status)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=target and target.parent) as folder:
        results = download.records(Path(folder))
        if target is None:
            for result in results:
                tally.count(result)
                session.print_json(result.raw)
        else:
            _write(results, Path(folder) / "whole", tally).replace(target)
    if download.errors:
        tally.answered = batch.counts.completed  # they were not downloaded
    else:
        tally.missing = max(batch.counts.total - tally.answered - tally.failed, 0)
    if target is not None:
        _print_summary(session, batch, tally, target)
    if tally.failed or tally.missing or batch.status != "completed":
        raise exits.ResultsIncomplete(batch.id, batch.status, batch.errors, **asdict(tally))
    session.print_note(f"{batch.id}: {tally.answered} answered, none failed")


def _write(results: Iterator[Result], path: Path, tally: Tally) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for result in results:
            tally.count(result)
            file.write(to_json(result.raw) + "\n")
    return path


def _print_summary(session: Session, batch: Batch, tally: Tally, target: Path) -> None:
    if session.json:
        summary = {"id": batch.id, "status": batch.status, "file": str(target)}
        session.print_json(summary | asdict(tally))
    else:
        session.print_note(f"{batch.id}: written to {target}")
