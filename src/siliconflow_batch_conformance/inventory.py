"""
What earlier exchanges showed: batches, uploaded files, downloads, cancels.

Rule 1: an object belongs to the account whose exchange showed it first; what other accounts see of
it is not recorded.
Rule 2: this module judges nothing; the rules ask it what they need.
"""

from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from attrs import define, field

from .checks.exchange import (
    CANCEL_BATCH,
    CREATE_BATCH,
    DOWNLOAD_FILE,
    LIST_BATCHES,
    REDIRECTS,
    RESULT_FIELDS,
    UPLOAD_FILE,
    Exchange,
    batches,
    files,
    the_batch,
)


@define
class SeenBatch:
    """
    A batch, the account that owns it, and the exchanges that showed it.

    `paths` are all paths that its result files had, each with the count that its lines belong to: a
    service may sign a URL anew for each response, or redirect.
    """

    owner: str
    created: Exchange | None = None
    retrieved: Exchange | None = None
    latest: Exchange | None = None
    paths: dict[str, str] = field(factory=dict)

    def result_files(self) -> list[tuple[str, str]]:
        """The path of each result file in the latest response, and the count of its lines."""
        return self._result_files(self.latest) if self.latest else []

    def add_paths(self, exchange: Exchange) -> None:
        # A file under both names counts as the output file.
        self.paths.update(reversed(self._result_files(exchange)))

    @staticmethod
    def _result_files(exchange: Exchange) -> list[tuple[str, str]]:
        batch = the_batch(exchange)
        return [
            (download_path(batch[name]), count)
            for name, count in RESULT_FIELDS.items()
            if isinstance(batch.get(name), str) and batch[name]
        ]


@define(eq=False)
class Inventory:
    """
    Uploads and batches are kept by id, downloads by path, and `tagged` responses, which have an
    ETag, by their request and that.
    """

    batches: dict[str, SeenBatch] = field(factory=dict)
    uploads: dict[str, Exchange] = field(factory=dict)
    downloads: dict[str, Exchange] = field(factory=dict)
    cancels: list[Exchange] = field(factory=list)
    tagged: dict[tuple[str, ...], Exchange] = field(factory=dict)
    uncertain: set[str] = field(factory=set)

    def add(self, exchange: Exchange) -> None:
        if exchange.operation == CANCEL_BATCH:
            self.cancels.append(exchange)
        for id in files(exchange) if exchange.operation == UPLOAD_FILE else ():
            self.uploads.setdefault(id, exchange)
        for id in batches(exchange):
            self._add_batch(id, exchange)
        if exchange.status in REDIRECTS and (redirected := self.batch_of_results(exchange)):
            location = urljoin(exchange.path, exchange.headers.get("location", ""))
            redirected.paths.setdefault(location, redirected.paths[exchange.path])
        if tag := tag_of(exchange):
            self.tagged.setdefault(tag, exchange)
        is_download = exchange.operation == DOWNLOAD_FILE or "://" in exchange.path
        if exchange.status == 200 and is_download:
            self.downloads.setdefault(exchange.path, exchange)

    def add_lost_request(self, path: str) -> None:
        """Records a request without a response: the batch in its path may have been cancelled."""
        self.uncertain.add(Exchange(0, "POST", path, 0).path_id)

    def _add_batch(self, id: str, exchange: Exchange) -> None:
        batch = self.batches.setdefault(id, SeenBatch(exchange.sender))
        if batch.owner != exchange.sender:
            return
        if exchange.operation == CREATE_BATCH:
            batch.created = batch.created or exchange
        elif exchange.operation != LIST_BATCHES:
            batch.retrieved = exchange
        if exchange.operation != LIST_BATCHES or batch.latest is None:
            batch.latest = exchange
        batch.add_paths(exchange)

    def owner(self, id: object) -> str | None:
        """The account that an id belongs to; None for an unknown id."""
        if not isinstance(id, str):
            return None
        if id in self.batches:
            return self.batches[id].owner
        return self.uploads[id].sender if id in self.uploads else None

    def is_foreign(self, id: object, exchange: Exchange) -> bool:
        """Whether an id belongs to another account than the sender, who has one as well."""
        return exchange.has_account and self.owner(id) not in (None, exchange.sender)

    def batch_in_path(self, exchange: Exchange) -> SeenBatch | None:
        """The sender's own batch that the request names in its path."""
        batch = self.batches.get(exchange.path_id)
        return batch if batch and batch.owner == exchange.sender else None

    def batches_in(self, exchange: Exchange) -> list[SeenBatch]:
        """The sender's own batches that the response shows and earlier exchanges showed too."""
        seen = [self.batches[id] for id in batches(exchange) if id in self.batches]
        return [batch for batch in seen if batch.owner == exchange.sender]

    def uploads_of(self, ids: Iterable[str]) -> list[Exchange]:
        return distinct(self.uploads.get(id) for id in ids)

    def batch_of_results(self, exchange: Exchange) -> SeenBatch | None:
        """The batch that names the downloaded file as one of its results."""
        is_result = "://" in exchange.path or exchange.path.endswith("/content")
        for batch in self.batches.values() if is_result and exchange.method == "GET" else ():
            without_host = urlsplit(exchange.path)._replace(scheme="", netloc="").geturl()
            if without_host in batch.paths:  # a redirect from an id names no host
                batch.paths.setdefault(exchange.path, batch.paths[without_host])
            if exchange.path in batch.paths:
                return batch
        return None


def tag_of(exchange: Exchange) -> tuple[str, ...]:
    """The account, the request and the strong ETag of a response; empty where there is none."""
    etag = exchange.headers.get("etag", "")
    if exchange.method != "GET" or exchange.status != 200 or not etag.startswith('"'):
        return ()
    return (
        exchange.sender,
        exchange.path,
        *sorted(f"{n}={v}" for n, v in exchange.query.items()),
        etag,
    )


def download_path(reference: str) -> str:
    """The path of a result file, which a batch names by id or by URL."""
    return reference if "://" in reference else f"/files/{reference}/content"


def distinct(exchanges: Iterable[Exchange | None]) -> list[Exchange]:
    """The exchanges without repetitions and without None."""
    return list({one.number: one for one in exchanges if one is not None}.values())
