"""
Rules about one response: against its request and against itself.

FORM is due on every response, WRONG_KEYS and REFUSALS are not due on one that says "not now".
"""

from ..checks import bodies, pages, shapes
from ..checks.creation import MUST_BE_REFUSED
from ..checks.exchange import (
    CANCEL_BATCH,
    CREATE_BATCH,
    DOWNLOAD_FILE,
    LIST_BATCHES,
    LIST_FILES,
    RETRIEVE_BATCH,
    UPLOAD_FILE,
    Exchange,
    batches,
    files,
)
from .rule import Condition, Rule, succeeded, when

DOCUMENTED_STATUSES = [200, 400, 401, 403, 404, 429, 500, 503, 504]
LEGAL_STATUSES = [402, 413, 451]  # no money, too large, illegal: they need no documents


def _is_operation(exchange: Exchange) -> bool:
    return bool(exchange.operation)


def _has_any_status(exchange: Exchange) -> bool:
    return bool(exchange.operation) and exchange.status > 0


def _has_json_body(exchange: Exchange) -> bool:
    return exchange.status in (200, 400) and exchange.operation not in ("", DOWNLOAD_FILE)


def _has_status(status: int) -> Condition:
    return lambda exchange: exchange.status == status and bool(exchange.operation)


def _shows_batches(exchange: Exchange) -> bool:
    return bool(batches(exchange))


def _shows_upload(exchange: Exchange) -> bool:
    return exchange.operation == UPLOAD_FILE and bool(files(exchange))


def _lists_with(parameter: str) -> Condition:
    listed = succeeded(LIST_BATCHES)
    return lambda exchange: listed(exchange) and parameter in exchange.query


def _timed(condition: Condition) -> Condition:
    """Whether the condition holds, and it is known when the response arrived."""
    return lambda exchange: exchange.at > 0 and condition(exchange)


_returned_batch = succeeded(CREATE_BATCH, RETRIEVE_BATCH, CANCEL_BATCH)
_created = succeeded(CREATE_BATCH)
_listed = succeeded(LIST_BATCHES)
_uploaded = succeeded(UPLOAD_FILE)
_listed_files = succeeded(LIST_FILES)

FORM = (
    Rule("WIRE-4", when(_is_operation), shapes.is_well_formed),
    Rule("WIRE-1", when(_has_json_body), shapes.is_strict_json),
    Rule("WIRE-2", when(_has_json_body), shapes.has_json_content_type),
    Rule(
        "WIRE-3",
        when(_has_any_status, [*DOCUMENTED_STATUSES, *LEGAL_STATUSES]),
        shapes.status_is_documented,
    ),
    Rule("WIRE-5", when(_has_status(404)), shapes.body_is_a_string),
    Rule("WIRE-6", when(_is_operation), shapes.leaves_out_the_key),
    Rule("CREATE-19", when(_has_status(400)), shapes.is_an_error_body),
    Rule("CREATE-28", when(_created, 200), shapes.status_is),
    Rule("BATCH-1", when(_returned_batch), shapes.is_a_batch),
    Rule("BATCH-4", when(_shows_batches), shapes.has_fields_without_value),
    Rule("BATCH-5", when(_shows_batches), bodies.errors_are_strings),
    Rule(
        "BATCH-2",
        when(succeeded(CREATE_BATCH, RETRIEVE_BATCH, CANCEL_BATCH, LIST_BATCHES, UPLOAD_FILE)),
        shapes.has_documented_object_types,
    ),
    Rule("LIST-12", when(_listed), shapes.is_a_page),
    Rule("UPLOAD-1", when(_uploaded), shapes.is_an_upload),
    Rule("FILES-4", when(_listed_files), shapes.is_a_file_list),
    Rule("FILES-5", when(_listed_files), shapes.has_documented_object_types),
    Rule("CANCEL-11", when(succeeded(CANCEL_BATCH)), bodies.is_the_named_batch),
    Rule("TIME-1", when(_timed(_shows_batches)), bodies.timestamps_are_seconds),
    Rule("TIME-2", when(_shows_batches), bodies.timestamps_are_in_order),
    Rule("TIME-3", when(_shows_batches), bodies.timestamps_match_status),
    Rule("TIME-4", when(_shows_batches), bodies.expired_at_is_not_early),
    Rule("CREATE-5", when(_shows_batches), bodies.expires_at_matches_window),
    Rule("TIME-5", when(_timed(_shows_batches)), bodies.past_events_are_not_ahead),
    Rule("COUNT-6", when(_shows_batches), bodies.counts_are_complete),
    Rule("COUNT-1", when(_shows_batches), bodies.counts_add_up),
    Rule("COUNT-2", when(_shows_batches), bodies.waiting_batch_counts_nothing),
    Rule("RESULT-5", when(_shows_batches), bodies.result_files_match_counts),
    Rule("BATCH-3", when(_shows_batches), bodies.completed_batch_has_no_errors),
    Rule("FILES-8", when(_listed_files), pages.lists_each_file_once),
    Rule("RESULT-9", when(_shows_batches), bodies.result_files_have_addresses),
    Rule("RESULT-6", when(_shows_batches), bodies.waiting_batch_has_no_results),
    Rule("CREATE-1", when(_created), bodies.echoes_the_request),
    Rule("CREATE-2", when(_created), bodies.echoes_metadata),
    Rule("CREATE-4", when(_created), bodies.is_unfinished),
    Rule("CREATE-29", when(_created), bodies.begins_with_a_documented_status),
    Rule("CREATE-6", when(_timed(_created)), bodies.created_at_is_now),
    Rule("UPLOAD-6", when(_timed(_uploaded)), bodies.created_at_is_now),
    Rule("UPLOAD-2", when(_shows_upload), bodies.matches_the_upload),
    Rule("LIST-1", when(_listed), pages.first_and_last_id_match),
    Rule("LIST-2", when(_listed), pages.is_newest_first),
    Rule("LIST-3", when(_lists_with("after")), pages.leaves_out_after),
    Rule("LIST-4", when(_lists_with("limit")), pages.is_within_limit),
    Rule("LIST-5", when(_listed), pages.lists_each_batch_once),
    Rule("AUTH-4", when(lambda exchange: exchange.status == 401), shapes.body_is_a_string),
)


def _has_no_header(exchange: Exchange) -> bool:
    return exchange.authorization is None


def _has_bearer_key(exchange: Exchange) -> bool:
    scheme, space, key = (exchange.authorization or "").partition(" ")
    return scheme == "Bearer" and bool(space and key) and " " not in key


def _has_other_header(exchange: Exchange) -> bool:
    return not (_has_no_header(exchange) or _has_bearer_key(exchange))


WRONG_KEYS = (
    Rule("AUTH-1", when(_has_no_header, 401), shapes.status_is),
    Rule("AUTH-2", when(_has_bearer_key, 401), shapes.status_is),
    Rule("AUTH-3", when(_has_other_header, 401), shapes.status_is),
)


def _is_no_operation(exchange: Exchange) -> bool:
    is_elsewhere = "://" in exchange.path
    has_own_rule = exchange.method in ("OPTIONS", "HEAD")
    return not (exchange.operation or is_elsewhere or has_own_rule)


def _is_method_not_allowed(exchange: Exchange) -> bool:
    return not exchange.operation and exchange.status == 405


def _creates_with_object(exchange: Exchange) -> bool:
    """A creation whose body is a JSON object."""
    has_object = bool(exchange.request_json) or exchange.request_body == b"{}"
    return _creates_with_json(exchange) and has_object


def _creates_with_other_body(exchange: Exchange) -> bool:
    return _creates_with_json(exchange) and not _creates_with_object(exchange)


def _creates_with_json(exchange: Exchange) -> bool:
    is_json = exchange.request_type.startswith("application/json")
    return exchange.operation == CREATE_BATCH and is_json


def _creates_with(requirement: str) -> Condition:
    """A creation that the requirement demands to be refused."""
    is_wrong = MUST_BE_REFUSED[requirement]
    return lambda exchange: _creates_with_object(exchange) and is_wrong(exchange.request_json)


REFUSALS = (
    Rule("HTTP-1", when(_is_no_operation, 404, 405, 501), shapes.status_is),
    Rule("HTTP-2", when(_is_method_not_allowed), shapes.has_allow_header),
    Rule("CREATE-17", when(_creates_with_other_body), shapes.is_refused),
    *(Rule(id, when(_creates_with(id)), shapes.is_refused) for id in MUST_BE_REFUSED),
)
