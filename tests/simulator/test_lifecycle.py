"""A batch on its way, by a clock that is moved by hand."""

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
        """Four statuses are ends; none of them is left again."""
        assert {"completed", "failed", "expired", "cancelled"} == FINAL

    @pytest.mark.parametrize("status", sorted({status for status, _ in TRANSITIONS} | FINAL))
    def test_an_event_without_a_row_changes_nothing(self, status: str) -> None:
        """What the table does not allow is refused, and the batch is as it was."""
        batch = Batch("batch_a", "account", "file-a", "a.jsonl", 1, 24, 0.0, status=status)
        refused = {event for _, event in TRANSITIONS} - {
            event for source, event in TRANSITIONS if source == status
        }

        for event in refused:
            with pytest.raises(TransitionRefused, match=f"status is '{status}'"):
                move(batch, event, 1.0)

        assert (batch.status, batch.stamps) == (status, {})


class TestTheWayToCompleted:
    def test_statuses_follow_the_clock(self, api: Account) -> None:
        """Nothing happens while the clock stands; each step of it takes the batch on."""
        batch_id = api.batch(line("a"), line("b"), line("c"))

        assert api.retrieve(batch_id)["status"] == "in_queue"
        assert api.advance(batch_id, seconds=0.4)["status"] == "in_progress"
        assert api.advance(batch_id, seconds=0.6)["status"] == "finalizing"
        assert api.advance(batch_id, seconds=0.3)["status"] == "completed"

    def test_lines_are_counted_as_they_end(self, api: Account) -> None:
        """Half-way through, half of the lines are answered."""
        batch_id = api.batch(*(line(str(number)) for number in range(10)))

        counts = api.advance(batch_id, seconds=0.6)["request_counts"]

        assert counts == {"total": 10, "completed": 5, "failed": 0}

    def test_stamps_are_when_it_happened_not_when_it_was_seen(self, api: Account) -> None:
        """Who looks a day later is told when the batch completed."""
        batch_id = api.batch(line())

        seen = api.advance(batch_id, hours=20)

        assert seen["status"] == "completed"
        assert seen["completed_at"] - seen["created_at"] == 1

    @pytest.mark.parametrize("hours", [24, 48, 336])
    def test_expires_at_follows_the_window(self, api: Account, hours: int) -> None:
        """A batch expires its window after its creation."""
        batch = api.retrieve(api.batch(line(), completion_window=f"{hours}h"))

        assert batch["expires_at"] == batch["created_at"] + hours * 3600


class TestExpiry:
    def test_unfinished_lines_go_to_the_error_file(self, api: Account) -> None:
        """What was answered stays; every other line is named as expired."""
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
    def test_the_line_in_flight_ends_and_no_other_begins(self, api: Account) -> None:
        """Cancelled half-way, a batch keeps what it has, and the line it was at."""
        batch_id = api.batch(*(line(str(number)) for number in range(10)))
        api.advance(batch_id, seconds=0.6)

        cancelling = api.cancel(batch_id).json()
        batch = api.advance(batch_id, seconds=1)

        assert cancelling["status"] == "cancelling"
        assert cancelling["request_counts"]["completed"] == 5
        assert batch["status"] == "cancelled"
        assert batch["request_counts"] == {"total": 10, "completed": 6, "failed": 0}
        assert len(api.records(batch["output_file_id"])) == 6

    def test_from_the_queue_nothing_was_done(self, api: Account) -> None:
        """A batch that never began leaves no results."""
        batch_id = api.batch(line())

        api.cancel(batch_id)
        batch = api.advance(batch_id, seconds=1)

        assert (batch["status"], batch["output_file_id"]) == ("cancelled", None)
        assert batch["cancelling_at"] <= batch["cancelled_at"]

    def test_a_finished_batch_is_refused_unchanged(self, api: Account) -> None:
        """Cancelling comes too late for a completed batch and leaves no trace."""
        batch_id = api.batch(line())
        before = api.advance(batch_id, seconds=2)

        answer = api.cancel(batch_id)

        assert answer.status_code == 400
        assert "status is 'completed'" in answer.json()["message"]
        assert api.retrieve(batch_id) == before

    def test_again_while_cancelling_is_the_same(self, api: Account) -> None:
        """A cancel that is repeated after a lost answer gets the answer again."""
        batch_id = api.batch(line())

        first, second = api.cancel(batch_id), api.cancel(batch_id)

        assert (second.status_code, second.json()) == (200, first.json())
