"""The clock: running, stopped, moved forward."""

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Pace, Simulator
from support.account import Account, line


class TestClock:
    def test_a_stopped_clock_is_moved_by_hand(self) -> None:
        """With speed 0, only `advance` changes the time."""
        clock = Clock(speed=0, start=100)

        assert (clock.now(), clock.now()) == (100, 100)
        assert clock.advance(seconds=1, hours=1, days=1) == 100 + 1 + 3600 + 86_400

    def test_it_cannot_be_moved_back(self) -> None:
        """A negative step raises `ValueError`."""
        with pytest.raises(ValueError, match="forward"):
            Clock().advance(hours=-1)

    @pytest.mark.parametrize("speed", [-1, float("nan"), float("inf"), 1e300])
    def test_an_invalid_speed_is_refused(self, speed: float) -> None:
        """Negative, infinite and excessive speeds raise `ValueError`."""
        with pytest.raises(ValueError, match="speed"):
            Clock(speed)

    def test_it_runs_at_its_speed(self) -> None:
        """At a million times the real speed, two readings differ."""
        clock = Clock(speed=1e6, start=0)

        first = clock.now()
        assert clock.now() > first


class TestRetention:
    @pytest.mark.parametrize(("days", "status"), [(29.9, 200), (30, 404)])
    def test_results_are_kept_for_thirty_days(self, api: Account, days: float, status: int) -> None:
        """A download URL returns 404 from the thirtieth day after the end of its batch."""
        batch = api.advance(api.batch(line()), seconds=1.2)

        api.simulator.clock.advance(days=days)

        assert httpx.get(batch["output_file_id"]).status_code == status

    def test_input_files_are_kept(self, api: Account) -> None:
        """Input files do not expire, because no document says so."""
        file_id = api.upload(b"{}").json()["data"]["id"]

        api.simulator.clock.advance(days=400)

        assert api.http.get(f"files/{file_id}/content").status_code == 200


def test_a_cancel_takes_the_configured_time() -> None:
    """`Pace.cancelling` is how long a batch stays `cancelling`."""
    with Simulator(clock=Clock(0), pace=Pace(cancelling=600)) as simulator:
        base = simulator.base_url + "/"
        with httpx.Client(base_url=base, headers=simulator.headers()) as http:
            api = Account(simulator, http)
            batch_id = api.batch(line())
            api.cancel(batch_id)

            assert api.advance(batch_id, seconds=599)["status"] == "cancelling"
            assert api.advance(batch_id, seconds=1)["status"] == "cancelled"
