"""What becomes of what a run left on a service that is paid for."""

import os
from pathlib import Path
from time import time as present
from typing import Any

import pytest

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.service import cleanup
from siliconflow_batch_conformance.service.budget import WRITES, Budget
from siliconflow_batch_conformance.service.cleanup import Cleaned, clean_up
from siliconflow_batch_conformance.service.journal import MARK
from support.account import asked, json_lines, line
from support.journaled_runs import Site, created, full_disk, killed, lost, run


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
        killed(site, "intended")
        site.time.now = present()

        early = site.next_run()
        late = site.next_run(later=15 * 60 + 1)

        assert (early.left, late.left) == (1, 0)
        assert "not in the list yet" in early.said[0]
        assert site.next_run() == Cleaned()
        assert site.cancels() == []
        assert site.status(theirs) == "in_queue"

    def test_a_batch_that_was_listed_late_is_found(self, site: Site) -> None:
        """A list that lags holds the clean-up back and does not mislead it."""
        killed(site, "answer lost")
        site.time.now = present()
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

    def test_what_may_not_be_sent_is_left_to_the_next_run(self, site: Site) -> None:
        """Where the writes are used up the rest is kept, and said."""
        budget = Budget(loopback=False, writes=True, clock=site.time, sleep=site.time.sleep)
        budget.written = WRITES - 1

        def send(method: str, path: str, query: dict[str, Any]) -> Exchange:
            budget.clean(method)
            return site.send(method, path, query)

        with site.journal() as journal:
            ids = [created(site, journal) for _ in range(3)]
            cleaned = clean_up(send, journal, clock=site.time, sleep=site.time.sleep)

        assert (site.cancels(), cleaned.left) == (ids[:1], 2)
        assert "60 writes" in cleaned.said[-1]
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
            monkeypatch.setattr(os, "fsync", full_disk)

            cleaned = site.clean_up(journal)

        assert site.cancels() == ids
        assert cleaned.left == 2
