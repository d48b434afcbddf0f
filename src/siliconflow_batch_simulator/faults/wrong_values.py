"""
Faults of values: a response has the right shape, and one value in it is wrong.

The documents: `custom_id` ties a result to its line; an id names one thing, and a result file
belongs to one batch; times are those of past events; counts are those of the lines of a file.
"""

import unicodedata
from collections.abc import Callable
from weakref import WeakKeyDictionary

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..hooks import Replacement, replaces
from ..http.app import Application
from ..service.service import Service
from ..switches.altering import (
    CANCEL,
    CONTENT,
    CREATE,
    FILES,
    LIST,
    RESULT,
    RETRIEVE,
    Body,
    Link,
    ListBatches,
    OneBatch,
    Page,
    Response,
    View,
    altering,
    altering_batch,
    altering_json,
    altering_queries,
    altering_requests,
)
from ..switches.switchboard import Behaviour
from .echo import results
from .memory import times_before

HOUR = 3600
_results: "WeakKeyDictionary[Service, str]" = WeakKeyDictionary()


def _ids(change: Callable[[str], str]) -> Replacement:
    return results(lambda line: {**line, "custom_id": change(line["custom_id"])})


@replaces(Service.view)
def _results_shared(original: View, service: Service, batch: Batch, link: Link) -> Body:
    body = original(batch, link)
    if body["output_file_id"]:
        body["output_file_id"] = _results.setdefault(service, body["output_file_id"])
    return body


def _finding(is_near: Callable[[str, str], bool]) -> Replacement:
    """An id that names no batch finds the first one for which `is_near(asked, id)`."""

    @replaces(Service.retrieve)
    def retrieve(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
        near = (id for id in service.batches if is_near(batch_id, id))
        return original(account, batch_id if batch_id in service.batches else next(near, batch_id))

    return retrieve


@replaces(Service.list_batches)
def _after_any_case(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    known = {id.lower(): id for id in service.batches}
    return original(account, limit, after and known.get(after.lower(), after))


def _event_ahead(body: Body, _: Batch) -> None:
    if body["in_progress_at"]:
        for name in ("in_progress_at", "finalizing_at", "completed_at"):
            body[name] = body[name] and body[name] + 3 * HOUR


@replaces(Service.view)
def _total_grows(original: View, service: Service, batch: Batch, link: Link) -> Body:
    body, before = original(batch, link), times_before(service, "total-grows", batch.id)
    if body["request_counts"] and not batch.final:
        body["request_counts"] = {**body["request_counts"], "total": batch.total + before}
    return body


def _without_failed(body: Body, _: Batch) -> None:
    if body["request_counts"]:
        body["request_counts"] = {**body["request_counts"]}
        del body["request_counts"]["failed"]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _metadata_escaped(body: Body, _: Batch) -> None:
    if body["metadata"]:
        body["metadata"] = {name: _escaped(text) for name, text in body["metadata"].items()}


def _metadata_converted(body: Body, _: Batch) -> None:
    if body["metadata"]:
        body["metadata"] = {
            name: int(text) if text.isdecimal() else text for name, text in body["metadata"].items()
        }


def _errors_beside(body: Body, batch: Batch) -> None:
    if batch.status == "in_progress":
        body["errors"] = ["The first line is odd."]


def _twenty_by_default(query: bytes) -> bytes:
    return query if b"limit=" in query else query + b"&limit=20"


def _purpose_ignored(scope: Scope, _: Service) -> Scope:
    return {**scope, "query_string": scope["query_string"].replace(b"fine-tune", b"batch")}


@replaces(Application.respond)
async def _head_broken(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    is_head = scope["method"] == "HEAD"
    await (PlainTextResponse("", 500) if is_head else original)(scope, receive, send)


def _stale(response: Response) -> None:
    page = response.json
    for item in page["data"]:
        is_cancelled = item["status"] in ("cancelling", "cancelled")
        if is_cancelled and not times_before(response.service, "list-stale", item["id"]):
            item["status"] = "in_queue"
    response.json = page


def _one_etag(response: Response) -> None:
    response.headers["etag"] = '"1"'


def _key_repeated(response: Response) -> None:
    headers = dict(response.scope["headers"])
    response.headers["x-key"] = headers.get(b"authorization", b"").decode("latin-1")


def _trace_taken(scope: Scope, _: Service) -> Scope:
    return {**scope, "method": "GET"} if scope["method"] == "TRACE" else scope


FAULTS = {
    "ids-composed": Behaviour(
        "a custom_id is normalized to NFC", _ids(lambda id: unicodedata.normalize("NFC", id))
    ),
    "ids-cut": Behaviour("a custom_id is cut to 64 characters", _ids(lambda id: id[:64])),
    "ids-trimmed": Behaviour("a custom_id loses its surrounding spaces", _ids(str.strip)),
    "ids-ascii": Behaviour(
        "characters of a custom_id beyond U+FFFF become U+FFFD",
        _ids(lambda id: "".join(c if ord(c) < 0x10000 else "\ufffd" for c in id)),
    ),
    "results-shared": Behaviour(
        "every batch names the output file of the first one", _results_shared
    ),
    "id-prefix-found": Behaviour(
        "the beginning of an id finds a batch",
        _finding(lambda asked, id: len(asked) > 10 and id.startswith(asked)),
    ),
    "id-any-case": Behaviour(
        "an id in another case finds a batch",
        _finding(lambda asked, id: asked.lower() == id.lower()),
    ),
    "after-any-case": Behaviour("`after` in another case names a batch", _after_any_case),
    "event-ahead": Behaviour(
        "events of a batch are three hours ahead", altering_batch(_event_ahead)
    ),
    "status-invented": Behaviour(
        "a new batch has a status that no document names",
        altering_json(lambda batch: {**batch, "status": "scheduling"}, CREATE),
    ),
    "cancel-other-id": Behaviour(
        "the response to a cancel has the id of no batch",
        altering_json(lambda batch: {**batch, "id": batch["id"] + "x"}, CANCEL),
    ),
    "total-grows": Behaviour("the total grows with each response", _total_grows),
    "count-omitted": Behaviour("`request_counts` has no `failed`", altering_batch(_without_failed)),
    "metadata-escaped": Behaviour(
        "metadata is escaped for HTML", altering_batch(_metadata_escaped)
    ),
    "metadata-converted": Behaviour(
        "metadata that looks like a number is one", altering_batch(_metadata_converted)
    ),
    "errors-in-progress": Behaviour(
        "a batch in progress has errors", altering_batch(_errors_beside)
    ),
    "result-byte-order-mark": Behaviour(
        "a result file begins with a byte order mark",
        altering(lambda one: setattr(one, "body", b"\xef\xbb\xbf" + one.body), RESULT, CONTENT),
    ),
    "result-blank-line": Behaviour(
        "a result file has a blank line after each line",
        altering(lambda one: setattr(one, "body", one.body.replace(b"\n", b"\n\n")), RESULT),
    ),
    "files-twenty": Behaviour(
        "the list of files has twenty files by default", altering_queries(_twenty_by_default, FILES)
    ),
    "files-any-purpose": Behaviour(
        "the list of files ignores `purpose`", altering_requests(_purpose_ignored, FILES)
    ),
    "list-stale": Behaviour(
        "the first list after a cancel shows the batch as it was before", altering(_stale, LIST)
    ),
    "head-500": Behaviour("HEAD returns 500", _head_broken),
    "etag-constant": Behaviour(
        "every list of batches has the same ETag", altering(_one_etag, LIST)
    ),
    "key-repeated": Behaviour(
        "a response repeats the header with the key", altering(_key_repeated, RETRIEVE)
    ),
    "trace-taken": Behaviour("TRACE is taken for GET", altering_requests(_trace_taken)),
}
