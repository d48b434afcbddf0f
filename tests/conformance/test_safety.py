"""What a run may do to a service that is paid for, and what becomes of what it left there."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from time import time as present
from time import tzset
from typing import Any

import httpx
import pytest
from attrs import define, field

from account import Account, asked, json_lines, line
from siliconflow_batch_conformance import cleanup
from siliconflow_batch_conformance.budget import (
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
from siliconflow_batch_conformance.cleanup import Cleaned, clean_up
from siliconflow_batch_conformance.exchange import Exchange
from siliconflow_batch_conformance.journal import MARK, Journal, digest
from siliconflow_batch_conformance.state import StateUnusable, state
from siliconflow_batch_simulator import Clock, Pace, Simulator

NOW = 1_741_685_413.0
KEY = "sk-simulator"


@define
class Time:
    """Passes when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time(NOW)


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
        budget.wait()

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


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Time stands still in there: a batch stays in its queue."""
    slow = Pace(queued=600)
    with Simulator(keys=(KEY, "sk-other"), clock=Clock(speed=0), pace=slow) as simulator:
        yield simulator


@define
class Site:
    """A simulator, one account's hands and journal, and a clock that passes by sleeping."""

    simulator: Simulator
    account: Account
    time: Time

    def journal(self, key: str = KEY) -> Journal:
        return Journal.open(self.simulator.base_url, digest(key), clock=self.time)

    def send(self, method: str, path: str, query: dict[str, Any]) -> Exchange:
        answer = self.account.http.request(method, path, params=query)
        headers = dict(answer.headers)
        return Exchange(0, method, path, answer.status_code, headers=headers, body=answer.content)

    def clean_up(self, journal: Journal) -> Cleaned:
        return clean_up(self.send, journal, clock=self.time, sleep=self.time.sleep)

    def next_run(self, *, later: float = 0) -> Cleaned:
        """What a run finds to do that comes after all others."""
        self.time.now += later
        with self.journal() as journal:
            return self.clean_up(journal)

    def status(self, batch_id: str) -> str:
        return str(self.account.retrieve(batch_id)["status"])

    def cancels(self) -> list[str]:
        """The batches whose cancel was asked for."""
        return [words.split("/")[3] for words in asked(self.simulator) if words.endswith("/cancel")]


@pytest.fixture
def site(simulator: Simulator, time: Time) -> Iterator[Site]:
    base = simulator.base_url + "/"
    with httpx.Client(base_url=base, headers=simulator.headers()) as http:
        yield Site(simulator, Account(simulator, http), time)


RUN = """
import os, signal, sys
import httpx
from siliconflow_batch_conformance.journal import Journal, digest

base_url, file_id, last = sys.argv[1:]

def reach(step):
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

journal = Journal.open(base_url, digest("sk-simulator"))
reach("opened")
entry = journal.intend()
reach("intended")
body = {"input_file_id": file_id, "endpoint": "/v1/chat/completions",
        "completion_window": "24h", "metadata": {"by": "us", **entry.metadata}}
answer = httpx.post(base_url + "/batches", json=body,
                    headers={"Authorization": "Bearer sk-simulator"})
reach("answer lost")
journal.heard(entry.token, answer.status_code, answer.json())
reach("made")
print(answer.json()["id"], flush=True)
sys.stdin.read()
"""


def run(site: Site, last: str) -> "subprocess.Popen[str]":
    """A run in a process of its own, which is killed at a step, or else waits."""
    file_id = site.account.upload(json_lines(line())).json()["data"]["id"]
    arguments = [sys.executable, "-c", RUN, site.simulator.base_url, file_id, last]
    return subprocess.Popen(  # noqa: S603 - our own words
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def killed(site: Site, last: str) -> None:
    with run(site, last) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL


class TestKilledRun:
    @pytest.mark.parametrize("last", ["answer lost", "made"])
    def test_its_batch_is_cancelled_and_no_other(self, site: Site, last: str) -> None:
        """Power is cut before or after the answer is written down: the next run cancels."""
        theirs = site.account.batch(line(), metadata={"by": "somebody else"})
        marked = site.account.batch(line(), metadata={MARK: "another-run"})
        killed(site, last)
        newest = site.account.http.get("batches", params={"limit": 1}).json()["data"][0]
        assert newest["metadata"]["by"] == "us"
        alike = site.account.batch(line(), metadata={MARK: newest["metadata"][MARK] + "0"})

        cleaned = site.next_run()

        assert cleaned.left == 0
        assert [newest["id"] in said for said in cleaned.said] == [True]
        assert site.cancels() == [newest["id"]]
        assert site.status(newest["id"]) == "cancelling"
        assert {site.status(id) for id in (theirs, marked, alike)} == {"in_queue"}
        assert site.next_run() == Cleaned()
        assert site.cancels() == [newest["id"]]

    def test_what_was_not_sent_is_looked_for_until_lists_have_caught_up(self, site: Site) -> None:
        """Nobody knows whether it was sent: it is closed when the list has had its time."""
        theirs = site.account.batch(line())
        site.time.now = present()
        killed(site, "intended")

        early = site.next_run()
        late = site.next_run(later=15 * 60 + 1)

        assert (early.left, late.left) == (1, 0)
        assert "not in the list yet" in early.said[0]
        assert site.next_run() == Cleaned()
        assert site.cancels() == []
        assert site.status(theirs) == "in_queue"

    def test_a_batch_that_was_listed_late_is_found(self, site: Site) -> None:
        """A list that lags holds the clean-up back and does not mislead it."""
        site.time.now = present()
        killed(site, "answer lost")
        site.simulator.faults.add("list-lags")

        early = site.next_run()
        site.simulator.clock.advance(seconds=11)
        late = site.next_run()

        assert (early.left, late.left) == (1, 0)
        assert len(site.cancels()) == 1

    def test_nothing_intended_leaves_nothing(self, site: Site, folder: Path) -> None:
        """A run that only read has nothing behind it."""
        killed(site, "opened")

        assert site.next_run().left == 0
        assert asked(site.simulator) == ["POST /v1/files"]

    def test_a_run_that_lives_is_left_alone(self, site: Site) -> None:
        """Two runs at once do not end each other's batches; the lock goes when the process does."""
        with run(site, "never") as process:
            assert process.stdout is not None
            batch_id = process.stdout.readline().strip()
            during = site.next_run()
            during_status = site.status(batch_id)
            process.kill()
        after = site.next_run()

        assert (during_status, during.left) == ("in_queue", 0)
        assert "another run is under way" in during.said[0]
        assert site.status(batch_id) == "cancelling"
        assert after.left == 0


def created(site: Site, journal: Journal, **fields: Any) -> str:
    """A batch as a run creates it."""
    entry = journal.intend()
    answer = site.account.create(json_lines(line()), metadata=entry.metadata, **fields)
    journal.heard(entry.token, answer.status_code, answer.json())
    return str(answer.json()["id"])


def lost(site: Site, journal: Journal, *, marked: bool = True) -> str:
    """A batch that was created without anybody hearing of it."""
    entry = journal.intend(marked=marked)
    fields = {"metadata": entry.metadata} if marked else {}
    site.simulator.faults.add("reset-after", "POST /batches", times=1)
    with pytest.raises(httpx.TransportError):
        site.account.create(json_lines(line()), **fields)
    return str(site.account.http.get("batches", params={"limit": 1}).json()["data"][0]["id"])


class TestCleanUp:
    def test_a_run_cancels_what_it_leaves_unfinished(self, site: Site, folder: Path) -> None:
        """Known by its id or by its token; afterwards the journal is gone."""
        with site.journal() as journal:
            ids = [created(site, journal), lost(site, journal)]

            cleaned = site.clean_up(journal)

        assert sorted(site.cancels()) == sorted(ids)
        assert [site.status(id) for id in ids] == ["cancelling", "cancelling"]
        assert (len(cleaned.said), cleaned.left) == (2, 0)
        assert [path for path in folder.rglob("*") if path.is_file()] == []

    def test_what_has_ended_is_left_as_it_is(self, site: Site) -> None:
        """A finished batch is closed without a cancel, and without a word."""
        with site.journal() as journal:
            batch_id = created(site, journal)
            site.account.advance(batch_id, hours=1)

            assert site.clean_up(journal) == Cleaned()

        assert site.cancels() == []
        assert site.status(batch_id) == "completed"

    def test_what_was_refused_needs_nothing(self, site: Site) -> None:
        """A refusal is written down as the end."""
        with site.journal() as journal:
            entry = journal.intend()
            journal.heard(entry.token, 400, {"id": "batch_x", "code": 20012})

            assert journal.left_open() == []

    def test_a_refusal_that_was_none_is_cancelled(self, site: Site) -> None:
        """What was accepted against all expectation is cancelled like everything else."""
        with site.journal() as journal:
            entry = journal.intend(marked=False)
            answer = site.account.create(json_lines(line()))
            journal.heard(entry.token, answer.status_code, answer.json())

            site.clean_up(journal)

        assert site.cancels() == [answer.json()["id"]]

    def test_a_lost_creation_without_a_mark_is_told_and_not_guessed_at(self, site: Site) -> None:
        """It cannot be told from somebody else's: no batch is touched."""
        with site.journal() as journal:
            batch_id = lost(site, journal, marked=False)

            cleaned = site.clean_up(journal)

        assert "only you can tell" in cleaned.said[0]
        assert (site.cancels(), cleaned.left) == ([], 0)
        assert site.status(batch_id) == "in_queue"

    def test_the_next_run_knows_what_carries_no_mark(self, site: Site) -> None:
        """It is not looked for where it cannot be."""
        with site.journal() as journal:
            lost(site, journal, marked=False)

        cleaned = site.next_run()

        assert "only you can tell" in cleaned.said[0]
        assert (site.cancels(), cleaned.left) == ([], 0)

    def test_a_repeated_creation_is_cancelled_as_often(self, site: Site) -> None:
        """Two batches with one token, as a gateway makes them, are both ours."""
        with site.journal() as journal:
            entry = journal.intend()
            ids = [site.account.batch(line(), metadata=entry.metadata) for _ in range(2)]

            site.clean_up(journal)

        assert sorted(site.cancels()) == sorted(ids)

    def test_a_list_of_many_pages_is_seen_whole(self, site: Site) -> None:
        """The token is found on the last page."""
        with site.journal() as journal:
            batch_id = lost(site, journal)
            file_id = site.account.upload(json_lines(line())).json()["data"]["id"]
            for _ in range(100):
                site.account.create(file_id)

            assert site.clean_up(journal).left == 0

        assert site.cancels() == [batch_id]

    @pytest.mark.parametrize(
        ("fault", "kept"), [("after-ignored", True), ("has-more-false", False), (None, False)]
    )
    def test_what_was_not_seen_is_not_concluded_from(
        self, site: Site, fault: str | None, kept: bool
    ) -> None:
        """Where pages repeat, the list has not been seen, however old the entry is."""
        with site.journal() as journal:
            journal.intend()
            file_id = site.account.upload(json_lines(line())).json()["data"]["id"]
            for _ in range(100):
                site.account.create(file_id)
            if fault:
                site.simulator.faults.add(fault)
            site.time.now += 3600

            assert bool(site.clean_up(journal).left) is kept
            site.time.now += 15 * 86_400
            assert site.clean_up(journal).left == 0

    def test_pages_are_bounded(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """An endless list ends somewhere, and is not taken for whole."""
        monkeypatch.setattr(cleanup, "PAGE", 1)
        monkeypatch.setattr(cleanup, "PAGES", 3)
        file_id = site.account.upload(json_lines(line())).json()["data"]["id"]
        for _ in range(5):
            site.account.create(file_id)
        with site.journal() as journal:
            journal.intend()
            site.time.now += 3600

            cleaned = site.clean_up(journal)

        assert asked(site.simulator).count("GET /v1/batches") == 3
        assert "seen whole" in cleaned.said[0]

    def test_an_unknown_batch_is_asked_for_again(self, site: Site) -> None:
        """404 soon after a creation proves nothing; later it does."""
        with site.journal() as journal:
            entry = journal.intend()
            journal.made(entry.token, "batch_nobodyhasit")

            early = site.clean_up(journal)
            site.time.now += 3600
            late = site.clean_up(journal)

        assert (early.left, late.left) == (1, 0)

    def test_a_cancel_is_believed_when_it_is_seen(self, site: Site) -> None:
        """200 without an effect leaves the entry open."""
        site.simulator.faults.add("cancel-ignored")
        with site.journal() as journal:
            batch_id = created(site, journal)

            cleaned = site.clean_up(journal)

        assert cleaned.left == 1
        assert batch_id in cleaned.said[0]
        assert "its status is 'in_queue'" in cleaned.said[0]
        site.simulator.faults.clear()
        assert site.next_run().left == 0
        assert site.status(batch_id) == "cancelling"

    def test_an_id_cannot_lead_elsewhere(self, site: Site) -> None:
        """An id from an answer is one segment of a path, whatever is in it."""
        theirs = site.account.batch(line())
        with site.journal() as journal:
            entry = journal.intend()
            journal.heard(entry.token, 200, {"id": f"x/../{theirs}"})

            site.clean_up(journal)

        assert site.status(theirs) == "in_queue"

    @pytest.mark.parametrize("body", [None, "batch_x", {"id": 5}, {"id": ""}, {}, []])
    def test_an_answer_without_an_id_is_a_lost_one(self, site: Site, body: object) -> None:
        """What cannot be read is looked for by its token."""
        with site.journal() as journal:
            entry = journal.intend()
            batch_id = site.account.batch(line(), metadata=entry.metadata)
            journal.heard(entry.token, 200, body)

            site.clean_up(journal)

        assert site.cancels() == [batch_id]

    def test_another_account_is_not_looked_after(self, site: Site) -> None:
        """Each key has its own journal; what stands in another's is not asked for."""
        with site.journal("sk-other") as journal:
            entry = journal.intend()
            journal.made(entry.token, "batch_x")

        assert site.next_run() == Cleaned()
        assert asked(site.simulator) == []


class TestTrouble:
    @pytest.mark.parametrize(
        ("fault", "slept"),
        [
            ("server-error", [1, 2, 4]),
            ("timeout-html", [1, 2, 4]),
            ("reset-before", [1, 2, 4]),
            ("rate-limited-retry-after", [1, 2, 4]),
        ],
    )
    def test_a_storm_is_sat_out(self, site: Site, fault: str, slept: list[float]) -> None:
        """5xx, 429 and resets are waited for, longer each time."""
        with site.journal() as journal:
            batch_id = created(site, journal)
            site.simulator.faults.add(fault, times=3)

            assert site.clean_up(journal).left == 0

        assert site.status(batch_id) == "cancelling"
        assert site.time.slept == slept

    def test_an_answer_to_a_cancel_may_be_lost(self, site: Site) -> None:
        """A cancel that was done and not heard of is asked for again, which changes nothing."""
        with site.journal() as journal:
            batch_id = created(site, journal)
            site.simulator.faults.add("reset-after", "POST /batches/{batch_id}/cancel", times=1)

            assert site.clean_up(journal).left == 0

        assert site.status(batch_id) == "cancelling"

    def test_a_long_retry_after_is_obeyed(self, site: Site) -> None:
        """As long as patience reaches."""
        answers = iter([(429, {"retry-after": "20"}), (429, {"retry-after": "20"}), (404, {})])

        def send(method: str, path: str, query: dict[str, Any]) -> Exchange:
            status, headers = next(answers)
            return Exchange(0, method, path, status, headers=headers)

        with site.journal() as journal:
            journal.made(journal.intend().token, "batch_x")
            clean_up(send, journal, clock=site.time, sleep=site.time.sleep)

        assert site.time.slept == [20, 20]

    def test_a_storm_without_end_leaves_it_to_the_next_run(self, site: Site) -> None:
        """Patience ends for all entries together, and the next run takes up what was left."""
        with site.journal() as journal:
            ids = [created(site, journal) for _ in range(3)]
            site.simulator.faults.add("server-error")
            before = len(asked(site.simulator))

            cleaned = site.clean_up(journal)

        assert cleaned.left == 3
        assert all(id in said for id, said in zip(ids, cleaned.said, strict=True))
        assert sum(site.time.slept) <= cleanup.PATIENCE
        assert len(asked(site.simulator)) - before == 6  # one entry's attempts
        site.simulator.faults.clear()
        assert site.next_run().left == 0
        assert site.cancels() == ids

    def test_a_key_that_is_not_taken_any_more_leaves_it(self, site: Site) -> None:
        """A refusal of the key says nothing about batches."""
        with site.journal() as journal:
            created(site, journal)
            site.simulator.faults.add("forbidden")

            cleaned = site.clean_up(journal)

        assert cleaned.left == 1
        assert "does not take the key (403)" in cleaned.said[0]
        assert site.time.slept == []

    def test_a_full_disk_does_not_keep_the_others_running(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What cannot be noted down is cancelled all the same."""
        with site.journal() as journal:
            ids = [created(site, journal) for _ in range(2)]
            monkeypatch.setattr(os, "fsync", _full)

            cleaned = site.clean_up(journal)

        assert site.cancels() == ids
        assert cleaned.left == 2


def _full(_: int) -> None:
    raise OSError("No space left on device")


class TestJournal:
    def test_it_is_on_the_disk_before_the_token_is_told(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever holds a token may lose power: fsync came after the record."""
        synced: list[bytes] = []
        with site.journal() as journal:
            monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.pread(file, 9999, 0)))
            token = journal.intend().token

        assert [json.loads(raw)["token"] for raw in synced] == [token]

    def test_without_a_disk_nothing_is_intended(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What cannot be written down is not created."""
        with site.journal() as journal:
            monkeypatch.setattr(os, "fsync", _full)

            with pytest.raises(StateUnusable, match=r"No space left.* Set SILICONFLOW_STATE"):
                journal.intend()
            assert journal.left_open() == []

    def test_a_folder_that_cannot_be_is_told(
        self, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which folder, why, and what to set."""
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path / "file"))

        with pytest.raises(StateUnusable, match=r"file cannot be written.*SILICONFLOW_STATE"):
            site.journal()

    def test_others_cannot_read_it_and_no_key_is_in_it(self, site: Site, folder: Path) -> None:
        """0600 in folders of 0700; names and contents hold a digest at most."""
        before = os.umask(0)
        try:
            with site.journal("sk-not-to-be-told") as journal:
                journal.intend()
        finally:
            os.umask(before)

        for path in [folder, *folder.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
            assert "not-to-be-told" not in str(path)
            assert path.is_dir() or b"not-to-be-told" not in path.read_bytes()

    def test_a_base_url_in_its_spellings_is_one(self, site: Site, folder: Path) -> None:
        """A slash, a case and a default port make no other service; a path and a host do."""
        spellings = ["https://a.invalid/v1", "https://A.invalid/v1/", "https://a.invalid:443/v1"]
        others = ["https://a.invalid/v2", "https://b.invalid/v1", "http://a.invalid/v1"]

        def places(urls: list[str]) -> set[Path]:
            return {_closed(Journal.open(url, digest(KEY))).path.parent for url in urls}

        assert len(places(spellings)) == 1
        assert len(places(spellings + others)) == 4
        assert _closed(Journal.open(spellings[0], digest("sk-2"))).path.parent not in places(others)

    def test_what_a_crash_leaves_of_a_file_is_read(self, site: Site, folder: Path) -> None:
        """Cut anywhere, with rubbish behind, it gives what was whole, and is written on."""
        with site.journal() as first:
            first.made(first.intend().token, "batch_a")
            first.made(first.intend().token, "batch_b")
        whole = first.path.read_bytes()

        rubbish = (b"", b"\0\0\0", b"\xff\xfe{", b"[1]", b'\n"x"\n5\n{"event": 1}')
        counts = set()
        for size in range(len(whole) + 1):
            first.path.write_bytes(whole[:size] + rubbish[(len(whole) - size) % 5])
            counts.add(self._reopen(site))
        first.path.write_bytes(whole)

        assert counts == {(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)}
        assert self._reopen(site) == (2, 2)

    def _reopen(self, site: Site) -> tuple[int, int]:
        """How many entries another run finds, and how many of them with ids."""
        with site.journal() as journal:
            found = [other for other in journal.others() if other is not None]
            entries = [entry for other in found for entry in other.entries.values()]
            ids = [entry.batch for entry in entries if entry.batch]
            assert ids == ["batch_a", "batch_b"][: len(ids)]
            return len(entries), len(ids)

    def test_a_torn_line_does_not_swallow_the_next_one(self, site: Site) -> None:
        """A record that is added behind half of one begins a line of its own."""
        with site.journal() as first:
            first.intend()
            token = first.intend().token
        first.path.write_bytes(first.path.read_bytes()[:-5])

        with site.journal() as second:
            for other in second.others():
                assert other is not None
                (entry,) = other.left_open()
                other.made(entry.token, "batch_c")
        with site.journal() as third:
            (batches,) = [
                [entry.batch for entry in other.entries.values()]
                for other in third.others()
                if other is not None
            ]

        assert batches == ["batch_c"]
        assert token != entry.token

    def test_a_file_that_is_just_being_made_stays(self, site: Site) -> None:
        """Between its making and its lock a file is nobody's, and nobody takes it."""
        with site.journal() as journal:
            young, old = (journal.path.with_name(f"{name}.jsonl") for name in ("young", "old"))
            young.touch()
            old.touch()
            os.utime(old, (0, 0))

            site.clean_up(journal)

        assert (young.exists(), old.exists()) == (True, False)


def _closed(journal: Journal) -> Journal:
    journal.close()
    return journal


class TestStateFolder:
    @pytest.mark.parametrize(
        ("own", "xdg", "expected"),
        [
            ("/own", "/xdg", "/own"),
            ("", "/xdg", "/xdg/siliconflow-batch"),
            ("", "", "/home/me/.local/state/siliconflow-batch"),
            ("", "relative", "/home/me/.local/state/siliconflow-batch"),
        ],
    )
    def test_where_it_is(
        self, monkeypatch: pytest.MonkeyPatch, own: str, xdg: str, expected: str
    ) -> None:
        """The caller's own, or where such things are kept; a relative XDG path does not count."""
        monkeypatch.setenv("SILICONFLOW_STATE", own)
        monkeypatch.setenv("XDG_STATE_HOME", xdg)
        monkeypatch.setenv("HOME", "/home/me")

        assert state() == Path(expected)
