"""What a list of batches proves about a creation: pure decisions on lists made by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from siliconflow_batch import Batch
from siliconflow_batch.creations.evidence import (
    COMPLETE,
    EARLY,
    UNPAGED,
    Creation,
    Evidence,
    Reading,
    judge,
)
from siliconflow_batch.parameters import TOKEN

UPLOADED = 1_000
OWN = Creation("token-a", "file-a", own=True, uploaded_at=datetime.fromtimestamp(UPLOADED, UTC))
FOREIGN = Creation("token-a", "file-a", before=frozenset({"batch_before"}))


def listed(id: str, at: int | None = None, file: str | None = "file-z", **metadata: Any) -> Batch:
    raw = {"id": id, "status": "in_queue", "created_at": at, "input_file_id": file}
    return Batch({**raw, "metadata": metadata or None})


def old(number: int) -> list[Batch]:
    """Batches of other files, older than the upload, newest first."""
    return [listed(f"batch_{n}", UPLOADED - 60 - n) for n in range(1, number + 1)]


def judged(creation: Creation, *batches: Batch, end: str = COMPLETE, **more: Any) -> Any:
    return judge(creation, Evidence(Reading(batches, end), **more))


class TestFound:
    @pytest.mark.parametrize(
        "batch",
        [
            listed("batch_a", 1_001, "file-a", **{TOKEN: "token-a"}),
            listed("batch_a", 1_001, "file-a"),
            listed("batch_a", None, None, **{TOKEN: "token-a"}),
            listed("batch_a", 1_001, "file-a", **{TOKEN.upper(): "TOKEN-A"}),
            listed("batch_a", 1_001, "file-a", name="no token"),
            listed("batch_a", 995, "file-a"),
        ],
    )
    def test_a_batch_of_the_own_file_or_with_the_token(self, batch: Batch) -> None:
        """The file that was uploaded for the creation is as good as the token, at any time."""
        assert judged(OWN, *old(3), batch).batch == batch

    @pytest.mark.parametrize(
        "batch",
        [
            listed("batch_a", 1_001, "file-z"),
            listed("batch_a", 1_001, "file-a", **{TOKEN: "token-b"}),
            listed("batch_a", 939, None),
        ],
    )
    def test_another_batch_is_never_taken(self, batch: Batch) -> None:
        """Another file, another token, or a time a minute before the upload."""
        outcome = judged(OWN, batch, *old(3))

        assert (outcome.batch, outcome.absent) == (None, True)

    def test_a_batch_of_a_foreign_file_that_existed_before(self) -> None:
        """A batch that the walk before the first attempt has shown is another one."""
        assert judged(FOREIGN, listed("batch_before", 5, "file-a"), *old(2)).batch is None

    def test_a_batch_of_a_foreign_file_may_be_the_one(self) -> None:
        """A new batch of a foreign file that shows no token leaves the outcome unknown."""
        new = listed("batch_new", 1_001, "file-a")

        listed_only = judged(FOREIGN, new, *old(2))
        retrieved = judged(FOREIGN, new, *old(2), retrieved={"batch_new": new})

        for outcome in (listed_only, retrieved):
            assert (outcome.batch, outcome.absent, outcome.possible) == (
                None,
                False,
                ("batch_new",),
            )

    def test_a_retrieved_batch_shows_whose_it_is(self) -> None:
        """The metadata that a list hides is seen when the batch is retrieved."""
        new = listed("batch_new", 1_001, "file-a")
        ours = listed("batch_new", 1_001, "file-a", **{TOKEN: "token-a"})
        other = listed("batch_new", 1_001, "file-a", **{TOKEN: "token-b"})

        assert judged(FOREIGN, new, retrieved={"batch_new": ours}).batch == ours
        assert judged(FOREIGN, new, *old(1), retrieved={"batch_new": other}).absent

    def test_a_token_alone_where_no_metadata_is_shown(self) -> None:
        """Without a file, only a service that shows metadata can say that a batch is another."""
        token = Creation("token-a")
        bare, named = listed("batch_a", 1_001), listed("batch_b", 1_002, name="nightly")

        assert judged(token, bare, retrieved={"batch_a": bare}).possible == ("batch_a",)
        assert judged(token, bare, named, retrieved={"batch_a": bare, "batch_b": named}).absent

    def test_the_others_of_an_absent_batch(self) -> None:
        """The batches that exist are named: a later response cannot be theirs."""
        assert judged(OWN, *old(2)).others == {"batch_1", "batch_2"}


class TestAbsent:
    @pytest.mark.parametrize(
        ("batches", "end"),
        [
            (old(6), EARLY),
            (old(2), UNPAGED),
            (old(20), COMPLETE),
            (old(7)[::-1], COMPLETE),
            (old(20)[::-1], COMPLETE),
            (old(7)[::-1], UNPAGED),
            (old(1), COMPLETE),
        ],
    )
    def test_a_list_that_reaches_older_batches_or_its_end(
        self, batches: list[Batch], end: str
    ) -> None:
        """Newest first down to older batches, or the whole list: there is no batch."""
        assert judged(OWN, *batches, end=end).absent

    @pytest.mark.parametrize(
        ("batches", "end", "reason"),
        [
            ([], COMPLETE, "the list is empty"),
            (old(6), "the list could not be read: 503", "the list could not be read: 503"),
            (old(6)[::-1], EARLY, "not read to its end"),
            (old(20)[::-1], UNPAGED, "may be cut: it has 20 batches"),
            (old(200)[::-1], UNPAGED, "may be cut: it has 200 batches"),
        ],
    )
    def test_what_proves_nothing(self, batches: list[Batch], end: str, reason: str) -> None:
        """An empty, unread, unordered or cut list leaves the outcome unknown, with the reason."""
        outcome = judged(OWN, *batches, end=end)

        assert not outcome.absent
        assert reason in outcome.reason

    def test_a_known_batch_that_is_not_listed(self) -> None:
        """A list that lacks what exists proves nothing, unless the walk ended before it."""
        made = {"batch_made": datetime.fromtimestamp(UPLOADED + 5, UTC)}
        older = {"batch_older": datetime.fromtimestamp(5, UTC)}

        assert "does not show batch_made" in judged(OWN, *old(6), end=EARLY, known=made).reason
        assert judged(OWN, *old(6), end=EARLY, known=older).absent
        assert "does not show batch_older" in judged(OWN, *old(6), known=older).reason

    def test_a_new_account(self) -> None:
        """An empty list is believed if the caller says that the account is new."""
        new = evolve(OWN, is_new_account=True)

        assert judged(new).absent
        assert not judged(new, known={"batch_made": None}).absent
