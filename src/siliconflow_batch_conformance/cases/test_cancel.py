"""POST /batches/{batch_id}/cancel: the way out, in every state."""

from ..checks import bodies, shapes
from ..checks import history as across
from ..checks.exchange import Exchange, the_batch
from ..requirements import NotJudged, requirement
from ..rules import BUSY
from ..service.target import Target, id_of
from .conftest import Expect


@requirement("CANCEL-1")
def test_cancelling(cancellation: list[Exchange], expect: Expect) -> None:
    """A cancel is on its way at once."""
    expect(bodies.shows_a_cancel, cancellation[0])


@requirement("CANCEL-2")
def test_cancelled(target: Target, cancellation: list[Exchange], expect: Expect) -> None:
    """What is cancelling ends as cancelled."""
    target.settled(cancellation[-1])

    expect(across.ends_as, cancellation, "cancelled")


def cancelled_while(target: Target, status: str, input_file: str) -> list[Exchange]:
    """The answers before, to and behind the cancel of a batch that was seen in a status."""
    created = target.batch(input_file)
    for look in target.watch(id_of(created)):
        if the_batch(look)["status"] == status:
            answer = target.cancel(id_of(created))
            return [look, answer, target.retrieve(id_of(created))]
    raise NotJudged(f"no batch was seen {status}")


@requirement("CANCEL-7")
def test_running(target: Target, expect: Expect) -> None:
    """A batch whose lines are running can be cancelled."""
    lines = [target.line(f"line-{number}") for number in range(min(20, target.most_lines))]

    expect(across.was_cancelled, *cancelled_while(target, "in_progress", target.input_file(*lines)))


@requirement("CANCEL-10")
def test_finalizing(target: Target, input_file: str, expect: Expect) -> None:
    """A batch whose results are being put together is cancelled, or it is too late for that."""
    expect(across.was_cancelled, *cancelled_while(target, "finalizing", input_file))


@requirement("CANCEL-9")
def test_no_other(target: Target, input_file: str) -> None:
    """A cancel stops the batch that it names and no other."""
    left, stopped = target.batch(input_file), target.batch(input_file)
    target.cancel(id_of(stopped))
    target.retrieve(id_of(left))


@requirement("CANCEL-4")
def test_finished(target: Target, completed: Exchange) -> None:
    """A cancel comes too late for a finished batch, and leaves no trace on it."""
    target.cancel(id_of(completed))
    target.retrieve(id_of(completed))


@requirement("CANCEL-5")
def test_twice(target: Target, cancellation: list[Exchange], expect: Expect) -> None:
    """A cancel that is repeated, as after a lost answer, is refused or taken, and moves no time."""
    last = cancellation[-1]
    if not the_batch(last):
        raise NotJudged("no batch could be cancelled once")

    again = target.cancel(id_of(last))

    expect(shapes.status_is, again, 200, 400)
    expect(across.is_the_same_batch, last, target.retrieve(id_of(last)))


@requirement("CANCEL-8")
def test_at_once_again(target: Target, input_file: str, expect: Expect) -> None:
    """Two cancels at once, of a batch that has just begun, are one cancel."""
    for _ in range(3):  # a passing overload says nothing; one that comes each time does
        created = target.batch(input_file)
        first = target.cancel(id_of(created))
        second = target.cancel(id_of(created), patient=False)
        if second.status not in BUSY:
            break

    expect(across.is_one_cancel, first, second)


@requirement("CANCEL-6")
def test_unknown(target: Target, expect: Expect) -> None:
    """What is not there cannot be cancelled."""
    expect(shapes.status_is, target.cancel("batch_thereisnone", rejected=True), 404)
