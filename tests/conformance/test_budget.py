"""The limits of a run on a paid service: requests, rate and price."""

from email.utils import formatdate
from time import tzset
from typing import Any

import pytest

from siliconflow_batch_conformance.service.budget import (
    BATCHES,
    LONGEST_PAUSE,
    WRITES,
    Budget,
    BudgetSpent,
    NotAllowed,
    is_rejection,
    retry_after,
)
from siliconflow_batch_conformance.service.prices import highest_price
from support.journaled_runs import NOW, FakeClock


def live_budget(clock: FakeClock, *, writes: bool = False) -> Budget:
    return Budget(unmetered=False, writes=writes, clock=clock, today=clock, sleep=clock.sleep)


class TestAllowed:
    @pytest.mark.parametrize(
        ("method", "path", "options", "reading", "writing"),
        [
            ("GET", "/batches", {}, True, True),
            ("HEAD", "/files", {}, True, True),
            ("GET", "https://elsewhere.invalid/results/x", {}, True, True),
            ("POST", "/files", {"lines": 1}, False, True),
            ("POST", "/files", {"lines": 3}, False, False),
            ("POST", "/files", {"lines": 5001, "rejected": True}, False, False),
            ("POST", "/files", {"rejected": True}, True, True),
            ("POST", "/batches", {"lines": 1}, False, True),
            ("POST", "/batches", {"lines": 2}, False, True),
            ("POST", "/batches", {"lines": 3}, False, False),
            ("POST", "/batches", {"lines": 0}, False, False),
            ("POST", "/batches", {}, False, False),
            ("POST", "/batches/", {}, False, False),
            ("POST", "/batches?x=1", {}, False, False),
            ("POST", "/batches", {"rejected": True}, False, False),
            ("POST", "/batches", {"lines": 0, "rejected": True}, True, True),
            ("POST", "/batches", {"lines": 2, "rejected": True}, True, True),
            ("POST", "/batches", {"lines": 3, "rejected": True}, False, False),
            ("POST", "/batches/batch_x/cancel", {}, False, True),
            ("POST", "/batches/batch_x/cancel", {"rejected": True}, True, True),
            ("DELETE", "/batches/batch_x", {"rejected": True}, False, False),
            ("put", "/files", {"rejected": True}, False, False),
        ],
    )
    def test_only_small_writes_are_sent_to_a_live_service(
        self,
        clock: FakeClock,
        method: str,
        path: str,
        options: dict[str, Any],
        reading: bool,
        writing: bool,
    ) -> None:
        """A write is sent if it is small and allowed by --writes, or certain to be rejected."""
        for writes, allowed in [(False, reading), (True, writing)]:
            budget = live_budget(clock, writes=writes)
            if allowed:
                budget.acquire(method, path, **options)
            else:
                with pytest.raises(NotAllowed):
                    budget.acquire(method, path, **options)
                assert (budget.written, budget.batches) == (0, 0)

    def test_a_service_on_this_machine_has_no_limits(self, clock: FakeClock) -> None:
        """Any request may be sent to a simulator at once."""
        budget = Budget(unmetered=True, clock=clock, sleep=clock.sleep)

        for _ in range(200):
            budget.acquire("DELETE", "/batches", lines=5001)
            budget.record(429, {"retry-after": "600"})

        assert clock.slept == []

    def test_the_error_names_the_option_that_allows_it(self, clock: FakeClock) -> None:
        """The report shows this reason for a case that was not judged."""
        with pytest.raises(NotAllowed, match="need --writes"):
            live_budget(clock).acquire("POST", "/files", lines=1)


class TestSpent:
    def test_a_sixth_batch_is_refused(self, clock: FakeClock) -> None:
        """The sixth creation is not sent, even if the service should reject it."""
        budget = live_budget(clock, writes=True)
        for _ in range(BATCHES):
            budget.acquire("POST", "/batches", lines=2)
            budget.record(200, {})

        for rejected in (False, True):
            with pytest.raises(BudgetSpent, match="5 batches"):
                budget.acquire("POST", "/batches", lines=1, rejected=rejected)

    def test_a_rejected_creation_counts_as_a_write_only(self, clock: FakeClock) -> None:
        """Rejections use up writes, not batches."""
        budget = live_budget(clock, writes=True)

        for _ in range(20):
            budget.acquire("POST", "/batches", lines=1, rejected=True)
            budget.record(400, {})

        assert (budget.written, budget.batches) == (20, 0)

    @pytest.mark.parametrize("status", [200, 201, 307, 408, 499, 500, 504])
    def test_a_creation_without_a_rejection_counts_as_a_batch(
        self, clock: FakeClock, status: int
    ) -> None:
        """An unexpected success, or a status that leaves it open, counts."""
        budget = live_budget(clock)
        for _ in range(BATCHES):
            budget.acquire("POST", "/batches", lines=0, rejected=True)
            budget.record(status, {})

        with pytest.raises(BudgetSpent):
            budget.acquire("POST", "/batches", lines=0, rejected=True)

    def test_a_creation_without_a_response_counts_as_a_batch(self, clock: FakeClock) -> None:
        """A later response to another request does not change that."""
        budget = live_budget(clock, writes=True)

        budget.acquire("POST", "/batches", lines=1)
        budget.acquire("GET", "/batches")
        budget.record(404, {})

        assert budget.batches == 1

    def test_five_writes_are_reserved_for_cleanup(self, clock: FakeClock) -> None:
        """Cases get 65 of 70 writes, one is left to cancel each batch; reads are not limited."""
        budget = live_budget(clock, writes=True)
        for _ in range(WRITES - BATCHES):
            budget.acquire("POST", "/files", lines=1)

        with pytest.raises(BudgetSpent, match="65 writes"):
            budget.acquire("POST", "/batches/batch_x/cancel")
        budget.acquire("GET", "/batches")
        for _ in range(BATCHES):
            budget.acquire_for_cleanup("POST")
        with pytest.raises(BudgetSpent, match="70 writes"):
            budget.acquire_for_cleanup("POST")
        budget.acquire_for_cleanup("GET")

    @pytest.mark.parametrize(
        ("status", "expected"), [(400, True), (429, True), (408, False), (503, False), (200, False)]
    )
    def test_a_rejection_is_a_4xx_other_than_a_timeout(self, status: int, expected: bool) -> None:
        """After 408 and 5xx the request may have taken effect."""
        assert is_rejection(status) is expected


class TestRate:
    def test_two_requests_a_second(self, clock: FakeClock) -> None:
        """The first two are sent at once, then one every half second."""
        budget = live_budget(clock)

        for _ in range(5):
            budget.acquire("GET", "/batches")

        assert clock.slept == [0.5, 0.5, 0.5]

    def test_a_pause_permits_one_burst(self, clock: FakeClock) -> None:
        """After a minute without requests, two may be sent at once, not a hundred."""
        budget = live_budget(clock)
        budget.acquire("GET", "/batches")
        clock.now += 60

        for _ in range(4):
            budget.acquire("GET", "/batches")

        assert clock.slept == [0.5, 0.5]

    @pytest.mark.parametrize(
        ("status", "headers", "pause"),
        [
            (429, {"retry-after": "7"}, 7),
            (429, {"retry-after": "1.5"}, 1.5),
            (429, {"retry-after": formatdate(NOW + 9, usegmt=True)}, 9),
            (429, {"retry-after": formatdate(NOW - 9, usegmt=True)}, 0),
            (429, {"retry-after": "soon"}, 5),
            (429, {"retry-after": "nan"}, 5),
            (429, {}, 5),
            (503, {"retry-after": "7"}, 7),
            (503, {}, 0),
            (200, {"retry-after": "7"}, 0),
        ],
    )
    def test_retry_after_is_honoured(
        self, clock: FakeClock, status: int, headers: dict[str, str], pause: float
    ) -> None:
        """Retry-After is a number or a date; without it a 429 means 5 seconds."""
        budget = live_budget(clock)
        budget.acquire("GET", "/batches")
        budget.record(status, headers)

        budget.acquire("GET", "/batches")

        assert clock.slept == ([pause] if pause else [])

    def test_a_pause_of_more_than_a_minute_ends_the_cases(self, clock: FakeClock) -> None:
        """Cases are not sent before the pause is over; clean-up waits for a minute."""
        budget = live_budget(clock)
        budget.acquire("GET", "/batches")
        budget.record(429, {"retry-after": "3600"})

        with pytest.raises(BudgetSpent, match="3600 s"):
            budget.acquire("GET", "/batches")
        budget.wait()
        assert clock.slept == [LONGEST_PAUSE]
        clock.now += 3600
        budget.acquire("GET", "/batches")

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("Tue, 11 Mar 2025 09:30:23 GMT", 10),
            ("Tue, 11 Mar 2025 09:30:23 -0000", 10),
            ("-3", 0),
            ("inf", None),
            ("", None),
            (None, None),
        ],
    )
    def test_retry_after_is_a_number_or_a_date(
        self, monkeypatch: pytest.MonkeyPatch, header: str | None, seconds: float | None
    ) -> None:
        """The result is never negative and does not depend on the local time zone."""
        monkeypatch.setenv("TZ", "Asia/Shanghai")
        tzset()
        try:
            assert retry_after(header, NOW) == seconds
        finally:
            monkeypatch.undo()
            tzset()


class TestPrice:
    @pytest.mark.parametrize(
        ("lines", "tokens", "model", "yuan"),
        [
            (10, 16, "deepseek-ai/DeepSeek-V3", "0.01"),  # 0.00128
            (1_000_000, 16, "deepseek-ai/DeepSeek-V3", "128.00"),  # 64·1 + 16·4 a line
            (1_000_000, 16, "moonshotai/Kimi-K2-Instruct-0905", "256.00"),  # 64·2 + 16·8
            (10, 16, "deepseek-ai/DeepSeek-R1", "2.63"),  # thinking: (128 + 8·(16 + 32768))·10
            (10, 16, "Qwen/QwQ-32B", "0.66"),
            (10, 16, "deepseek-ai/DeepSeek-V3.1-Terminus", "1.97"),
        ],
    )
    def test_the_highest_price_is_printed(
        self, lines: int, tokens: int, model: str, yuan: str
    ) -> None:
        """The price is rounded up to a hundredth of a yuan."""
        sentence = highest_price({model: lines}, tokens)

        assert f"at most {yuan} yuan" in sentence
        assert model in sentence

    def test_each_model_has_its_price(self) -> None:
        """The lines that a second model runs are counted with its price."""
        lines = {"deepseek-ai/DeepSeek-V3": 8, "deepseek-ai/DeepSeek-R1": 2}

        assert "at most 0.53 yuan" in highest_price(lines, 16)

    def test_an_unlisted_model_has_no_price(self) -> None:
        """No price is printed for a model that is not in the guide."""
        sentence = highest_price({"a/model": 10, "Qwen/QwQ-32B": 2}, 16)

        assert "unknown" in sentence
        assert "yuan" not in sentence
