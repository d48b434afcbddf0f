"""The lifecycle of batches, with a clock that is moved by hand."""

import pytest

from siliconflow_batch_simulator.batches.lifecycle import (
    FINAL,
    TRANSITIONS,
    Batch,
    TransitionRefused,
    move,
)
from support.account import Account, line


class TestTransitions:
    def test_final_statuses_are_the_documented_ones(self) -> None:
        """The statuses without a transition are the four documented final ones."""
        assert {"completed", "failed", "expired", "cancelled"} == FINAL

    @pytest.mark.parametrize("status", sorted({status for status, _ in TRANSITIONS} | FINAL))
    def test_an_event_that_is_not_allowed_changes_nothing(self, status: str) -> None:
        """An event without a row in TRANSITIONS is refused, and the batch is unchanged."""
        batch = Batch("batch_a", "account", "file-a", "a.jsonl", 1, 24, 0.0, status=status)
        refused = {event for _, event in TRANSITIONS} - {
            event for source, event in TRANSITIONS if source == status
        }

        for event in refused:
            with pytest.raises(TransitionRefused, match=f"status is '{status}'"):
                move(batch, event, 1.0)

        assert (batch.status, batch.stamps) == (status, {})


class TestProgress:
    def test_statuses_follow_the_clock(self, api: Account) -> None:
        """The status changes only when the clock moves."""
        batch_id = api.batch(line("a"), line("b"), line("c"))

        assert api.retrieve(batch_id)["status"] == "in_queue"
        assert api.advance(batch_id, seconds=0.4)["status"] == "in_progress"
        assert api.advance(batch_id, seconds=0.6)["status"] == "finalizing"
        assert api.advance(batch_id, seconds=0.3)["status"] == "completed"

    def test_lines_are_counted_as_they_finish(self, api: Account) -> None:
        """Half-way through, half of the lines are counted."""
        batch_id = api.batch(*(line(str(number)) for number in range(10)))

        counts = api.advance(batch_id, seconds=0.6)["request_counts"]

        assert counts == {"total": 10, "completed": 5, "failed": 0}

    def test_times_do_not_depend_on_when_a_batch_is_retrieved(self, api: Account) -> None:
        """`completed_at` is when the batch completed, even if it is retrieved hours later."""
        batch_id = api.batch(line())

        batch = api.advance(batch_id, hours=20)

        assert batch["status"] == "completed"
        assert batch["completed_at"] - batch["created_at"] == 1

    @pytest.mark.parametrize("hours", [24, 48, 336])
    def test_expires_at_follows_the_window(self, api: Account, hours: int) -> None:
        """`expires_at` equals `created_at` plus `completion_window`."""
        batch = api.retrieve(api.batch(line(), completion_window=f"{hours}h"))

        assert batch["expires_at"] == batch["created_at"] + hours * 3600


class TestExpiry:
    def test_unfinished_lines_go_to_the_error_file(self, api: Account) -> None:
        """Finished lines keep their results; all other lines have the error batch_expired."""
        api.simulator.pace.queued, api.simulator.pace.running = 0, 48 * 3600
        batch_id = api.batch(*(line(str(number)) for number in range(4)))

        batch = api.advance(batch_id, hours=25)

        assert batch["status"] == "expired"
        assert batch["expired_at"] == batch["expires_at"]
        assert batch["request_counts"] == {"total": 4, "completed": 2, "failed": 2}
        answered = api.records(batch["output_file_id"])
        expired = api.records(batch["error_file_id"])
        assert [record["custom_id"] for record in answered] == ["0", "1"]
        assert [record["custom_id"] for record in expired] == ["2", "3"]
        assert {record["error"]["code"] for record in expired} == {"batch_expired"}
        assert all(record["response"] is None for record in expired)


class TestCancel:
    def test_only_the_line_in_flight_finishes(self, api: Account) -> None:
        """A cancelled batch keeps its results, including that of the line in flight."""
        batch_id = api.batch(*(line(str(number)) for number in range(10)))
        api.advance(batch_id, seconds=0.6)

        cancelling = api.cancel(batch_id).json()
        batch = api.advance(batch_id, seconds=1)

        assert cancelling["status"] == "cancelling"
        assert cancelling["request_counts"]["completed"] == 5
        assert batch["status"] == "cancelled"
        assert batch["request_counts"] == {"total": 10, "completed": 6, "failed": 0}
        assert len(api.records(batch["output_file_id"])) == 6

    def test_a_batch_cancelled_in_the_queue_has_no_results(self, api: Account) -> None:
        """A batch that never started has no output file."""
        batch_id = api.batch(line())

        api.cancel(batch_id)
        batch = api.advance(batch_id, seconds=1)

        assert (batch["status"], batch["output_file_id"]) == ("cancelled", None)
        assert batch["cancelling_at"] <= batch["cancelled_at"]

    def test_cancel_of_a_finished_batch_is_refused(self, api: Account) -> None:
        """A completed batch cannot be cancelled and is unchanged."""
        batch_id = api.batch(line())
        before = api.advance(batch_id, seconds=2)

        response = api.cancel(batch_id)

        assert response.status_code == 400
        assert "status is 'completed'" in response.json()["message"]
        assert api.retrieve(batch_id) == before

    def test_a_repeated_cancel_returns_the_same(self, api: Account) -> None:
        """Repeating a cancel while the batch is cancelling returns the same response."""
        batch_id = api.batch(line())

        first, second = api.cancel(batch_id), api.cancel(batch_id)

        assert (second.status_code, second.json()) == (200, first.json())
