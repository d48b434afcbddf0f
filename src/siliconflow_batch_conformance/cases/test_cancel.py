"""POST /batches/{batch_id}/cancel, in every status of a batch."""

from ..checks import bodies, history, shapes
from ..checks.exchange import Exchange, the_batch
from ..requirements import NotJudged, requirement
from ..rules import BUSY
from ..service.target import Target, id_of
from .conftest import Checker


@requirement("CANCEL-1")
def test_cancelling(cancellation: list[Exchange], check: Checker) -> None:
    """A cancelled batch is cancelling at once."""
    check(bodies.is_cancelling, cancellation[0])


@requirement("CANCEL-2")
def test_cancelled(target: Target, cancellation: list[Exchange], check: Checker) -> None:
    """A cancelling batch becomes cancelled."""
    target.settled(cancellation[-1])

    check(history.ends_with_status, cancellation, "cancelled")


def cancelled_while(target: Target, status: str, input_file: str) -> list[Exchange]:
    """The exchanges before, of and after the cancel of a batch in a status."""
    created = target.batch(input_file)
    for look in target.watch(id_of(created)):
        if the_batch(look)["status"] == status:
            cancel = target.cancel(id_of(created))
            return [look, cancel, target.retrieve(id_of(created))]
    raise NotJudged(f"no batch was seen in status {status!r}")


@requirement("CANCEL-7")
def test_in_progress(target: Target, check: Checker) -> None:
    """A batch in progress can be cancelled."""
    lines = [target.line(f"line-{number}") for number in range(min(20, target.most_lines))]

    check(history.was_cancelled, *cancelled_while(target, "in_progress", target.input_file(*lines)))


@requirement("CANCEL-10")
def test_finalizing(target: Target, input_file: str, check: Checker) -> None:
    """A finalizing batch is cancelled, or the cancel is refused."""
    check(history.was_cancelled, *cancelled_while(target, "finalizing", input_file))


@requirement("CANCEL-9")
def test_other_batches(target: Target, input_file: str) -> None:
    """A cancel affects only the batch that it names."""
    other, cancelled = target.batch(input_file), target.batch(input_file)
    target.cancel(id_of(cancelled))
    target.retrieve(id_of(other))


@requirement("CANCEL-4")
def test_finished(target: Target, completed: Exchange) -> None:
    """A finished batch cannot be cancelled and does not change."""
    target.cancel(id_of(completed))
    target.retrieve(id_of(completed))


@requirement("CANCEL-5")
def test_twice(target: Target, cancellation: list[Exchange], check: Checker) -> None:
    """A second cancel is refused or accepted, and changes no timestamp."""
    last = cancellation[-1]
    if not the_batch(last):
        raise NotJudged("no batch could be cancelled")

    again = target.cancel(id_of(last))

    check(shapes.status_is, again, 200, 400)
    check(history.is_the_same_batch, last, target.retrieve(id_of(last)))


@requirement("CANCEL-8")
def test_twice_at_once(target: Target, input_file: str, check: Checker) -> None:
    """Two immediate cancels of a new batch have the effect of one."""
    for _ in range(3):  # one overload says nothing about the service; three do
        created = target.batch(input_file)
        first = target.cancel(id_of(created))
        second = target.cancel(id_of(created), patient=False)
        if second.status not in BUSY:
            break

    check(history.second_cancel_changes_nothing, first, second)


@requirement("CANCEL-6")
def test_unknown(target: Target, check: Checker) -> None:
    """An unknown batch cannot be cancelled."""
    check(shapes.status_is, target.cancel("batch_thereisnone", rejected=True), 404)
