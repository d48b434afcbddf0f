"""Time: running, standing, moved."""

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Pace, Simulator
from support.account import Account, line


class TestClock:
    def test_it_stands_until_it_is_moved(self) -> None:
        """With speed 0 two readings are the same."""
        clock = Clock(speed=0, start=100)

        assert (clock.now(), clock.now()) == (100, 100)
        assert clock.advance(seconds=1, hours=1, days=1) == 100 + 1 + 3600 + 86_400

    def test_it_does_not_go_back(self) -> None:
        """A time that was answered stays in the past."""
        with pytest.raises(ValueError, match="forward"):
            Clock().advance(hours=-1)

    @pytest.mark.parametrize("speed", [-1, float("nan"), float("inf"), 1e300])
    def test_a_speed_that_is_no_speed_is_refused(self, speed: float) -> None:
        """Time that cannot be told is found before anything starts."""
        with pytest.raises(ValueError, match="speed"):
            Clock(speed)

    def test_it_runs_as_fast_as_asked(self) -> None:
        """At a million times the real speed it is later at once."""
        clock = Clock(speed=1e6, start=0)

        first = clock.now()
        assert clock.now() > first


class TestRetention:
    @pytest.mark.parametrize(("days", "status"), [(29.9, 200), (30, 404)])
    def test_results_are_kept_for_thirty_days(self, api: Account, days: float, status: int) -> None:
        """A download URL dies on the thirtieth day after the end of its batch."""
        batch = api.advance(api.batch(line()), seconds=1.2)

        api.simulator.clock.advance(days=days)

        assert httpx.get(batch["output_file_id"]).status_code == status

    def test_input_files_stay(self, api: Account) -> None:
        """No document says that an upload goes away."""
        file_id = api.upload(b"{}").json()["data"]["id"]

        api.simulator.clock.advance(days=400)

        assert api.http.get(f"files/{file_id}/content").status_code == 200


def test_a_cancel_takes_as_long_as_it_is_given() -> None:
    """How long a batch is `cancelling` can be set."""
    with Simulator(clock=Clock(0), pace=Pace(cancelling=600)) as simulator:
        base = simulator.base_url + "/"
        with httpx.Client(base_url=base, headers=simulator.headers()) as http:
            api = Account(simulator, http)
            batch_id = api.batch(line())
            api.cancel(batch_id)

            assert api.advance(batch_id, seconds=599)["status"] == "cancelling"
            assert api.advance(batch_id, seconds=1)["status"] == "cancelled"
