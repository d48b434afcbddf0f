"""What outlasts a process, what a caller does, and what can happen meanwhile."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from attrs import define, evolve

from siliconflow_batch.state.submissions import Submission

from .account_model import Account
from .answer_fates import PLAIN, Fate

HOURS = 7200.0  # how long a slow step takes
INTERRUPTED, SLOW, UNSAVED = "Ctrl-C", "a slow step", "a failed write"
STRANGER, CROWD = "another program creates batches", 5
UNREADABLE, EMPTIED = "an unreadable list", "a list that is empty from now on"
STALE = "a page from which the batches of the last hour are missing"


@define(frozen=True)
class Mode:
    """
    What the caller does. `uploads`: the flow uploads the file; otherwise it exists, and was
    uploaded by this client if it is `own`. Several orders are made `together`, or one by one.
    """

    name: str
    own: bool = True
    uploads: bool = True
    is_recorded: bool = False
    is_keyed: bool = False
    orders: int = 1
    together: bool = True


@define
class ModelRecord:
    """The record of an order; `saved` is what is on disk."""

    number: int
    is_keyed: bool = False
    opened: int = 0
    saved: Submission | None = None
    submission: Submission | None = None  # as this process has read it
    on_save: Callable[[], AbstractContextManager[None]] = nullcontext

    def open(self) -> "ModelRecord":
        if self.saved is None:
            self.opened += 1
            token = f"key-{self.number}" if self.is_keyed else f"token-{self.number}-{self.opened}"
            self.saved = Submission(token, "request", 0.0)
        self.submission = self.saved
        return self

    def record(self, **fields: Any) -> None:
        with self.on_save():
            assert self.saved is not None
            if "creating" in fields:
                fields["creating"] = 1.0  # when, makes no difference
            self.saved = evolve(self.saved, **fields)

    def forget(self) -> None:
        self.saved = None


@define
class World:
    """What outlasts a process: the account, and the records on this machine."""

    account: Account
    records: list[ModelRecord]

    def copy(self) -> "World":
        return World(self.account.copy(), [evolve(record) for record in self.records])

    def key(self) -> Any:
        """Two worlds with one key are the same for every process to come."""
        now = self.account.now
        batches = tuple(
            (one, max(one.created_at - now, 0.0), min(max(one.listed_at - now, 0.0), HOURS))
            for one in self.account.batches
        )
        records = tuple((one.opened, one.saved) for one in self.records)
        return batches, self.account.files, self.account.made, self.account.machine, records


@define(frozen=True)
class Events:
    """
    What can happen: `fates` of the first, second, … creating request of a process, and `once` each
    of these in a process. `stranger` is the token and the file of the batches of another program.
    """

    fates: tuple[Sequence[Fate], ...] = (PLAIN,)
    once: frozenset[str] = frozenset()
    stranger: tuple[str | None, str] = (None, "file-of-others")
