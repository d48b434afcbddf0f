"""
The commands for batches, and the list of uploaded files.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Any, TypeVar

import typer

from .. import AsyncSiliconFlowBatch, Batch, SiliconFlowBatch, Summary
from ..creations.list_walk import PAGE
from . import arguments as options
from . import exits
from .display import BATCHES, FILES, listing, print_summary, waiting
from .session import Session

Item = TypeVar("Item")


def status(
    context: typer.Context,
    ids: options.MaybeIds = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="TOKEN",
            help="Find the batch of a creation that got no response.",
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE_ID", help="The input file of the batch of --token."),
    ] = None,
    results: Annotated[
        bool,
        typer.Option(
            "--results",
            help="Read the results of batches that have ended, and show tokens and failures.",
        ),
    ] = False,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    Show batches. The exit status is 0 whatever their status is.

    In a pipe, the columns are tab-separated and have no header: id, status, total, completed,
    failed, created, input, errors. With --results, the tokens and the failures by reason are
    printed on stderr, or with --json as `results` of the batch.

    \b
    Examples:
      siliconflow-batch status batch_abc batch_def
      siliconflow-batch status batch_abc --results
      siliconflow-batch status batch_abc --json | jq .request_counts
      siliconflow-batch status --token 0123456789abcdef0123456789abcdef --file file-abc
    """
    session: Session = context.obj
    if not ids and token is None:
        raise exits.UsageWrong("Give batch ids or a --token.")
    if file is not None and token is None:
        raise exits.UsageWrong("--file needs --token.")
    with session.client(base_url) as client, listing(session, BATCHES) as add:
        for id in ids or ():
            with session.report_errors(id):
                batch = client.retrieve(id)
                if not results or not batch.is_final:
                    add(batch)
                    continue
                summary = _summary(client, batch)
                add(Batch({**batch.raw, "results": summary.facts()}))
                print_summary(session, id, summary)
        if token is not None:
            add(_find(client, token, file))


def _summary(client: SiliconFlowBatch, batch: Batch) -> Summary:
    """What the results of a batch amount to."""
    summary = Summary()
    for result in client.results(batch, check=False):
        summary.add(result)
    summary.end(batch)
    return summary


def _find(client: SiliconFlowBatch, token: str, file: str | None) -> Batch:
    """The batch with a token; raises `TokenNotListed` if the list shows that there is none."""
    batch = client.find(token, file)
    if batch is None:
        raise exits.TokenNotListed(token)
    return batch


def list_(
    context: typer.Context,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="N", min=0, help="Number of batches to show; 0 for all."),
    ] = 20,
    statuses: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Only this status; may be repeated."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE_ID", help="Only batches of this input file."),
    ] = None,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    List the batches of the account, in the order of the service.

    In a pipe, the columns are tab-separated and have no header: id, status, total, completed,
    failed, created, input, errors.

    \b
    Examples:
      siliconflow-batch list
      siliconflow-batch list --status in_queue --status in_progress
      siliconflow-batch list --limit 0 --status completed | cut -f1
    """
    session: Session = context.obj

    def is_selected(batch: Batch) -> bool:
        return (not statuses or batch.status in statuses) and file in (None, batch.input_file_id)

    with session.client(base_url) as client, listing(session, BATCHES) as add:
        page = min(limit + 1, PAGE) if limit and not (statuses or file) else PAGE
        _show(session, filter(is_selected, client.batches(page)), limit, add)


def files(
    context: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Number of files to show; 0 for all.")
    ] = 20,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    List the uploaded input files, newest first.

    In a pipe, the columns are tab-separated and have no header: id, bytes, lines, created, name.

    \b
    Examples:
      siliconflow-batch files
      siliconflow-batch files --limit 0 --json | jq -r .filename
    """
    session: Session = context.obj
    with session.client(base_url) as client, listing(session, FILES) as add:
        _show(session, client.files(limit + 1 if limit else None), limit, add)


def _show(session: Session, items: Iterator[Item], limit: int, add: Callable[[Item], None]) -> None:
    """Shows the first `limit` items, and reports whether there are more."""
    for item in islice(items, limit or None):
        add(item)
    if limit and next(items, None) is not None:
        session.print_note(f"There are more than {limit}; use --limit to show more.")


def cancel(
    context: typer.Context,
    ids: options.Ids,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    Cancel batches. Requests in progress are completed, and finished results stay available.

    The output is that of `status`. The service rejects the cancel of a batch that has ended.

    \b
    Examples:
      siliconflow-batch cancel batch_abc
      siliconflow-batch list --status in_queue | cut -f1 | xargs siliconflow-batch cancel
    """
    session: Session = context.obj
    with session.client(base_url) as client, listing(session, BATCHES) as add:
        for id in ids:
            with session.report_errors(id):
                add(client.cancel(id))


def wait(
    context: typer.Context,
    ids: options.Ids,
    timeout: options.Seconds = None,
    interval: options.Interval = 5,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    Wait for batches to end, concurrently.

    Each batch is printed when it ends, as by `status`. The exit status of a completed batch is 0
    even if lines failed; `results` reports those. Ctrl-C stops waiting; the batches continue.

    \b
    Examples:
      siliconflow-batch wait batch_abc batch_def
      siliconflow-batch wait batch_abc --timeout 3600
      siliconflow-batch wait batch_abc && siliconflow-batch results batch_abc
    """
    session: Session = context.obj
    with listing(session, BATCHES) as add:

        def on_end(_: str, batch: Batch) -> None:
            add(batch)
            batch.raise_unless_completed()

        await_all(session, ids, base_url, on_end, timeout=timeout, interval=interval)


def await_all(
    session: Session,
    ids: list[str],
    base_url: str | None,
    on_end: Callable[[str, Batch], None],
    *,
    timeout: float | None = None,
    interval: float = 5,
) -> None:
    """Waits for batches concurrently, and calls `on_end(id, batch)` for each."""

    async def wait_for(
        client: AsyncSiliconFlowBatch, id: str, on_update: Callable[[Batch], None]
    ) -> None:
        options: Any = {"timeout": timeout, "interval": interval, "on_update": on_update}
        with session.report_errors(id):
            on_end(id, await client.wait(id, check=False, **options))

    async def wait_for_all() -> None:
        async with session.async_client(base_url) as client:
            with waiting(session) as bar:
                await asyncio.gather(*(wait_for(client, id, bar(id)) for id in ids))

    asyncio.run(wait_for_all())
