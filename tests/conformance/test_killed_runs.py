"""Clean-up after runs that were killed."""

from pathlib import Path
from time import time

import pytest

from siliconflow_batch_conformance.service.cleanup import CleanUp
from siliconflow_batch_conformance.service.journal import MARK
from support.account import asked, line
from support.journaled_runs import (
    JournaledService,
    run_until_killed,
    start_run,
)


class TestKilledRun:
    @pytest.mark.parametrize("last", ["response lost", "recorded"])
    def test_only_its_own_batch_is_cancelled(self, service: JournaledService, last: str) -> None:
        """The next run cancels the batch, whether or not the response was recorded."""
        other = service.account.batch(line(), metadata={"by": "somebody else"})
        marked = service.account.batch(line(), metadata={MARK: "another-run"})
        run_until_killed(service, last)
        newest = service.account.http.get("batches", params={"limit": 1}).json()["data"][0]
        assert newest["metadata"]["by"] == "us"
        similar = service.account.batch(line(), metadata={MARK: newest["metadata"][MARK] + "0"})

        outcome = service.clean_up_in_next_run()

        assert outcome.left == 0
        assert (outcome.cancelled, outcome.messages) == ([newest["id"]], [])
        assert service.cancels() == [newest["id"]]
        assert service.status(newest["id"]) == "cancelling"
        assert {service.status(id) for id in (other, marked, similar)} == {"in_queue"}
        assert service.clean_up_in_next_run() == CleanUp()
        assert service.cancels() == [newest["id"]]

    def test_a_creation_that_was_not_sent_is_closed_after_15_minutes(
        self, service: JournaledService
    ) -> None:
        """The journal cannot tell whether it was sent, and lists may lag that long."""
        other = service.account.batch(line())
        run_until_killed(service, "intended")
        service.clock.now = time()

        early = service.clean_up_in_next_run()
        late = service.clean_up_in_next_run(later=15 * 60 + 1)

        assert (early.left, late.left) == (1, 0)
        assert "not in the list yet" in early.messages[0]
        assert service.clean_up_in_next_run() == CleanUp()
        assert service.cancels() == []
        assert service.status(other) == "in_queue"

    def test_a_batch_that_is_listed_late_is_cancelled(self, service: JournaledService) -> None:
        """While the list lags, the creation stays open."""
        run_until_killed(service, "response lost")
        service.clock.now = time()
        service.simulator.faults.add("list-lags")

        early = service.clean_up_in_next_run()
        service.simulator.clock.advance(seconds=11)
        late = service.clean_up_in_next_run()

        assert (early.left, late.left) == (1, 0)
        assert len(service.cancels()) == 1

    def test_a_run_without_creations_leaves_nothing_open(
        self, service: JournaledService, state_folder: Path
    ) -> None:
        """A run that only read needs no clean-up."""
        run_until_killed(service, "opened")

        assert service.clean_up_in_next_run().left == 0
        assert asked(service.simulator) == ["POST /v1/files"]

    def test_an_active_run_is_left_alone(self, service: JournaledService) -> None:
        """A run's batches are cancelled by others only after its process has ended."""
        with start_run(service, "never") as process:
            assert process.stdout is not None
            batch_id = process.stdout.readline().strip()
            during = service.clean_up_in_next_run()
            during_status = service.status(batch_id)
            process.kill()
        after = service.clean_up_in_next_run()

        assert (during_status, during.left) == ("in_queue", 0)
        assert "another run is active" in during.messages[0]
        assert service.status(batch_id) == "cancelling"
        assert after.left == 0
