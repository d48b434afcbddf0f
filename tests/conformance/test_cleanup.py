"""Clean-up: cancelling the unfinished batches of a run on a paid service."""

import os
from pathlib import Path
from time import time
from typing import Any

import pytest

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.service import cleanup
from siliconflow_batch_conformance.service.budget import WRITES, Budget
from siliconflow_batch_conformance.service.cleanup import CleanUp, clean_up
from siliconflow_batch_conformance.service.journal import MARK
from support.account import asked, json_lines, line
from support.journaled_runs import (
    JournaledService,
    create,
    create_and_lose_response,
    raise_disk_full,
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
        assert [newest["id"] in message for message in outcome.messages] == [True]
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


class TestCleanUp:
    def test_unfinished_batches_are_cancelled(
        self, service: JournaledService, state_folder: Path
    ) -> None:
        """Batches are found by id or token; the journal file is deleted afterwards."""
        with service.journal() as journal:
            ids = [create(service, journal), create_and_lose_response(service, journal)]

            outcome = service.clean_up(journal)

        assert sorted(service.cancels()) == sorted(ids)
        assert [service.status(id) for id in ids] == ["cancelling", "cancelling"]
        assert (len(outcome.messages), outcome.left) == (2, 0)
        assert [path for path in state_folder.rglob("*") if path.is_file()] == []

    def test_a_finished_batch_is_not_cancelled(self, service: JournaledService) -> None:
        """It is closed without a cancel or a message."""
        with service.journal() as journal:
            batch_id = create(service, journal)
            service.account.advance(batch_id, hours=1)

            assert service.clean_up(journal) == CleanUp()

        assert service.cancels() == []
        assert service.status(batch_id) == "completed"

    def test_a_rejected_creation_is_closed(self, service: JournaledService) -> None:
        """A rejection leaves nothing to cancel."""
        with service.journal() as journal:
            creation = journal.intend()
            journal.record_response(creation.token, 400, {"id": "batch_x", "code": 20012})

            assert journal.open_creations() == []

    def test_an_unexpectedly_accepted_creation_is_cancelled(
        self, service: JournaledService
    ) -> None:
        """A batch without a token is cancelled by the id in its response."""
        with service.journal() as journal:
            creation = journal.intend(marked=False)
            response = service.account.create(json_lines(line()))
            journal.record_response(creation.token, response.status_code, response.json())

            service.clean_up(journal)

        assert service.cancels() == [response.json()["id"]]

    def test_a_lost_creation_without_a_token_is_reported(self, service: JournaledService) -> None:
        """Its batch cannot be identified, so no batch is cancelled."""
        with service.journal() as journal:
            batch_id = create_and_lose_response(service, journal, marked=False)

            outcome = service.clean_up(journal)

        assert "check your account" in outcome.messages[0]
        assert (service.cancels(), outcome.left) == ([], 0)
        assert service.status(batch_id) == "in_queue"

    def test_the_next_run_reports_a_lost_creation_without_a_token(
        self, service: JournaledService
    ) -> None:
        """The journal records that the metadata has no token."""
        with service.journal() as journal:
            create_and_lose_response(service, journal, marked=False)

        outcome = service.clean_up_in_next_run()

        assert "check your account" in outcome.messages[0]
        assert (service.cancels(), outcome.left) == ([], 0)

    def test_every_batch_with_the_token_is_cancelled(self, service: JournaledService) -> None:
        """A gateway that repeats a creation makes two batches with one token."""
        with service.journal() as journal:
            creation = journal.intend()
            ids = [service.account.batch(line(), metadata=creation.metadata) for _ in range(2)]

            service.clean_up(journal)

        assert sorted(service.cancels()) == sorted(ids)

    def test_every_page_of_the_list_is_read(self, service: JournaledService) -> None:
        """A token on the last page is found."""
        with service.journal() as journal:
            batch_id = create_and_lose_response(service, journal)
            file_id = service.account.upload(json_lines(line())).json()["data"]["id"]
            for _ in range(100):
                service.account.create(file_id)

            assert service.clean_up(journal).left == 0

        assert service.cancels() == [batch_id]

    @pytest.mark.parametrize(
        ("fault", "kept"), [("after-ignored", True), ("has-more-false", False), (None, False)]
    )
    def test_a_partly_read_list_closes_nothing(
        self, service: JournaledService, fault: str | None, kept: bool
    ) -> None:
        """If pages repeat, a creation stays open until the longest window has passed."""
        with service.journal() as journal:
            journal.intend()
            file_id = service.account.upload(json_lines(line())).json()["data"]["id"]
            for _ in range(100):
                service.account.create(file_id)
            if fault:
                service.simulator.faults.add(fault)
            service.clock.now += 3600

            assert bool(service.clean_up(journal).left) is kept
            service.clock.now += 15 * 86_400
            assert service.clean_up(journal).left == 0

    def test_the_number_of_pages_is_limited(
        self, service: JournaledService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A list beyond the limit counts as partly read."""
        monkeypatch.setattr(cleanup, "PAGE", 1)
        monkeypatch.setattr(cleanup, "PAGES", 3)
        file_id = service.account.upload(json_lines(line())).json()["data"]["id"]
        for _ in range(5):
            service.account.create(file_id)
        with service.journal() as journal:
            journal.intend()
            service.clock.now += 3600

            outcome = service.clean_up(journal)

        assert asked(service.simulator).count("GET /v1/batches") == 3
        assert "could not be read completely" in outcome.messages[0]

    def test_an_unknown_batch_is_closed_after_15_minutes(self, service: JournaledService) -> None:
        """A 404 soon after the creation may be a delay of the service."""
        with service.journal() as journal:
            creation = journal.intend()
            journal.record_batch(creation.token, "batch_nobodyhasit")

            early = service.clean_up(journal)
            service.clock.now += 3600
            late = service.clean_up(journal)

        assert (early.left, late.left) == (1, 0)

    def test_a_cancel_is_verified(self, service: JournaledService) -> None:
        """A 200 without an effect leaves the creation open."""
        service.simulator.faults.add("cancel-ignored")
        with service.journal() as journal:
            batch_id = create(service, journal)

            outcome = service.clean_up(journal)

        assert outcome.left == 1
        assert batch_id in outcome.messages[0]
        assert "its status is 'in_queue'" in outcome.messages[0]
        service.simulator.faults.clear()
        assert service.clean_up_in_next_run().left == 0
        assert service.status(batch_id) == "cancelling"

    def test_an_id_is_quoted_in_paths(self, service: JournaledService) -> None:
        """An id from a response is always one path segment."""
        other = service.account.batch(line())
        with service.journal() as journal:
            creation = journal.intend()
            journal.record_response(creation.token, 200, {"id": f"x/../{other}"})

            service.clean_up(journal)

        assert service.status(other) == "in_queue"

    @pytest.mark.parametrize("body", [None, "batch_x", {"id": 5}, {"id": ""}, {}, []])
    def test_a_response_without_an_id_counts_as_lost(
        self, service: JournaledService, body: object
    ) -> None:
        """The batch is found by its token."""
        with service.journal() as journal:
            creation = journal.intend()
            batch_id = service.account.batch(line(), metadata=creation.metadata)
            journal.record_response(creation.token, 200, body)

            service.clean_up(journal)

        assert service.cancels() == [batch_id]

    def test_other_accounts_are_left_alone(self, service: JournaledService) -> None:
        """Each key has its own journals; no request is sent for another key's."""
        with service.journal("sk-other") as journal:
            creation = journal.intend()
            journal.record_batch(creation.token, "batch_x")

        assert service.clean_up_in_next_run() == CleanUp()
        assert asked(service.simulator) == []


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "slept"),
        [
            ("server-error", [1, 2, 4]),
            ("timeout-html", [1, 2, 4]),
            ("reset-before", [1, 2, 4]),
            ("rate-limited-retry-after", [1, 2, 4]),
        ],
    )
    def test_errors_are_retried_with_backoff(
        self, service: JournaledService, fault: str, slept: list[float]
    ) -> None:
        """5xx, 429 and resets are retried after growing pauses."""
        with service.journal() as journal:
            batch_id = create(service, journal)
            service.simulator.faults.add(fault, times=3)

            assert service.clean_up(journal).left == 0

        assert service.status(batch_id) == "cancelling"
        assert service.clock.slept == slept

    def test_a_cancel_without_a_response_is_repeated(self, service: JournaledService) -> None:
        """Repeating a cancel changes nothing."""
        with service.journal() as journal:
            batch_id = create(service, journal)
            service.simulator.faults.add("reset-after", "POST /batches/{batch_id}/cancel", times=1)

            assert service.clean_up(journal).left == 0

        assert service.status(batch_id) == "cancelling"

    def test_a_long_retry_after_is_honoured(self, service: JournaledService) -> None:
        """The pause is as long as Retry-After says, while patience lasts."""
        answers = iter([(429, {"retry-after": "20"}), (429, {"retry-after": "20"}), (404, {})])

        def send(method: str, path: str, query: dict[str, Any]) -> Exchange:
            status, headers = next(answers)
            return Exchange(0, method, path, status, headers=headers)

        with service.journal() as journal:
            journal.record_batch(journal.intend().token, "batch_x")
            clean_up(send, journal, clock=service.clock, sleep=service.clock.sleep)

        assert service.clock.slept == [20, 20]

    def test_lasting_errors_leave_batches_to_the_next_run(self, service: JournaledService) -> None:
        """All creations share one patience; the next run cancels what is left."""
        with service.journal() as journal:
            ids = [create(service, journal) for _ in range(3)]
            service.simulator.faults.add("server-error")
            before = len(asked(service.simulator))

            outcome = service.clean_up(journal)

        assert outcome.left == 3
        assert all(id in text for id, text in zip(ids, outcome.messages, strict=True))
        assert sum(service.clock.slept) <= cleanup.PATIENCE
        assert len(asked(service.simulator)) - before == 6  # one creation's attempts
        service.simulator.faults.clear()
        assert service.clean_up_in_next_run().left == 0
        assert service.cancels() == ids

    def test_without_writes_batches_are_left_to_the_next_run(
        self, service: JournaledService
    ) -> None:
        """When the writes are used up, the remaining batches are reported."""
        budget = Budget(loopback=False, writes=True, clock=service.clock, sleep=service.clock.sleep)
        budget.written = WRITES - 1

        def send(method: str, path: str, query: dict[str, Any]) -> Exchange:
            budget.acquire_for_cleanup(method)
            return service.send(method, path, query)

        with service.journal() as journal:
            ids = [create(service, journal) for _ in range(3)]
            outcome = clean_up(send, journal, clock=service.clock, sleep=service.clock.sleep)

        assert (service.cancels(), outcome.left) == (ids[:1], 2)
        assert "60 writes" in outcome.messages[-1]
        assert service.clean_up_in_next_run().left == 0
        assert service.cancels() == ids

    def test_a_rejected_key_leaves_batches_to_the_next_run(self, service: JournaledService) -> None:
        """A 403 closes no creation, and is not retried."""
        with service.journal() as journal:
            create(service, journal)
            service.simulator.faults.add("forbidden")

            outcome = service.clean_up(journal)

        assert outcome.left == 1
        assert "rejected the key (403)" in outcome.messages[0]
        assert service.clock.slept == []

    def test_a_full_disk_does_not_stop_the_cancels(
        self, service: JournaledService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Batches are cancelled even if the journal cannot be written."""
        with service.journal() as journal:
            ids = [create(service, journal) for _ in range(2)]
            monkeypatch.setattr(os, "fsync", raise_disk_full)

            outcome = service.clean_up(journal)

        assert service.cancels() == ids
        assert outcome.left == 2
