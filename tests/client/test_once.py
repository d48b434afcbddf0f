"""What must never happen: a batch paid twice, a key told. Every test runs on both clients."""

import logging
import traceback
from typing import Any

import pytest

from siliconflow_batch import Patience, errors
from siliconflow_batch_simulator import Clock, Simulator
from support.account import asked, json_lines, line


class TestOnce:
    def test_a_lost_answer_is_found_again(self, client: Any, simulator: Simulator) -> None:
        """The batch exists, its answer was lost: the caller gets the batch, and there is one."""
        file = client.upload(json_lines(line("a")))
        simulator.faults.add("reset-after", "POST /batches", times=1)

        batch = client.create(file.id)

        assert [listed.id for listed in client.batches()] == [batch.id]
        assert asked(simulator).count("POST /v1/batches") == 1

    def test_a_creation_that_never_was_is_sent_again(
        self, client: Any, simulator: Simulator
    ) -> None:
        """A gateway's 504 before the work: the list shows no batch, so it is created."""
        file = client.upload(json_lines(line("a")))
        simulator.faults.add("timeout-html", "POST /batches", times=1)

        batch = client.create(file.id)

        assert [listed.id for listed in client.batches()] == [batch.id]

    @pytest.mark.parametrize("name", ["overloaded-object", "rate-limited"])
    def test_when_the_list_does_not_tell_nothing_is_guessed(
        self, client: Any, simulator: Simulator, name: str
    ) -> None:
        """Without a list it cannot be known: the token is told, and finds the batch later."""
        file = client.upload(json_lines(line("a")))
        simulator.faults.add("reset-after", "POST /batches")
        simulator.faults.add(name, "GET /batches")

        with pytest.raises(errors.CreateOutcomeUnknown) as unknown:
            client.create(file.id)
        with pytest.raises(errors.CreateOutcomeUnknown, match="could not be read to its end"):
            client.find(unknown.value.token)

        simulator.faults.clear()
        assert asked(simulator).count("POST /v1/batches") == 1
        assert client.find(unknown.value.token).token == unknown.value.token
        assert client.find("another token") is None

    @pytest.mark.parametrize(
        "patience", [{"looks": 0}, {"creations": 0}, {"seconds": -1}, {"seconds": float("inf")}]
    )
    def test_no_patience_is_refused(self, patience: dict[str, Any]) -> None:
        """Who does not look cannot know, and would pay twice."""
        with pytest.raises(errors.ArgumentInvalid):
            Patience(**patience)

    def test_a_service_without_paging_is_not_trusted(
        self, client: Any, simulator: Simulator
    ) -> None:
        """Where later pages cannot be reached, an absent batch may be on one of them."""
        file = client.upload(json_lines(line("a")))
        for _ in range(101):
            client.create(file.id)
        simulator.faults.add("after-ignored", "GET /batches")
        simulator.faults.add("timeout-empty", "POST /batches")

        with pytest.raises(errors.CreateOutcomeUnknown):
            client.create(file.id)

    def test_bad_days_make_no_duplicate(self, opened: Any) -> None:
        """However answers are lost and lists lag, no token has two batches; 500 creations each."""
        with Simulator(seed=11, clock=Clock(speed=1000)) as simulator:
            client = opened(
                key=simulator.api_key,
                base_url=simulator.base_url,
                patience=Patience(seconds=0.06, looks=3, creations=4),
            )
            file = client.upload(json_lines(line("a")))
            for name, rate in {
                "reset-after": 0.25,
                "reset-before": 0.15,
                "timeout-html": 0.15,
                "overloaded-string": 0.1,
                "rate-limited": 0.1,
                "server-error": 0.1,
            }.items():
                simulator.faults.add(name, "POST /batches", rate=rate)
            simulator.faults.add("list-lags", "GET /batches")
            simulator.faults.add("server-error", "GET /batches", rate=0.05)
            known, unknown = [], []
            while asked(simulator).count("POST /v1/batches") < 500:
                try:
                    known.append(client.create(file.id).token)
                except errors.CreateOutcomeUnknown as lost:
                    unknown.append(lost.token)

            made = [batch.metadata for batch in simulator.service.batches.values()]

        tokens = [str(notes and notes["siliconflow_batch_token"]) for notes in made]
        assert len(tokens) == len(set(tokens))
        assert set(known) <= set(tokens)
        assert len(known) > 10 * len(unknown)


class TestSecrecy:
    def test_the_key_is_told_nowhere(
        self, client: Any, simulator: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not in reprs, not in exceptions and their causes, not in logs."""
        told = [repr(client), repr(client.upload(b"{}"))]
        simulator.faults.add("reset-before")
        with caplog.at_level(logging.DEBUG):
            for call in (client.retrieve, client.cancel):
                try:
                    call("batch_x")
                except errors.SiliconFlowError as error:
                    told += ["".join(traceback.format_exception(error)), repr(error)]

        assert len(told) == 6
        assert simulator.api_key not in "".join(told) + caplog.text

    def test_a_result_url_gets_no_key(self, client: Any, simulator: Simulator) -> None:
        """Whoever serves the download does not learn the key."""
        batch = client.wait(client.submit(json_lines(line("a"))).id, interval=0.01)

        list(client.results(batch))

        brought = {request.path[:9]: request.authorized for request in simulator.requests}
        assert brought == {"/v1/files": True, "/v1/batch": True, "/results/": False}
