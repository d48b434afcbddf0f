"""Open questions about result files, and about the content of files."""

from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from ..checks.exchange import (
    DOWNLOAD_FILE,
    FINAL_STATUSES,
    REDIRECTS,
    RESULT_FIELDS,
    UPLOAD_FILE,
    Exchange,
    batches,
    files,
)
from ..inventory import download_path
from .sightings import Exchanges, Sighting, shows, successes, with_key

LINK_SECONDS = 3600  # for which a link works that expires
DELAY = 2  # seconds from `completed` to the names of the files


def result_reference(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange in exchanges:
        for batch in batches(exchange).values():
            for reference in _references(batch):
                yield shows(exchange, "url" if "://" in reference else "id")


def result_redirect(exchanges: Exchanges) -> Iterator[Sighting]:
    for download, _ in _downloads(exchanges):
        if download.status in REDIRECTS:
            yield shows(download, "redirect")
        elif download.status == 200:
            yield shows(download, "direct")


def result_encoding(exchanges: Exchanges) -> Iterator[Sighting]:
    for download, _ in _downloads(exchanges):
        encoding = download.headers.get("content-encoding", "identity").strip().lower()
        if download.status == 200 and encoding in ("identity", "gzip"):
            yield shows(download, encoding)


def result_length(exchanges: Exchanges) -> Iterator[Sighting]:
    for download, _ in _downloads(exchanges):
        if download.status == 200:
            has_length = "content-length" in download.headers
            yield shows(download, "content-length" if has_length else "chunked")


def result_expiry(exchanges: Exchanges) -> Iterator[Sighting]:
    for download, named in _downloads(exchanges):
        is_late = named.at > 0 and download.at - named.at >= LINK_SECONDS
        if "://" in download.path and is_late and download.status in (200, 403):
            yield shows(download, "stays" if download.status == 200 else "expires")


def result_delay(exchanges: Exchanges) -> Iterator[Sighting]:
    unfinished: dict[str, float] = {}
    for exchange in exchanges:
        for id, batch in batches(exchange).items():
            if batch.get("status") != "completed":
                unfinished[id] = exchange.at
            elif id in unfinished:
                seconds = min(exchange.at - unfinished.pop(id), _age(exchange, batch))
                if not _references(batch):
                    yield shows(exchange, "later")
                elif seconds < DELAY:
                    yield shows(exchange, "with-status")


def _age(exchange: Exchange, batch: dict[str, Any]) -> float:
    """Seconds since the batch has completed, by the service's clock, which shows whole seconds."""
    try:
        date = parsedate_to_datetime(exchange.headers.get("date", ""))
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        return aware.timestamp() + 1 - float(batch["completed_at"])
    except (KeyError, TypeError, ValueError):
        return float("inf")


def no_failures(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange in exchanges:
        for batch in batches(exchange).values():
            counts = batch.get("request_counts")
            has_failures = not isinstance(counts, dict) or counts.get("failed") != 0
            if batch.get("status") not in FINAL_STATUSES or has_failures:
                continue
            if batch.get("error_file_id", 0) in (None, ""):
                is_null = batch["error_file_id"] is None
                yield shows(exchange, "is-null" if is_null else "empty-string")


def file_content(exchanges: Exchanges) -> Iterator[Sighting]:
    owners = {
        id: upload.sender for upload in successes(exchanges, UPLOAD_FILE) for id in files(upload)
    }
    names = {200: "exists", 404: "missing"}
    for exchange in with_key(exchanges, DOWNLOAD_FILE):
        if owners.get(exchange.path_id) == exchange.sender and exchange.status in names:
            yield shows(exchange, names[exchange.status])


def _references(batch: dict[str, Any]) -> list[str]:
    """The result files that a batch names."""
    return [
        batch[name] for name in RESULT_FIELDS if isinstance(batch.get(name), str) and batch[name]
    ]


def _downloads(exchanges: Exchanges) -> Iterator[tuple[Exchange, Exchange]]:
    """The downloads of result files, each with the first response that named the file."""
    named: dict[str, Exchange] = {}
    for exchange in exchanges:
        for batch in batches(exchange).values():
            for reference in _references(batch):
                named.setdefault(download_path(reference), exchange)
        if exchange.method == "GET" and exchange.path in named:
            yield exchange, named[exchange.path]
