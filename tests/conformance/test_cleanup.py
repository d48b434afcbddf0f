"""Clean-up: cancelling the unfinished batches of a run on a paid service."""

from pathlib import Path

import pytest

from siliconflow_batch_conformance.service import cleanup
from siliconflow_batch_conformance.service.cleanup import CleanUp
from support.account import asked, json_lines, line
from support.journaled_runs import (
    JournaledService,
    create,
    create_and_lose_response,
)


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
        assert (sorted(outcome.cancelled), outcome.left) == (sorted(ids), 0)
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


class TestDamagedJournals:
    @pytest.mark.parametrize(
        "damage", [b"\0" * 40, b'{"event": "made", "tok\xffn": 1}', b"[]", b"null"]
    )
    def test_its_batches_are_found_by_the_token_of_the_run(
        self, service: JournaledService, damage: bytes
    ) -> None:
        """What the list shows of the run is cancelled, what it does not show is mentioned."""
        with service.journal() as dead:
            ids = [create(service, dead), create_and_lose_response(service, dead)]
        other = service.account.batch(line())
        dead.path.write_bytes(b"\n" + damage)

        outcome = service.clean_up_in_next_run()

        assert sorted(outcome.cancelled) == sorted(service.cancels()) == sorted(ids)
        assert service.status(other) == "in_queue"
        assert f"the journal of run {dead.run} was damaged" in outcome.messages[0]
        assert (outcome.left, dead.path.exists()) == (0, False)

    def test_it_is_kept_while_the_list_cannot_be_read(
        self, service: JournaledService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The message says which batches may still run."""
        with service.journal() as dead:
            create(service, dead)
            create(service, dead)
        dead.path.write_bytes(b"\n" + b"\0" * 40)
        monkeypatch.setattr(cleanup, "PAGES", 0)

        outcome = service.clean_up_in_next_run()

        assert (outcome.left, outcome.cancelled, dead.path.exists()) == (1, [], True)
        assert f"batches of run {dead.run}, whose journal is damaged" in outcome.messages[0]

    def test_one_that_cannot_be_opened_is_left(self, service: JournaledService) -> None:
        """It is not taken for the journal of an active run."""
        with service.journal() as journal:
            journal.path.with_name("0123456789abcdef.jsonl").mkdir()

            outcome = service.clean_up(journal)

        assert outcome.left == 1
        assert "0123456789abcdef.jsonl: it cannot be read and written" in outcome.messages[0]

    def test_a_line_that_a_crash_cut_off_is_no_damage(self, service: JournaledService) -> None:
        """Nothing was sent before its record was complete."""
        with service.journal() as dead:
            create(service, dead)
        dead.path.write_bytes(dead.path.read_bytes() + b'\n{"event": "int')

        outcome = service.clean_up_in_next_run()

        assert (len(outcome.cancelled), outcome.messages, outcome.left) == (1, [], 0)
