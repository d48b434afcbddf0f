"""Clean-up while requests fail or must not be sent."""

import os
from typing import Any

import pytest

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.service import cleanup
from siliconflow_batch_conformance.service.budget import WRITES, Budget
from siliconflow_batch_conformance.service.cleanup import clean_up
from support.account import asked
from support.journaled_runs import (
    JournaledService,
    create,
    raise_disk_full,
)


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
        budget = Budget(
            unmetered=False, writes=True, clock=service.clock, sleep=service.clock.sleep
        )
        budget.written = WRITES - 1

        def send(method: str, path: str, query: dict[str, Any]) -> Exchange:
            budget.acquire_for_cleanup(method)
            return service.send(method, path, query)

        with service.journal() as journal:
            ids = [create(service, journal) for _ in range(3)]
            outcome = clean_up(send, journal, clock=service.clock, sleep=service.clock.sleep)

        assert (service.cancels(), outcome.left) == (ids[:1], 2)
        assert "70 writes" in outcome.messages[-1]
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
