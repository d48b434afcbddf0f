"""Open questions about one batch: its creation, its fields, its cancel."""

import re
from collections.abc import Iterator
from typing import Any

from ..checks.creation import must_be_refused
from ..checks.exchange import (
    CANCEL_BATCH,
    CREATE_BATCH,
    FINAL_STATUSES,
    LIST_BATCHES,
    RETRIEVE_BATCH,
    WAITING_STATUSES,
    Exchange,
    batches,
    the_batch,
)
from .sightings import BATCH_ID, CREATED, Exchanges, Sighting, shows, successes, with_key

SHOWING = (CREATE_BATCH, RETRIEVE_BATCH, CANCEL_BATCH, LIST_BATCHES)
HOURS = re.compile(r"([0-9]+)h")
# The guide's example of a batch leaves these out.
SOMETIMES_MISSING = {"finalizing_at", "cancelling_at", "cancelled_at"}
OFTEN_NULL = {
    *("in_progress_at", "completed_at", "failed_at", "expired_at"),
    *("output_file_id", "error_file_id"),
}


def _shown(exchanges: Exchanges) -> Iterator[tuple[Exchange, dict[str, Any]]]:
    """Every batch of every response, with its exchange."""
    for exchange in successes(exchanges, *SHOWING):
        for batch in batches(exchange).values():
            yield exchange, batch


def unknown_batch(exchanges: Exchanges) -> Iterator[Sighting]:
    known = {id for exchange in exchanges for id in batches(exchange)}
    names = {404: "not-found", 400: "bad-request"}
    for exchange in with_key(exchanges, RETRIEVE_BATCH, CANCEL_BATCH):
        is_unknown = BATCH_ID.fullmatch(exchange.path_id) and exchange.path_id not in known
        if is_unknown and exchange.status in names:
            yield shows(exchange, names[exchange.status])


def created_status(exchanges: Exchanges) -> Iterator[Sighting]:
    for creation in successes(exchanges, CREATE_BATCH):
        if batches(creation):
            yield shows(creation, "created" if creation.status == CREATED else "ok")


def batch_errors(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange, batch in _shown(exchanges):
        match batch.get("errors"):
            case {"data": [*_]}:
                yield shows(exchange, "list-object")
            case [{}, *_]:
                yield shows(exchange, "objects")
            case [str(), *_]:
                yield shows(exchange, "strings")


def no_errors(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange, batch in _shown(exchanges):
        if batch.get("status") == "failed" or "errors" not in batch:
            continue
        if batch["errors"] is None:
            yield shows(exchange, "is-null")
        elif batch["errors"] == []:
            yield shows(exchange, "empty-list")


def optional_fields(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange, batch in _shown(exchanges):
        nulls = {name for name in SOMETIMES_MISSING | OFTEN_NULL if batch.get(name, "") is None}
        if OFTEN_NULL - batch.keys():
            yield shows(exchange, "all-missing")
        elif SOMETIMES_MISSING - batch.keys():
            yield shows(exchange, "times-missing")
        elif nulls & SOMETIMES_MISSING:
            yield shows(exchange, "is-null")


def no_counts(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange, batch in _shown(exchanges):
        if batch.get("status") not in WAITING_STATUSES or "request_counts" not in batch:
            continue
        match batch["request_counts"]:
            case None:
                yield shows(exchange, "is-null")
            case dict(counts) if not counts:
                yield shows(exchange, "empty-object")
            case dict(counts) if not any(counts.values()):
                yield shows(exchange, "zeros")


def expires_at(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange, batch in _shown(exchanges):
        window = HOURS.fullmatch(str(batch.get("completion_window")))
        created, expires = batch.get("created_at"), batch.get("expires_at")
        if window and type(created) is int and type(expires) is int:
            is_window = expires - created == int(window[1]) * 3600
            yield shows(exchange, "window" if is_window else "differs")


def waiting_status(exchanges: Exchanges) -> Iterator[Sighting]:
    names = {"in_queue": "in-queue", "validating": "validating"}
    for creation in successes(exchanges, CREATE_BATCH):
        status = str(the_batch(creation).get("status"))
        if status in names:
            yield shows(creation, names[status])


def null_in_request(exchanges: Exchanges) -> Iterator[Sighting]:
    accepted = {
        str(one.request_json.get("input_file_id")) for one in successes(exchanges, CREATE_BATCH)
    }
    for creation in with_key(exchanges, CREATE_BATCH):
        body = creation.request_json
        optional = [body[name] for name in ("metadata", "replace") if name in body]
        if not optional or any(value is not None for value in optional):
            continue
        if str(body.get("input_file_id")) not in accepted or must_be_refused(body):
            continue  # there may be another reason for a refusal
        if creation.status == 400:
            yield shows(creation, "refused")
        elif batches(creation):
            yield shows(creation, "accepted")


def finished_cancel(exchanges: Exchanges) -> Iterator[Sighting]:
    finished: dict[str, str] = {}
    for exchange in with_key(exchanges, *SHOWING):
        status = finished.get(exchange.path_id)
        if exchange.operation == CANCEL_BATCH and status:
            if exchange.status == 400:
                yield shows(exchange, "refused")
            elif batches(exchange):
                is_unchanged = the_batch(exchange).get("status") == status
                yield shows(exchange, *(["accepted-unchanged"] if is_unchanged else []))
        for id, batch in batches(exchange).items():
            if batch.get("status") in FINAL_STATUSES:
                finished[id] = str(batch["status"])
