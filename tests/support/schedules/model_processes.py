"""
One process of the client against the model, with what can happen before each of its steps.

Rule: the orders are made, carried out and ended by the code of the clients; only the record, the
service and the clock are models.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define

from siliconflow_batch import operations
from siliconflow_batch.client_state import ClientState
from siliconflow_batch.creations.orders import BatchSettings, Order
from siliconflow_batch.creations.remembered import Memory
from siliconflow_batch.errors import StateUnusable
from siliconflow_batch.input_files.sources import opened
from siliconflow_batch.objects import Batch, File
from siliconflow_batch.retries import Patience
from siliconflow_batch.steps import Call, Flow, Pause, Reply, Save, Step
from siliconflow_batch.transport.upload import upload_call

from .account_model import CALLERS_FILE, Account
from .answer_fates import Answer, Fate
from .choice_trails import Choices
from .list_shapes import Listing, Stored
from .model_world import (
    CROWD,
    EMPTIED,
    HOURS,
    INTERRUPTED,
    SLOW,
    STALE,
    STRANGER,
    UNREADABLE,
    UNSAVED,
    Events,
    Mode,
    World,
)

SETTINGS = BatchSettings()


@contextmanager
def _upload() -> Iterator[Call]:
    with opened(b"{}") as file, upload_call(file) as call:
        yield call


@define(frozen=True)
class Repeat:
    """
    A creation that has a batch was carried out again. The list was last read at `looked_at`.

    `is_known`: this machine knew that there could be a batch.
    """

    earlier: Stored
    looked_at: float
    is_known: bool


class Killed(BaseException):
    """The process dies. The clients must not catch it; what they do on it has no effect."""


@define
class End:
    """How an order ended in a process."""

    order: Order
    returned: Batch | None = None
    error: BaseException | None = None


class ModelProcess(ClientState):
    """A process of a client. `on_step` is called after each step."""

    def __init__(
        self,
        world: World,
        mode: Mode,
        events: Events,
        choices: Choices,
        patience: Patience,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self.world, self.mode, self.events, self.choices = world, mode, events, choices
        self.on_step = on_step
        self._patience, self._memory = patience, Memory()
        self._left = set(events.once)
        self.happened: set[str] = set()
        self.ends: list[End] = []
        self.fates: dict[int, list[Fate]] = {number: [] for number in range(mode.orders)}
        self.resumed: dict[int, bool] = {}
        self.requests = 0
        world.account.looked_at = world.account.now
        self.steps: list[str] = []
        self.is_killed = False
        self.repeats: list[Repeat] = []
        self.had = {number: len(world.account.of(number)) for number in range(mode.orders)}
        self.patience = patience

    @property
    def account(self) -> Account:
        return self.world.account

    @property
    def listing(self) -> Listing:
        return self.account.listing

    def run(self, carry_out: Callable[[Flow[Any]], None] | None = None) -> None:
        """Carries the orders out, by `carry_out(flow)`, which is a driver."""
        drive = carry_out or self.drive
        try:
            orders = [self._new_order(number) for number in range(self.mode.orders)]
            if self.mode.together and self.mode.orders > 1:
                drive(self._flow(*orders, on_end=self._end))
            else:
                for order in orders:
                    drive(self._flow(order))
                    self._end(order)
        except Killed:
            self.is_killed = True
            return
        except KeyboardInterrupt as interrupt:
            ended = [end.order for end in self.ends]
            self.ends += [End(one, error=interrupt) for one in orders if one not in ended]
        if not self.mode.is_keyed and all(end.returned for end in self.ends):
            for record in self.world.records:
                record.forget()

    def _new_order(self, number: int) -> Order:
        mode, record = self.mode, None
        if mode.is_recorded:
            record = self.world.records[number].open()
            record.on_save = self._save
        file_id = CALLERS_FILE
        if mode.own and not mode.uploads:
            file = File(self.account.upload())
            self._memory.add_file(file)
            file_id = file.id
        order = self._order(
            SETTINGS,
            record,  # type: ignore[arg-type] # it has what is asked of a `SubmissionFile`
            file_id=None if mode.uploads else file_id,
            source=_upload if mode.uploads else None,
            is_keyed=mode.is_keyed,
        )
        self.account.owners[order.creation.token] = number
        self.resumed[number] = order.is_resumed or order.made is not None
        return order

    def _end(self, order: Order) -> None:
        try:
            self.ends.append(End(order, self._made(order)))
        except Exception as error:  # what it is, is judged
            self.ends.append(End(order, error=error))

    def drive(self, flow: Flow[Any]) -> Any:
        """What the clients' drivers do, without a connection."""
        try:
            step = next(flow)
            while True:
                try:
                    reply = self.take(step)
                except BaseException as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as end:
            return end.value

    def take(self, step: Step) -> Reply | None:
        if isinstance(step, Call):
            answer = self._call(step)
            return answer.brief() if step.repeatable else answer.reply()
        if isinstance(step, Save):
            step.record.record(**step.fields)
        else:
            self.pause(step)
        return None

    def pause(self, step: Pause) -> None:
        with self._step("pause"):
            self.account.pass_time(step.seconds)

    @contextmanager
    def _save(self) -> Iterator[None]:
        with self._step("save"):
            if self._happens(UNSAVED):
                raise StateUnusable(Path("record.jsonl"), "No space left on device")
            yield

    def _call(self, call: Call) -> Answer:
        arguments = call.arguments
        if call.operation is operations.upload_file:
            return self.answer("upload")
        if call.operation is operations.create_batch:
            body = arguments["body"].to_dict()
            return self.answer("create", body["input_file_id"], body["metadata"])
        if call.operation is operations.list_batches:
            limit, after = (arguments[name] or None for name in ("limit", "after"))
            return self.answer("list", limit, after)
        return self.answer("retrieve", arguments["batch_id"])

    def answer(self, name: str, *arguments: Any) -> Answer:
        """The answer to a request: the one place where the model meets a driver."""
        self.requests += 1
        with self._step(name):
            if name == "create":
                return self._create(*arguments)
            if name == "upload":
                return Answer(200, {"code": 20000, "data": self.account.upload()})
            if name == "list":
                if self._happens(UNREADABLE):
                    return Answer(503, b"busy")
                if self._happens(EMPTIED) or EMPTIED in self.happened:
                    return Answer(200, {"data": [], "has_more": False})
                limit, after = arguments
                since = self.account.now - 3600 if self._happens(STALE) else None
                return Answer(200, self.account.page(limit, after, since))
            batch = self.account.retrieve(*arguments)
            return Answer(404, b"404 page not found") if batch is None else Answer(200, batch)

    def _create(self, file_id: str, metadata: dict[str, str]) -> Answer:
        account = self.account
        order = account.owners[metadata["siliconflow_batch_token"]]
        number, fates = len(self.fates[order]), self.events.fates
        fate = self.choices.pick(fates[min(number, len(fates) - 1)])
        self.fates[order].append(fate)
        made = None
        if fate.made is not None:
            self.repeats += [
                Repeat(earlier, account.looked_at, earlier.machine == account.machine)
                for earlier in account.of(order)
            ]
            made = account.create(file_id, metadata, fate.made)
        return fate.answer(account, made)

    def quiet(self) -> "ModelProcess":
        """From now on nothing happens but what the client does."""
        self._left, self.on_step = set(), lambda: None
        return self

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """One step, what happens before it, and the end of the process if it comes after it."""
        self.steps.append(name)
        if self._happens(INTERRUPTED):
            raise KeyboardInterrupt
        if self._happens(SLOW):
            self.account.pass_time(HOURS)
        if self._happens(STRANGER):
            for _ in range(CROWD):
                self.account.create_for_another(*self.events.stranger)
        yield
        self.on_step()

    def _happens(self, event: str) -> bool:
        if event not in self._left or self.choices.pick(("", event)) == "":
            return False
        self._left.remove(event)
        self.happened.add(event)
        return True
