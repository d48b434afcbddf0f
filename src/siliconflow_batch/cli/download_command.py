"""
The command that downloads result files as they are, and the download that `results` uses as well.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from attrs import define

from .. import Batch, Result, SiliconFlowBatch, flows
from ..errors import APIError, ArgumentInvalid, ResultsIncomplete
from ..input_files.sources import InputFile, downloaded
from ..result_files import ordering
from ..result_files.summary import Summary
from . import arguments, exits
from .display import OnProgress, transfers
from .messages import parts, safe
from .session import Session

Bar = Callable[[str], OnProgress | None]


@define
class Download:
    """
    The download of a batch's results. `order` sorts them.

    `source` is the input, once it is known; `needs_input`: it is downloaded if it was not given.
    """

    client: SiliconFlowBatch
    batch: Batch
    session: Session
    bar: Bar
    order: str | None = None
    source: InputFile | None = None
    needs_input: bool = False

    def records(self, folder: Path) -> Iterator[Result]:
        """Downloads the result files to `folder`, and returns their results."""
        paths = self.fetch({kind: folder / kind for kind in ordering.BOTH})
        if self.source is None and (self.needs_input or self.order):
            self.source = self._fetch_input(folder)
        return ordering.in_order(paths, self.source if self.order else None)

    def fetch(self, targets: dict[str, Path]) -> list[Path]:
        """Downloads each result file that the batch has to its target."""
        found = ordering.references(self.batch, targets)
        return [self._fetch(reference, targets[kind]) for kind, reference in found]

    def _fetch_input(self, folder: Path) -> InputFile | None:
        """The downloaded input; None, with a note, if it cannot be downloaded."""
        try:
            return downloaded(self._fetch(ordering.input_of(self.batch), folder / "input"))
        except (APIError, ArgumentInvalid) as error:
            reason = parts(error)[0]
            self.session.print_note(f"{self.batch.id}: the input cannot be downloaded: {reason}")
            return None

    def _fetch(self, reference: str, target: Path) -> Path:
        on_progress = self.bar(f"{self.batch.id} {target.name}")
        return self.client.download(reference, target, on_progress=on_progress)


def download(
    context: typer.Context,
    ids: arguments.Ids,
    output_dir: Annotated[
        Path, typer.Option("--output-dir", metavar="DIR", help="The folder to write to.")
    ] = Path(),
    base_url: arguments.BaseUrl = None,
    as_json: arguments.Json = False,
) -> None:
    """
    Download the result files of batches as they are.

    They are written to ID.output.jsonl and ID.error.jsonl, each when it is complete. The paths are
    printed, one per line.

    \b
    Examples:
      siliconflow-batch download batch_abc
      siliconflow-batch download batch_abc batch_def --output-dir raw
    """
    session: Session = context.obj
    output_dir.mkdir(parents=True, exist_ok=True)
    with session.client(base_url) as client, transfers(session) as bar:
        for id in ids:
            with session.report_errors(id):
                batch = ended_batch(client, id)
                targets = {kind: output_dir / f"{id}.{kind}.jsonl" for kind in ordering.BOTH}
                paths = Download(client, batch, session, bar).fetch(targets)
                for path in paths:
                    if session.json:
                        session.print_json({"id": id, "file": str(path)})
                    else:
                        session.print_result(safe(str(path)))
                batch.raise_unless_completed()
                if not paths:
                    raise ResultsIncomplete(batch, Summary())


def ended_batch(client: SiliconFlowBatch, batch: Batch | str) -> Batch:
    """The batch with its result files; raises `NotEnded` if it has not ended."""
    ended = client._run(flows.with_results(batch, client._patience))
    if not ended.is_final:
        raise exits.NotEnded(ended.id, ended.status)
    return ended
