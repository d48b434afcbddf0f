"""
The client's whole flow against a simulator: what ended right, what raised, and what went wrong.

Rule 1: a step that raises a `SiliconFlowError` does not end the flow; the other steps still run.
Rule 2: the flow knows no variant; what it expects holds for every alternative.
"""

import io
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define, field

from siliconflow_batch import errors
from siliconflow_batch.parameters import TOKEN
from siliconflow_batch_simulator import Simulator
from support.account import ENDPOINT, json_lines, line

HOUR, DAY = 3_600, 86_400
OTHERS = 250  # batches in the account before the flow begins: more than two of the client's pages
LONGEST_LAG = 120  # seconds after which every list shows a batch
INPUT = json_lines(line("a"), line("b"), line("c", max_tokens=0))
SUCCEEDED = {"a": True, "b": True, "c": False}


def add_others(simulator: Simulator) -> None:
    """Adds cancelled batches that are a day old, as an account has that was used before."""
    service = simulator.service
    (account,) = service.accounts
    file = service.storage.keep_input(account, "old.jsonl", io.BytesIO(INPUT), service.clock.now())
    service.upload(file)
    body = {"input_file_id": file.id, "endpoint": ENDPOINT, "completion_window": "24h"}
    for _ in range(OTHERS):
        batch = service.create(account, {**body, "metadata": {"name": "other"}})
        service.cancel(account, batch.id)  # so that no lines have to be processed
    service.clock.advance(seconds=DAY)


class EndedWrong(Exception):
    """A step of the flow had another result than the documents promise."""


def expect(condition: object, reason: str) -> None:
    """Raises `EndedWrong` with the reason unless the condition holds."""
    if not condition:
        raise EndedWrong(reason)


def refusal(call: Callable[[], Any], *kinds: type[errors.APIError]) -> errors.APIError:
    """The exception of one of these kinds that the call raises."""
    try:
        call()
    except kinds as error:
        return error
    raise EndedWrong(f"no {kinds[0].__name__} is raised")


@define
class Flow:
    """
    `stranger` is a client with a wrong key.

    `raised` are the names of exceptions, `wrong` the reasons why steps did not end right.
    """

    client: Any
    stranger: Any
    simulator: Simulator
    raised: set[str] = field(factory=set)
    wrong: list[str] = field(factory=list)

    def run(self) -> str:
        """Carries out all steps; returns `right`, `exception NAMES` or `failing: REASONS`."""
        file = self._step("upload", lambda: self.client.upload(INPUT, name="in.jsonl"))
        if file is not None:
            self._step("a lost response", lambda: self._finish(self._create_lost(file.id)))
            self._step("find", self._find)
            self._step("results", lambda: self._finish(self.client.create(file.id).id))
            self._step("cancel", lambda: self._cancel(file.id))
        for step in (self._list, self._errors, self._invalid_input):
            self._step(step.__name__, step)
        if max(self._tokens().values(), default=0) > 1:
            self.wrong.insert(0, "a second batch is created and paid for")
        if self.wrong:
            return f"failing: {'; '.join(dict.fromkeys(self.wrong))}"
        return f"exception {', '.join(sorted(self.raised))}" if self.raised else "right"

    def _step(self, name: str, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except errors.SiliconFlowError as error:
            self.raised.add(type(error).__name__)
        except EndedWrong as reason:
            self.wrong.append(str(reason))
        except Exception as error:
            self.wrong.append(f"{name}: {type(error).__name__} is not a SiliconFlowError")
        return None

    def _create_lost(self, file_id: str) -> str:
        """Creates a batch whose first response is lost; returns its id."""
        self.simulator.faults.add("reset-after", "POST /batches", times=1)
        return str(self.client.create(file_id, metadata={"name": "flow", "run": "7"}).id)

    def _find(self) -> None:
        """A batch that exists is found by its token."""
        self.simulator.clock.advance(seconds=LONGEST_LAG)
        for token in self._tokens():
            batch = self.client.find(token)
            expect(batch is not None, "find returns None for a batch that exists")
            expect(batch.token == token, "find returns another batch")

    def _finish(self, batch_id: str) -> None:
        """Every line has its result when the batch is completed, and two hours later."""
        batch = self.client.wait(batch_id, interval=0.5)
        expect(batch.status == "completed", f"wait returns a batch that is {batch.status}")
        read = {result.custom_id: result.ok for result in self.client.results(batch)}
        expect(read == SUCCEEDED, "results of a completed batch are missing")
        self._step("results in order", lambda: self._in_order(batch))
        self.simulator.clock.advance(seconds=2 * HOUR)
        read = {result.custom_id: result.ok for result in self.client.results(batch)}
        expect(read == SUCCEEDED, "results are missing two hours later")

    def _in_order(self, batch: Any) -> None:
        """In the order of the input, which is a warning if the input cannot be downloaded."""
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            ordered = [result.custom_id for result in self.client.results(batch, order="input")]
        if warned:
            self.raised.add(warned[0].category.__name__)
            return
        expect(ordered == [*SUCCEEDED], "results are not in the order of the input")

    def _cancel(self, file_id: str) -> None:
        """A running batch is cancelled; a cancelled one is refused or unchanged."""
        self.simulator.pace.running = HOUR  # longer than a search for the batch
        batch = self.client.create(file_id)
        status = self.client.cancel(batch.id).status
        expect(status in ("cancelling", "cancelled"), f"cancel returns a batch that is {status}")
        ended = self.client.wait(batch.id, check=False)
        expect(ended.status == "cancelled", f"a cancelled batch is {ended.status}")
        try:
            again = self.client.cancel(batch.id)
        except errors.BadRequest:
            return
        expect(again.status == "cancelled", f"a second cancel returns {again.status}")

    def _list(self) -> None:
        self.simulator.clock.advance(seconds=LONGEST_LAG)
        listed = Counter(batch.id for batch in self.client.batches())
        expect(listed == Counter([*self.simulator.service.batches]), "the list is not complete")
        expect([*self.client.files()], "no file is listed")

    def _errors(self) -> None:
        """Errors have the exception of their status and the message of the service."""
        for call in (self.client.retrieve, self.client.cancel):
            unknown = refusal(lambda call=call: call("batch_x"), errors.NotFound, errors.BadRequest)  # type: ignore[misc]
            expect(unknown.message.endswith(("not found", "not exist.")), "a 404 has no message")
        stranger = refusal(lambda: self.stranger.retrieve("batch_x"), errors.KeyRefused)
        expect(stranger.message == "Invalid token", "a 401 has no message")
        self.simulator.faults.add("forbidden", "GET /batches/{batch_id}", times=1)
        denied = refusal(lambda: self.client.retrieve("batch_x"), errors.AccessDenied)
        expect(denied.message == "Forbidden", "a 403 has no message")
        self.simulator.faults.add("rate-limited", "GET /batches/{batch_id}")
        limited = refusal(lambda: self.client.retrieve("batch_x"), errors.RateLimited)
        expect(limited.message.startswith("Request was rejected"), "a 429 has no message")

    def _invalid_input(self) -> None:
        """An invalid file ends in `BadRequest`, or in `BatchFailed` with its reasons."""
        self.simulator.faults.clear()
        try:
            batch = self.client.create(self.client.upload(b"[]\n", name="bad.jsonl").id)
            self.client.wait(batch.id, interval=0.5)
        except errors.BadRequest as error:
            expect("line 1" in error.message, "a refusal has no message")
        except errors.BatchFailed as error:
            texts = [reason for reason in error.reasons if isinstance(reason, str)]
            expect(texts and len(texts) == len(error.reasons), "reasons are not strings")
            expect("must be a JSON object" in str(error), "a failed batch has no message")
        else:
            raise EndedWrong("an invalid file is accepted")

    def _tokens(self) -> Counter[str]:
        """How many batches each token of the client has."""
        batches = self.simulator.service.batches.values()
        tokens = [batch.metadata.get(TOKEN) for batch in batches if batch.metadata]
        return Counter(token for token in tokens if token is not None)
