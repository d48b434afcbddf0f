"""What a run may do to a service that is paid for, how fast, and for what price."""

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
    price,
    refused,
    retry_after,
)
from support.journaled_runs import NOW, Time


def live(time: Time, *, writes: bool = False) -> Budget:
    return Budget(loopback=False, writes=writes, clock=time, today=time, sleep=time.sleep)


class TestWhatMayBeSent:
    @pytest.mark.parametrize(
        ("method", "path", "said", "reading", "writing"),
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
    def test_a_live_service_is_read_and_little_more(
        self,
        time: Time,
        method: str,
        path: str,
        said: dict[str, Any],
        reading: bool,
        writing: bool,
    ) -> None:
        """What is written is small and allowed, or certain to be refused; else it is not sent."""
        for writes, allowed in [(False, reading), (True, writing)]:
            budget = live(time, writes=writes)
            if allowed:
                budget.ask(method, path, **said)
            else:
                with pytest.raises(NotAllowed):
                    budget.ask(method, path, **said)
                assert (budget.written, budget.batches) == (0, 0)

    def test_nothing_is_asked_on_this_machine(self, time: Time) -> None:
        """A simulator has no limits and no rate."""
        budget = Budget(loopback=True, clock=time, sleep=time.sleep)

        for _ in range(200):
            budget.ask("DELETE", "/batches", lines=5001)
            budget.heard(429, {"retry-after": "600"})

        assert time.slept == []

    def test_a_refusal_says_what_would_allow_it(self, time: Time) -> None:
        """The reason is the report's, for a case that was not judged."""
        with pytest.raises(NotAllowed, match="need --writes"):
            live(time).ask("POST", "/files", lines=1)


class TestWhatIsUsedUp:
    def test_five_batches(self, time: Time) -> None:
        """The sixth creation is not sent, were it to be refused or not."""
        budget = live(time, writes=True)
        for _ in range(BATCHES):
            budget.ask("POST", "/batches", lines=2)
            budget.heard(200, {})

        for rejected in (False, True):
            with pytest.raises(BudgetSpent, match="5 batches"):
                budget.ask("POST", "/batches", lines=1, rejected=rejected)

    def test_what_the_service_refused_is_no_batch(self, time: Time) -> None:
        """Refusals cost a write each, and no batch."""
        budget = live(time, writes=True)

        for _ in range(20):
            budget.ask("POST", "/batches", lines=1, rejected=True)
            budget.heard(400, {})

        assert (budget.written, budget.batches) == (20, 0)

    @pytest.mark.parametrize("status", [200, 201, 307, 408, 499, 500, 504])
    def test_what_was_not_refused_is_a_batch(self, time: Time, status: int) -> None:
        """A creation that was certain to be refused, and was not, or perhaps not, counts."""
        budget = live(time)
        for _ in range(BATCHES):
            budget.ask("POST", "/batches", lines=0, rejected=True)
            budget.heard(status, {})

        with pytest.raises(BudgetSpent):
            budget.ask("POST", "/batches", lines=0, rejected=True)

    def test_an_answer_that_was_lost_is_a_batch(self, time: Time) -> None:
        """What was not heard of may exist; a later answer to something else changes nothing."""
        budget = live(time, writes=True)

        budget.ask("POST", "/batches", lines=1)
        budget.ask("GET", "/batches")
        budget.heard(404, {})

        assert budget.batches == 1

    def test_sixty_writes(self, time: Time) -> None:
        """Cases have them all but one for the cancel of each batch; reading goes on."""
        budget = live(time, writes=True)
        for _ in range(WRITES - BATCHES):
            budget.ask("POST", "/files", lines=1)

        with pytest.raises(BudgetSpent, match="55 writes"):
            budget.ask("POST", "/batches/batch_x/cancel")
        budget.ask("GET", "/batches")
        for _ in range(BATCHES):
            budget.clean("POST")
        with pytest.raises(BudgetSpent, match="60 writes"):
            budget.clean("POST")
        budget.clean("GET")

    @pytest.mark.parametrize(
        ("status", "expected"), [(400, True), (429, True), (408, False), (503, False), (200, False)]
    )
    def test_which_answers_are_refusals(self, status: int, expected: bool) -> None:
        """A timeout of the request says nothing about what was done."""
        assert refused(status) is expected


class TestRate:
    def test_two_a_second(self, time: Time) -> None:
        """Two at once, then one every half second."""
        budget = live(time)

        for _ in range(5):
            budget.ask("GET", "/batches")

        assert time.slept == [0.5, 0.5, 0.5]

    def test_rest_is_credited_up_to_a_burst(self, time: Time) -> None:
        """A minute of silence does not buy a hundred requests."""
        budget = live(time)
        budget.ask("GET", "/batches")
        time.now += 60

        for _ in range(4):
            budget.ask("GET", "/batches")

        assert time.slept == [0.5, 0.5]

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
    def test_a_pause_that_is_asked_for_is_made(
        self, time: Time, status: int, headers: dict[str, str], pause: float
    ) -> None:
        """429 is obeyed, in seconds, to a date, or for a while where it does not say."""
        budget = live(time)
        budget.ask("GET", "/batches")
        budget.heard(status, headers)

        budget.ask("GET", "/batches")

        assert time.slept == ([pause] if pause else [])

    def test_a_pause_that_is_too_long_ends_the_cases(self, time: Time) -> None:
        """Nobody waits an hour, and nobody calls before it is over; clean-up waits a minute."""
        budget = live(time)
        budget.ask("GET", "/batches")
        budget.heard(429, {"retry-after": "3600"})

        with pytest.raises(BudgetSpent, match="3600 s"):
            budget.ask("GET", "/batches")
        budget.wait()
        assert time.slept == [LONGEST_PAUSE]
        time.now += 3600
        budget.ask("GET", "/batches")

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
    def test_retry_after(
        self, monkeypatch: pytest.MonkeyPatch, header: str | None, seconds: float | None
    ) -> None:
        """A number or a date, never negative, anywhere on earth; what is neither says nothing."""
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
    def test_a_run_is_priced_before_it_starts(
        self, lines: int, tokens: int, model: str, yuan: str
    ) -> None:
        """At most, rounded up, and by which prices."""
        said = price(lines, tokens, model)

        assert f"at most {yuan} yuan" in said
        assert model in said

    def test_an_unknown_model_has_no_price(self) -> None:
        """No number is better than a wrong one."""
        said = price(10, 16, "a/model")

        assert "not known" in said
        assert "yuan" not in said
