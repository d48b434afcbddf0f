"""
What is judged of every answer, and when: the tables of the observer.

Rule: a judgment is a row: a requirement, when it is due, and its check.
"""

from collections.abc import Callable
from typing import Any

from .checks import bodies, history, pages, shapes
from .checks.creation import MUST_BE_REFUSED
from .checks.exchange import Exchange, batches, files

Check = Callable[..., str | None]
Due = tuple[str, Check, tuple[Any, ...]]

BUSY = {403, 429, 500, 502, 503, 504}
DOCUMENTED = [200, 400, 401, 403, 404, 429, 500, 503, 504]
CREATE, LIST, RETRIEVE = "POST /batches", "GET /batches", "GET /batches/{batch_id}"
CANCEL, UPLOAD, FILES = "POST /batches/{batch_id}/cancel", "POST /files", "GET /files"
CONTENT = "GET /files/{file_id}/content"
MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError)


def _answers(*operations: str) -> Callable[[Exchange], bool]:
    return lambda e: e.status == 200 and e.operation in operations


def _says_json(e: Exchange) -> bool:
    return e.status in (200, 400) and bool(e.operation) and e.operation != CONTENT


def is_creation(e: Exchange) -> bool:
    return e.operation == CREATE and e.request_type.startswith("application/json")


# One answer against its request and against itself.
ALONE: list[tuple[str, Callable[[Exchange], bool], Check, tuple[Any, ...]]] = [
    ("WIRE-1", _says_json, shapes.is_strict_json, ()),
    ("WIRE-2", _says_json, shapes.is_labelled_json, ()),
    ("WIRE-3", lambda e: bool(e.operation), shapes.status_is_documented, (DOCUMENTED,)),
    ("WIRE-4", lambda e: bool(e.operation), shapes.has_a_true_length, ()),
    ("WIRE-5", lambda e: e.status == 404 and bool(e.operation), shapes.is_a_string, ()),
    ("CREATE-19", lambda e: e.status == 400 and bool(e.operation), shapes.is_an_error_body, ()),
    ("BATCH-1", _answers(CREATE, RETRIEVE, CANCEL), shapes.is_a_batch, ()),
    ("BATCH-2", _answers(CREATE, RETRIEVE, CANCEL, LIST, UPLOAD), shapes.objects_are_named, ()),
    ("LIST-12", _answers(LIST), shapes.is_a_page, ()),
    ("UPLOAD-1", _answers(UPLOAD), shapes.is_an_upload, ()),
    ("FILES-4", _answers(FILES), shapes.is_a_file_list, ()),
    ("FILES-5", _answers(FILES), shapes.objects_are_named, ()),
    ("TIME-1", lambda e: bool(batches(e)), bodies.times_are_seconds, ()),
    ("TIME-2", lambda e: bool(batches(e)), bodies.times_are_in_order, ()),
    ("TIME-3", lambda e: bool(batches(e)), bodies.status_has_its_times, ()),
    ("TIME-4", lambda e: bool(batches(e)), bodies.expires_when_due, ()),
    ("CREATE-5", lambda e: bool(batches(e)), bodies.expires_with_its_window, ()),
    ("COUNT-1", lambda e: bool(batches(e)), bodies.counts_add_up, ()),
    ("COUNT-2", lambda e: bool(batches(e)), bodies.nothing_is_counted_early, ()),
    ("RESULT-5", lambda e: bool(batches(e)), bodies.results_are_named, ()),
    ("BATCH-3", lambda e: bool(batches(e)), bodies.errors_are_of_failures, ()),
    ("FILES-8", _answers(FILES), pages.repeats_no_file, ()),
    ("RESULT-6", lambda e: bool(batches(e)), bodies.results_come_last, ()),
    ("CREATE-1", _answers(CREATE), bodies.echoes_the_request, ()),
    ("CREATE-2", _answers(CREATE), bodies.echoes_metadata, ()),
    ("CREATE-4", _answers(CREATE), bodies.is_fresh, ()),
    ("CREATE-6", _answers(CREATE), bodies.was_created_now, ()),
    ("UPLOAD-6", _answers(UPLOAD), bodies.was_created_now, ()),
    (
        "UPLOAD-2",
        lambda e: e.operation == UPLOAD and bool(files(e)),
        bodies.describes_the_upload,
        (),
    ),
    ("LIST-1", _answers(LIST), pages.names_its_ends, ()),
    ("LIST-2", _answers(LIST), pages.is_newest_first, ()),
    ("LIST-3", lambda e: _answers(LIST)(e) and "after" in e.query, pages.begins_behind, ()),
    ("LIST-4", lambda e: _answers(LIST)(e) and "limit" in e.query, pages.keeps_to_its_limit, ()),
    ("LIST-5", _answers(LIST), pages.repeats_nothing, ()),
    ("AUTH-4", lambda e: e.status == 401, shapes.is_a_string, ()),
]
# A batch that was seen before, then as the answer shows it now.
LATER: list[tuple[str, Check]] = [
    ("LIFE-1", history.goes_on),
    ("LIFE-3", history.keeps_its_times),
    ("COUNT-3", history.counts_do_not_shrink),
    ("LIFE-8", history.ends_once),
]

# What the methods of the observer judge besides.
BY_MEMORY = [
    *(
        "AUTH-1",
        "AUTH-2",
        "AUTH-3",
        "CREATE-17",
        "HTTP-1",
        "HTTP-2",
        "CANCEL-4",
        "CANCEL-9",
        "CONTENT-1",
        "COUNT-4",
    ),
    *("CREATE-20", "FILES-1", "FILES-3", "LIFE-6", "LIST-9", "LIST-10", "RETRIEVE-1", "RETRIEVE-4"),
    *(f"OWNER-{number}" for number in range(1, 7)),
    *(f"RESULT-{number}" for number in (1, 2, 3, 4, 7, 8, 10, 11)),
    "UPLOAD-7",
]
# Traffic may speak against these; that they hold, only a case can show, which goes and looks.
SHOWN_BY_CASES = ("CREATE-20", "LIST-3", "LIST-4", "LIST-5", "LIST-10", "RETRIEVE-4")
OBSERVED = list(
    dict.fromkeys(
        [*(row[0] for row in ALONE), *(row[0] for row in LATER), *MUST_BE_REFUSED, *BY_MEMORY]
    )
)
