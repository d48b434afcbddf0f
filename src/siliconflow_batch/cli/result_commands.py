"""
Results of batches, to stdout or to files.

Rule 1: what is written was fetched whole before: no line is ever half, and a file takes its place
when it is complete.
Rule 2: lines that failed are results too; they make an exit code, not a crash.
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


def results(
    context: typer.Context,
    ids: arguments.Ids,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write one batch's results to this file."),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            metavar="DIR",
            help="Write each batch's results to ID.jsonl in this folder.",
        ),
    ] = None,
    errors: Annotated[bool, typer.Option("--errors", help="The failed lines alone.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the batches first.")] = False,
    order: Annotated[
        Literal["input"] | None,
        typer.Option(
            "--order",
            metavar="input",
            help="The order of the input; else answered lines first, then failed ones.",
        ),
    ] = None,
    interval: arguments.Interval = 5,
    base_url: arguments.BaseUrl = None,
    as_json: arguments.Json = False,
) -> None:
    """
    Fetch the results of batches as JSON Lines: a record for every line, answered or failed.

    They go to stdout, or to files, which are replaced when they are complete; how many lines were
    answered is said on stderr. Lines without an answer make the exit status 5, after everything is
    written. With --json and files, an object for each file is printed.

    \b
    Examples:
      siliconflow-batch results batch_abc > answers.jsonl
      siliconflow-batch results --wait batch_abc --output answers.jsonl --order input
      siliconflow-batch results batch_abc batch_def --output-dir answers
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
            with session.each(id):
                batch = ended.get(id) or client.retrieve(id)
                _results(session, Fetching(client, batch, errors, order, bar), targets.get(id))


def _targets(ids: list[str], output: Path | None, folder: Path | None) -> dict[str, Path]:
    """The file of each batch, in a folder that is there before anybody waits."""
    if output and folder:
        raise exits.UsageWrong("--output and --output-dir are two places; name one.")
    if output and len(ids) > 1:
        raise exits.UsageWrong("--output is for one batch; --output-dir takes several.")
    if output:
        if output.is_dir() or not output.parent.is_dir():
            raise exits.UsageWrong(f"{str(output)!r} cannot be a file: name one in a folder.")
        return {ids[0]: output}
    if folder is None:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return {id: folder / f"{id}.jsonl" for id in ids}


@define
class Fetching:
    """What of which batch is fetched, and in which order."""

    client: SiliconFlowBatch
    batch: Batch
    errors: bool
    order: str | None
    bar: Bar

    def records(self, folder: Path) -> Iterator[Result]:
        """The results, once they are in `folder`."""
        kinds = ("error",) if self.errors else ("output", "error")
        paths = [
            self._fetch(reference, folder / kind)
            for kind, reference in ordering.references(self.batch, kinds)
        ]
        if self.order is None:
            return chain.from_iterable(map(records.read, paths))
        source = self._fetch(self.batch.input_file_id, folder / "input")
        return ordering.in_order(paths, source)

    def _fetch(self, reference: str, target: Path) -> Path:
        on_progress = self.bar(f"{self.batch.id} {target.name}")
        return self.client.download(reference, target, on_progress=on_progress)


@define
class Tally:
    """Lines written, by what became of them; `missing` ones are in no result file."""

    answered: int = 0
    failed: int = 0
    missing: int = 0

    def count(self, result: Result) -> None:
        if result.ok:
            self.answered += 1
        else:
            self.failed += 1


def _results(session: Session, fetching: Fetching, target: Path | None) -> None:
    """Writes the results of one batch; raises where lines of it have no answer."""
    batch, tally = fetching.batch, Tally()
    if not batch.is_final:
        raise exits.NotEnded(batch.id, batch.status)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=target and target.parent) as folder:
        found = fetching.records(Path(folder))
        if target is None:
            for result in found:
                tally.count(result)
                session.put_json(result.raw)
        else:
            _write(found, Path(folder) / "whole", tally).replace(target)
    if fetching.errors:
        tally.answered = batch.counts.completed  # which were not asked for
    else:
        tally.missing = max(batch.counts.total - tally.answered - tally.failed, 0)
    if target is not None:
        _say(session, batch, tally, target)
    if tally.failed or tally.missing or batch.status != "completed":
        raise exits.ResultsIncomplete(batch.id, batch.status, batch.errors, **asdict(tally))
    session.tell(f"{batch.id}: {tally.answered} answered, none failed")


def _write(found: Iterator[Result], path: Path, tally: Tally) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for result in found:
            tally.count(result)
            file.write(to_json(result.raw) + "\n")
    return path


def _say(session: Session, batch: Batch, tally: Tally, target: Path) -> None:
    if session.json:
        found = {"id": batch.id, "status": batch.status, "file": str(target)}
        session.put_json(found | asdict(tally))
    else:
        session.tell(f"{batch.id}: written to {target}")
