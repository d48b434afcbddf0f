"""
Faults of the lifecycle: transitions that are missing, reversed or wrong, and names of statuses.

The documents: in_queue, in_progress, finalizing, completed; a cancel makes an unfinished batch
cancelling until requests in flight end, then cancelled; expired is who runs out of its window.
"""

from collections.abc import Callable
from typing import Any

from attrs import evolve

from ..batches.lifecycle import Batch
from ..refusals import Refused, bad_request, not_found
from ..service import Service
from ..switches.switchboard import Behaviour, saying
from .altering import CREATE, RETRIEVE, Answer, Body, Replace, again, altering, altering_json

ORDER = ["in_queue", "in_progress", "finalizing", "completed"]


def _stuck(status: str) -> Replace:
    """Nothing but a cancel gets a batch out of `status`."""
    return lambda sound, _: lambda batch: None if batch.status == status else sound(batch)


def _earlier(body: Body, status: str) -> None:
    """The body of a batch, as if it had come as far as `status` only."""
    for later in ORDER[ORDER.index(status) + 1 :]:
        body[f"{later}_at"] = None
    body.update(status=status, output_file_id=None, error_file_id=None)
    if status == "in_queue":
        body["request_counts"] = None


def _looked_at(name: str, reached: str, *shown: str) -> Replace:
    """Whoever looks at a batch that has `reached` a status sees it `shown` so, look by look."""

    def replace(sound: Any, service: Service) -> Any:
        def view(batch: Batch, link: Any) -> Body:
            body: Body = sound(batch, link)
            if body["status"] in ORDER[ORDER.index(reached) :]:
                look = again(service, name, batch.id)
                if look < len(shown):
                    _earlier(body, shown[look])
            return body

        return view

    return replace


def _reopened(sound: Any, service: Service) -> Any:
    def view(batch: Batch, link: Any) -> Body:
        body: Body = sound(batch, link)
        if batch.status == "completed" and again(service, "completed-reopened", batch.id):
            _earlier(body, "in_progress")
        return body

    return view


def _never_finalizing(body: Body, _: Batch) -> None:
    if body["status"] == "finalizing":
        body["status"] = "in_progress"
    body["finalizing_at"] = None


def _ending(actual: str, shown: str, when: Callable[[Batch], bool] = lambda _: True) -> Replace:
    """Batches that ended as `actual` are shown as if they had ended as `shown`."""

    def rewrite(body: Body, batch: Batch) -> None:
        if body["status"] == actual and when(batch):
            body["status"], body[f"{shown}_at"] = shown, body[f"{actual}_at"]
            body[f"{actual}_at"] = None

    return saying(rewrite)


def _spelling(**names: str) -> Replace:
    return saying(lambda body, _: body.update(status=names.get(body["status"], body["status"])))


def _too_early() -> Refused:
    return bad_request("A batch cannot be cancelled yet.")


def _cancel_refused(status: str, refusal: Callable[[], Refused]) -> Replace:
    def replace(sound: Any, service: Service) -> Any:
        def cancel(account: str, batch_id: str) -> Any:
            if service.retrieve(account, batch_id).status == status:
                raise refusal()
            return sound(account, batch_id)

        return cancel

    return replace


def _cancel_finished(sound: Any, service: Service) -> Any:
    def cancel(account: str, batch_id: str) -> Any:
        batch = service.retrieve(account, batch_id)
        if not batch.final:
            return sound(account, batch_id)
        batch.status = "cancelled"
        batch.stamps.setdefault("cancelling", service.clock.now())
        batch.stamps.setdefault("cancelled", service.clock.now())
        return batch

    return cancel


def _cancel_forgotten(sound: Any, service: Service) -> Any:
    def cancel(account: str, batch_id: str) -> Any:
        batch = service.retrieve(account, batch_id)
        if batch.final:
            return sound(account, batch_id)
        stamps = {**batch.stamps, "cancelling": service.clock.now()}
        return evolve(batch, status="cancelling", stamps=stamps)

    return cancel


def _cancel_all(sound: Any, service: Service) -> Any:
    def cancel(account: str, batch_id: str) -> Any:
        answered = sound(account, batch_id)
        for batch in service.accounts[account].batches:
            service.settle(batch)
            if not batch.final:
                sound(account, batch.id)
        return answered

    return cancel


def _gone(*statuses: str) -> Replace:
    def change(answer: Answer) -> None:
        if answer.json["status"] in statuses:
            answer.status, answer.json = 404, "404 page not found"

    return altering(change, RETRIEVE)


FAULTS = {
    "never-started": Behaviour(
        "a batch stays in the queue for ever", "execution.upcoming", _stuck("in_queue")
    ),
    "never-answered": Behaviour(
        "a batch stays in_progress for ever", "execution.upcoming", _stuck("in_progress")
    ),
    "never-completed": Behaviour(
        "a batch stays finalizing for ever", "execution.upcoming", _stuck("finalizing")
    ),
    "never-cancelled": Behaviour(
        "a batch stays cancelling for ever", "execution.upcoming", _stuck("cancelling")
    ),
    "never-finalizing": Behaviour(
        "a batch goes from in_progress to completed, without finalizing_at",
        "view",
        saying(_never_finalizing),
    ),
    "queue-again": Behaviour(
        "a batch in_progress goes back to in_queue once",
        "view",
        _looked_at("queue-again", "in_progress", "in_progress", "in_queue"),
    ),
    "progress-again": Behaviour(
        "a batch that is finalizing goes back to in_progress once",
        "view",
        _looked_at("progress-again", "finalizing", "finalizing", "in_progress"),
    ),
    "completed-reopened": Behaviour(
        "a completed batch is in_progress the next time it is looked at", "view", _reopened
    ),
    "created-finished": Behaviour(
        "the answer to a creation says completed",
        "app",
        altering_json(
            lambda body: {**body, "status": "completed", "completed_at": body["created_at"]}, CREATE
        ),
    ),
    "queued-unknown": Behaviour("a batch in_queue is answered with 404", "app", _gone("in_queue")),
    "cancelled-unknown": Behaviour(
        "a batch that was cancelled is answered with 404", "app", _gone("cancelling", "cancelled")
    ),
    "failed-for-a-line": Behaviour(
        "a batch ends as failed where one of its lines failed",
        "view",
        _ending("completed", "failed", lambda batch: batch.failed > 0),
    ),
    "expired-early": Behaviour(
        "a batch ends as expired when its lines are answered, long before expires_at",
        "view",
        _ending("completed", "expired"),
    ),
    "cancelled-as-completed": Behaviour(
        "a cancelled batch ends as completed", "view", _ending("cancelled", "completed")
    ),
    "cancel-finished": Behaviour("a finished batch can be cancelled", "cancel", _cancel_finished),
    "cancel-ignored": Behaviour(
        "a cancel answers 200 and does nothing", "cancel", lambda sound, service: service.retrieve
    ),
    "cancel-forgotten": Behaviour(
        "a cancel is answered with cancelling, and the batch goes on", "cancel", _cancel_forgotten
    ),
    "cancel-queued-refused": Behaviour(
        "a batch in_queue cannot be cancelled", "cancel", _cancel_refused("in_queue", _too_early)
    ),
    "cancel-running-refused": Behaviour(
        "a batch in_progress cannot be cancelled",
        "cancel",
        _cancel_refused("in_progress", _too_early),
    ),
    "cancel-finalizing-unknown": Behaviour(
        "a batch that is finalizing is unknown to a cancel",
        "cancel",
        _cancel_refused("finalizing", not_found),
    ),
    "cancel-all": Behaviour("a cancel stops every batch of the account", "cancel", _cancel_all),
    "completed-misspelled": Behaviour(
        "completed is spelled `succeeded`", "view", _spelling(completed="succeeded")
    ),
    "cancelled-misspelled": Behaviour(
        "cancelled is spelled `canceled`", "view", _spelling(cancelled="canceled")
    ),
}
