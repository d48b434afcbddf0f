"""
Faults of the lifecycle: transitions that are missing, reversed or wrong, and misspelled statuses.

The documents: in_queue, in_progress, finalizing, completed; a cancel makes an unfinished batch
cancelling until requests in flight end, then cancelled; a batch expires when its window ends.
"""

from collections.abc import Callable

from attrs import evolve

from ..batches.execution import Execution
from ..batches.lifecycle import Batch
from ..hooks import Replacement, replaces
from ..service.refusals import Refused, bad_request, not_found
from ..service.service import Service
from ..switches.altering import (
    CREATE,
    RETRIEVE,
    Body,
    Link,
    OneBatch,
    Response,
    View,
    altering,
    altering_batch,
    altering_json,
)
from ..switches.switchboard import Behaviour
from .memory import times_before

ORDER = ["in_queue", "in_progress", "finalizing", "completed"]
Event = tuple[str, float]


def _stuck(status: str) -> Replacement:
    """A batch leaves `status` only by a cancel."""

    @replaces(Execution.upcoming)
    def upcoming(
        original: Callable[[Batch], Event | None], _: Execution, batch: Batch
    ) -> Event | None:
        return None if batch.status == status else original(batch)

    return upcoming


def _reset_to(body: Body, status: str) -> None:
    """Changes the body of a batch to that of an earlier status."""
    for later in ORDER[ORDER.index(status) + 1 :]:
        body[f"{later}_at"] = None
    body.update(status=status, output_file_id=None, error_file_id=None)
    if status == "in_queue":
        body["request_counts"] = None


def _showing(fault: str, reached: str, *statuses: str) -> Replacement:
    """The first responses after a batch has `reached` a status show these statuses, in order."""

    @replaces(Service.view)
    def view(original: View, service: Service, batch: Batch, link: Link) -> Body:
        body = original(batch, link)
        if body["status"] in ORDER[ORDER.index(reached) :]:
            number = times_before(service, fault, batch.id)
            if number < len(statuses):
                _reset_to(body, statuses[number])
        return body

    return view


@replaces(Service.view)
def _completed_reopened(original: View, service: Service, batch: Batch, link: Link) -> Body:
    body = original(batch, link)
    if batch.status == "completed" and times_before(service, "completed-reopened", batch.id):
        _reset_to(body, "in_progress")
    return body


def _never_finalizing(body: Body, _: Batch) -> None:
    if body["status"] == "finalizing":
        body["status"] = "in_progress"
    body["finalizing_at"] = None


def _ending(actual: str, shown: str, when: Callable[[Batch], bool] = lambda _: True) -> Replacement:
    """Batches that ended with the status `actual` are shown with `shown`."""

    def rewrite(body: Body, batch: Batch) -> None:
        if body["status"] == actual and when(batch):
            body["status"], body[f"{shown}_at"] = shown, body[f"{actual}_at"]
            body[f"{actual}_at"] = None

    return altering_batch(rewrite)


def _spelling(**names: str) -> Replacement:
    return altering_batch(
        lambda body, _: body.update(status=names.get(body["status"], body["status"]))
    )


def _too_early() -> Refused:
    return bad_request("A batch cannot be cancelled yet.")


def _refusing_cancel(status: str, refusal: Callable[[], Refused]) -> Replacement:
    @replaces(Service.cancel)
    def cancel(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
        if service.retrieve(account, batch_id).status == status:
            raise refusal()
        return original(account, batch_id)

    return cancel


@replaces(Service.cancel)
def _cancel_finished(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    batch = service.retrieve(account, batch_id)
    if not batch.final:
        return original(account, batch_id)
    batch.status = "cancelled"
    batch.stamps.setdefault("cancelling", service.clock.now())
    batch.stamps.setdefault("cancelled", service.clock.now())
    return batch


@replaces(Service.cancel)
def _cancel_ignored(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    return service.retrieve(account, batch_id)


@replaces(Service.cancel)
def _cancel_forgotten(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    batch = service.retrieve(account, batch_id)
    if batch.final:
        return original(account, batch_id)
    stamps = {**batch.stamps, "cancelling": service.clock.now()}
    return evolve(batch, status="cancelling", stamps=stamps)


@replaces(Service.cancel)
def _cancel_all(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
    cancelled = original(account, batch_id)
    for batch in service.accounts[account].batches:
        service.settle(batch)
        if not batch.final:
            original(account, batch.id)
    return cancelled


def _unknown_while(*statuses: str) -> Replacement:
    """Retrieving a batch with one of these statuses returns 404."""

    def change(response: Response) -> None:
        if response.json["status"] in statuses:
            response.status, response.json = 404, "404 page not found"

    return altering(change, RETRIEVE)


FAULTS = {
    "never-started": Behaviour("a batch stays in_queue forever", _stuck("in_queue")),
    "never-answered": Behaviour("a batch stays in_progress forever", _stuck("in_progress")),
    "never-completed": Behaviour("a batch stays finalizing forever", _stuck("finalizing")),
    "never-cancelled": Behaviour("a batch stays cancelling forever", _stuck("cancelling")),
    "never-finalizing": Behaviour(
        "a batch goes from in_progress to completed, without finalizing_at",
        altering_batch(_never_finalizing),
    ),
    "queue-again": Behaviour(
        "a batch that is in_progress goes back to in_queue once",
        _showing("queue-again", "in_progress", "in_progress", "in_queue"),
    ),
    "progress-again": Behaviour(
        "a batch that is finalizing goes back to in_progress once",
        _showing("progress-again", "finalizing", "finalizing", "in_progress"),
    ),
    "completed-reopened": Behaviour(
        "a completed batch is in_progress from the second response on", _completed_reopened
    ),
    "created-finished": Behaviour(
        "the response to a creation has the status completed",
        altering_json(
            lambda body: {**body, "status": "completed", "completed_at": body["created_at"]}, CREATE
        ),
    ),
    "queued-unknown": Behaviour(
        "retrieving a batch that is in_queue returns 404", _unknown_while("in_queue")
    ),
    "cancelled-unknown": Behaviour(
        "retrieving a batch after its cancel returns 404", _unknown_while("cancelling", "cancelled")
    ),
    "failed-for-a-line": Behaviour(
        "a batch ends as failed if one of its lines failed",
        _ending("completed", "failed", lambda batch: batch.failed > 0),
    ),
    "expired-early": Behaviour(
        "a batch ends as expired long before expires_at", _ending("completed", "expired")
    ),
    "cancelled-as-completed": Behaviour(
        "a cancelled batch ends as completed", _ending("cancelled", "completed")
    ),
    "cancel-finished": Behaviour("a finished batch can be cancelled", _cancel_finished),
    "cancel-ignored": Behaviour("a cancel returns 200 and does nothing", _cancel_ignored),
    "cancel-forgotten": Behaviour(
        "a cancel returns cancelling, but the batch goes on", _cancel_forgotten
    ),
    "cancel-queued-refused": Behaviour(
        "a batch that is in_queue cannot be cancelled", _refusing_cancel("in_queue", _too_early)
    ),
    "cancel-running-refused": Behaviour(
        "a batch that is in_progress cannot be cancelled",
        _refusing_cancel("in_progress", _too_early),
    ),
    "cancel-finalizing-unknown": Behaviour(
        "cancelling a batch that is finalizing returns 404",
        _refusing_cancel("finalizing", not_found),
    ),
    "cancel-all": Behaviour("a cancel stops every batch of the account", _cancel_all),
    "completed-misspelled": Behaviour(
        "completed is spelled `succeeded`", _spelling(completed="succeeded")
    ),
    "cancelled-misspelled": Behaviour(
        "cancelled is spelled `canceled`", _spelling(cancelled="canceled")
    ),
}
