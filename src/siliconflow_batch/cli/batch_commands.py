"""
What is done with batches that exist, and with the files of the account.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Any, TypeVar

import typer

from .. import AsyncSiliconFlowBatch, Batch, SiliconFlowBatch, flows
from . import arguments as options
from . import exits
from .display import BATCHES, FILES, listing, waiting
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
            help="Look for the batch of a creation that was not answered.",
        ),
    ] = None,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    Show batches, whatever their status; that they are shown is success.

    In a pipe the columns come tab-separated and without a head: id, status, total, completed,
    failed, created, input, errors.

    \b
    Examples:
      siliconflow-batch status batch_abc batch_def
      siliconflow-batch status batch_abc --json | jq .request_counts
      siliconflow-batch status --token 0123456789abcdef0123456789abcdef
    """
    session: Session = context.obj
    if not ids and token is None:
        raise exits.UsageWrong("Name batches, or a --token.")
    with session.client(base_url) as client, listing(session, BATCHES) as add:
        for id in ids or ():
            with session.each(id):
                add(client.retrieve(id))
        if token is not None:
            add(_find(client, token))


def _find(client: SiliconFlowBatch, token: str) -> Batch:
    """
    The batch with a token; raises `TokenNotListed`.

    Unlike `client.find`, which answers None then as well, this raises where the list is refused:
    who takes that for absence pays twice.
    """
    for batch in client.batches():
        if batch.token == token:
            return batch
    raise exits.TokenNotListed(token)


def list_(
    context: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Batches to show; 0 for all.")
    ] = 20,
    only: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Those with this status; may be repeated."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE_ID", help="Those of this uploaded input file."),
    ] = None,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    List the batches of the account, newest first.

    In a pipe the columns come tab-separated and without a head: id, status, total, completed,
    failed, created, input, errors.

    \b
    Examples:
      siliconflow-batch list
      siliconflow-batch list --status in_queue --status in_progress
      siliconflow-batch list --limit 0 --status completed | cut -f1
    """
    session: Session = context.obj

    def wanted(batch: Batch) -> bool:
        return (not only or batch.status in only) and file in (None, batch.input_file_id)

    with session.client(base_url) as client, listing(session, BATCHES) as add:
        page = min(limit + 1, flows.PAGE) if limit and not (only or file) else flows.PAGE
        _show(session, filter(wanted, client.batches(page)), limit, add)


def files(
    context: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Files to show; 0 for all.")
    ] = 20,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    List the uploaded input files, newest first.

    In a pipe the columns come tab-separated and without a head: id, bytes, lines, created, name.

    \b
    Examples:
      siliconflow-batch files
      siliconflow-batch files --limit 0 --json | jq -r .filename
    """
    session: Session = context.obj
    with session.client(base_url) as client, listing(session, FILES) as add:
        _show(session, client.files(limit + 1 if limit else None), limit, add)


def _show(session: Session, items: Iterator[Item], limit: int, add: Callable[[Item], None]) -> None:
    """Shows the first `limit` items, and says when there are more."""
    for item in islice(items, limit or None):
        add(item)
    if limit and next(items, None) is not None:
        session.tell(f"There are more than {limit}; --limit shows them.")


def cancel(
    context: typer.Context,
    ids: options.Ids,
    base_url: options.BaseUrl = None,
    as_json: options.Json = False,
) -> None:
    """
    Stop batches. Requests in flight still end, and what was answered can be fetched.

    Prints the batches as `status` does. A batch that has ended is refused by the service.

    \b
    Examples:
      siliconflow-batch cancel batch_abc
      siliconflow-batch list --status in_queue | cut -f1 | xargs siliconflow-batch cancel
    """
    session: Session = context.obj
    with session.client(base_url) as client, listing(session, BATCHES) as add:
        for id in ids:
            with session.each(id):
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
    Wait until batches have ended, all at once.

    Prints each as it ends, as `status` does. A completed batch is success even where lines of it
    failed: `results` tells of those. Ctrl-C stops the waiting alone; the batches go on.

    \b
    Examples:
      siliconflow-batch wait batch_abc batch_def
      siliconflow-batch wait batch_abc --timeout 3600
      siliconflow-batch wait batch_abc && siliconflow-batch results batch_abc
    """
    session: Session = context.obj
    with listing(session, BATCHES) as add:

        def ended(_: str, batch: Batch) -> None:
            add(batch)
            batch.raise_unless_completed()

        await_all(session, ids, base_url, ended, timeout=timeout, interval=interval)


def await_all(
    session: Session,
    ids: list[str],
    base_url: str | None,
    ended: Callable[[str, Batch], None],
    *,
    timeout: float | None = None,
    interval: float = 5,
) -> None:
    """Waits for batches side by side, and calls `ended` with each and the id it was asked by."""

    async def one(client: AsyncSiliconFlowBatch, id: str, tell: Callable[[Batch], None]) -> None:
        options: Any = {"timeout": timeout, "interval": interval, "on_update": tell}
        with session.each(id):
            ended(id, await client.wait(id, check=False, **options))

    async def everything() -> None:
        async with session.async_client(base_url) as client:
            with waiting(session) as bar:
                await asyncio.gather(*(one(client, id, bar(id)) for id in ids))

    asyncio.run(everything())
