"""
Rules about batches and files that earlier exchanges showed.

Rule: an account's objects are compared with what the same account saw; what another account sees of
them is judged by OWNER alone.
"""

from collections.abc import Callable

from ..checks import history, pages, shapes
from ..checks.exchange import (
    CANCEL_BATCH,
    CREATE_BATCH,
    DOWNLOAD_FILE,
    FINAL_STATUSES,
    LIST_BATCHES,
    LIST_FILES,
    RESULT_FIELDS,
    RETRIEVE_BATCH,
    UPLOAD_FILE,
    Exchange,
    batches,
    files,
    the_batch,
)
from ..inventory import Inventory, SeenBatch, distinct, tag_of
from .rule import Arguments, Rule, Select


def _foreign_path(operation: str, *statuses: int) -> Select:
    """A request that names another account's object in its path."""

    def select(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
        foreign = inventory.is_foreign(exchange.path_id, exchange)
        return [(exchange, *statuses)] if exchange.operation == operation and foreign else []

    return select


def _foreign_input_file(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    foreign = inventory.is_foreign(exchange.request_json.get("input_file_id"), exchange)
    return [(exchange, 400, 403, 404)] if exchange.operation == CREATE_BATCH and foreign else []


def _others_objects(operation: str) -> Select:
    """A list, and what other accounts created."""

    def select(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
        if exchange.operation != operation or exchange.status != 200 or not exchange.has_account:
            return []
        others = [
            *(seen.created for seen in inventory.batches.values() if seen.owner != exchange.sender),
            *(upload for upload in inventory.uploads.values() if upload.sender != exchange.sender),
        ]
        return [(exchange, [one for one in others if one])] if others else []

    return select


def _retrieval_after_creation(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    batch = inventory.batch_in_path(exchange)
    if exchange.operation != RETRIEVE_BATCH or batch is None or batch.created is None:
        return []
    return [(batch.created, exchange)]


def _cancel_of_seen_batch(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    batch = inventory.batch_in_path(exchange)
    if exchange.operation != CANCEL_BATCH or batch is None or batch.latest is None:
        return []
    return [(batch.latest, exchange)]


def _finished_before_cancel(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    """A batch that had ended before a cancel named it, and the response that shows it again."""
    batch = inventory.batch_in_path(exchange)
    named = {cancel.path_id for cancel in inventory.cancels if cancel.sender == exchange.sender}
    if exchange.operation != RETRIEVE_BATCH or exchange.path_id not in named or batch is None:
        return []
    latest = batch.latest
    has_ended = latest is not None and the_batch(latest).get("status") in FINAL_STATUSES
    return [(latest, exchange)] if has_ended and the_batch(exchange) else []


def _creation_and_earlier_ones(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    if exchange.operation != CREATE_BATCH:
        return []
    seen = inventory.batches_in(exchange)
    return [(exchange, [batch.created for batch in seen if batch.created])]


def _own_batches_and_cancels(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    """A response, the creations of its batches, and the sender's cancels so far."""
    if exchange.operation == CREATE_BATCH:
        return []
    created = [seen.created for seen in inventory.batches_in(exchange) if seen.created]
    certain = [one for one in created if not inventory.uncertain & batches(one).keys()]
    cancels = [one for one in inventory.cancels if one.sender == exchange.sender]
    if exchange.operation == CANCEL_BATCH:
        cancels.append(exchange)
    return [(exchange, certain, cancels)] if certain else []


def _each_batch(earlier: Callable[[SeenBatch], Exchange | None], *operations: str) -> Select:
    """The earlier exchange that showed a batch, and the response that shows it again."""

    def select(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
        seen = inventory.batches_in(exchange) if exchange.operation in operations else []
        return [(before, exchange) for before in distinct(map(earlier, seen))]

    return select


def _others_with_results(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    """Each other batch with result files, and the response that shows a batch with some."""
    batch = inventory.batch_in_path(exchange)
    if exchange.operation != RETRIEVE_BATCH or batch is None or not the_batch(exchange):
        return []
    return (
        [
            (other.latest, exchange)
            for other in inventory.batches.values()
            if other is not batch and other.latest and _has_results(other.latest)
        ]
        if _has_results(exchange)
        else []
    )


def _has_results(exchange: Exchange) -> bool:
    return any(the_batch(exchange).get(name) for name in RESULT_FIELDS)


def _creation_unless_retrieved(batch: SeenBatch) -> Exchange | None:
    return None if batch.retrieved else batch.created


def _upload_and_earlier_ones(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    if exchange.operation != UPLOAD_FILE:
        return []
    return [
        (exchange, [inventory.uploads[id] for id in files(exchange) if id in inventory.uploads])
    ]


def _listed_uploads(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    ids = files(exchange) if exchange.operation == LIST_FILES else ()
    return [(upload, exchange) for upload in inventory.uploads_of(ids)]


def _input_files_of_page(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    """The uploads that the batches of a page were created from."""
    if exchange.operation != LIST_BATCHES:
        return []
    ids = [str(batch.get("input_file_id")) for batch in batches(exchange).values()]
    return [(upload, exchange) for upload in inventory.uploads_of(ids)]


def _own_upload_read(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    upload = inventory.uploads.get(exchange.path_id)
    if upload is None or (exchange.operation, exchange.status) != (DOWNLOAD_FILE, 200):
        return []
    return [(upload, exchange)] if upload.sender == exchange.sender else []


def _same_tag(exchange: Exchange, inventory: Inventory) -> list[Arguments]:
    """An earlier response to the same request with the same ETag."""
    tag = tag_of(exchange)
    earlier = inventory.tagged.get(tag) if tag else None
    return [(earlier, exchange)] if earlier else []


_latest = _each_batch(lambda batch: batch.latest, RETRIEVE_BATCH, CANCEL_BATCH)
_retrieved = _each_batch(lambda batch: batch.retrieved, RETRIEVE_BATCH, CANCEL_BATCH)
_created = _each_batch(_creation_unless_retrieved, RETRIEVE_BATCH, CANCEL_BATCH)
_listed = _each_batch(lambda batch: batch.retrieved, LIST_BATCHES)

RULES = (
    Rule("OWNER-1", _foreign_path(RETRIEVE_BATCH, 404, 400), shapes.status_is),
    Rule("OWNER-3", _foreign_path(CANCEL_BATCH, 404, 400), shapes.status_is),
    Rule("OWNER-4", _foreign_path(DOWNLOAD_FILE, 404), shapes.status_is),
    Rule("OWNER-5", _foreign_input_file, shapes.status_is),
    Rule("OWNER-2", _others_objects(LIST_BATCHES), pages.leaves_out_other_accounts),
    Rule("OWNER-6", _others_objects(LIST_FILES), pages.leaves_out_other_accounts),
    Rule("RETRIEVE-4", _retrieval_after_creation, history.is_found),
    Rule("CANCEL-4", _cancel_of_seen_batch, history.finished_batch_is_not_cancelled),
    Rule("CANCEL-4", _finished_before_cancel, history.is_the_same_batch),
    Rule("CREATE-20", _creation_and_earlier_ones, history.has_new_batch_id),
    Rule("CANCEL-9", _own_batches_and_cancels, history.only_named_batches_are_cancelled),
    Rule("LIFE-1", _latest, history.status_may_follow),
    Rule("LIFE-3", _latest, history.keeps_timestamps),
    Rule("COUNT-3", _latest, history.counts_do_not_shrink),
    Rule("COUNT-5", _latest, history.total_does_not_change),
    Rule("RESULT-12", _others_with_results, history.has_own_result_files),
    Rule("LIFE-8", _latest, history.finished_batch_is_unchanged),
    Rule("RETRIEVE-1", _retrieved, history.keeps_created_fields),
    Rule("RETRIEVE-1", _created, history.matches_creation),
    Rule("LIST-9", _listed, history.is_listed_as_retrieved),
    Rule("LIST-16", _listed, history.is_listed_with_its_input),
    Rule("LIST-17", _listed, history.is_listed_with_its_metadata),
    Rule("LIST-10", _input_files_of_page, history.lists_file_name),
    Rule("UPLOAD-7", _upload_and_earlier_ones, history.has_new_file_id),
    Rule("FILES-1", _listed_uploads, history.lists_the_upload),
    Rule("FILES-3", _listed_uploads, history.lists_upload_time),
    Rule("HTTP-6", _same_tag, shapes.has_another_etag),
    Rule("CONTENT-1", _own_upload_read, history.content_equals_upload),
)
