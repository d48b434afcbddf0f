"""
The service as plain Python: the files and batches of one account, and a clock.

Rule: time passes only in `pass_time`. A batch that is made late has a `created_at` to come.
"""

from typing import Any

from attrs import define, evolve, field

from siliconflow_batch.parameters import TOKEN

from .list_shapes import Listing, Stored, with_metadata

BEGAN = 1_000_000.0  # the time of the first request
CALLERS_FILE = "file-of-the-caller"
OTHER_FILE = "file-of-others"


@define
class Account:
    """
    `owners` tells which creation a token belongs to. `looked_at` is the time of the last page of
    the list.
    """

    listing: Listing
    patience: float
    now: float = BEGAN
    batches: tuple[Stored, ...] = ()
    files: int = 0
    made: int = 0
    machine: int = 0  # on which the process runs
    looked_at: float = 0.0
    owners: dict[str, int] = field(factory=dict)

    def copy(self) -> "Account":
        return evolve(self, owners=dict(self.owners))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def upload(self) -> dict[str, Any]:
        self.files += 1
        return {"id": f"file-{self.files}", "object": "file", "createdAt": int(self.now)}

    def create(self, file_id: str, metadata: dict[str, str], late: float = 0.0) -> Stored:
        """Makes the batch of a request, `late` seconds later."""
        made = self._stored(file_id, metadata, self.now + late)
        order = self.owners[metadata[TOKEN]]
        return self._add(evolve(made, order=order, machine=self.machine))

    def create_for_another(self, token: str | None = None, file_id: str = OTHER_FILE) -> Stored:
        """Another program makes a batch."""
        metadata = {"name": "nightly"} | ({} if token is None else {TOKEN: token})
        return self._add(self._stored(file_id, metadata, self.now))

    def _stored(self, file_id: str, metadata: dict[str, str], at: float) -> Stored:
        self.made += 1
        lag, pairs = self.listing.lag, tuple(sorted(metadata.items()))
        return Stored(
            f"batch-{self.made}", file_id, pairs, at, at + lag, self.now, skew=self.listing.skew
        )

    def _add(self, made: Stored) -> Stored:
        in_order = [*self.batches, made]
        self.batches = tuple(sorted(in_order, key=lambda batch: batch.created_at))
        return made

    def retrieve(self, id: str) -> dict[str, Any] | None:
        for batch in self.batches:
            if batch.id == id and batch.created_at <= self.now:
                return with_metadata(batch.shown(), self.listing.retrieved)
        return None

    def page(
        self, limit: int | None, after: str | None, before: float | None = None
    ) -> dict[str, Any]:
        """A page of the list; of the batches created `before` a time, or else of all."""
        self.looked_at = self.now
        listed = [batch for batch in self.batches if batch.listed_at <= self.now]
        if before is not None:
            listed = [batch for batch in listed if batch.created_at < before]
        return self.listing.page(listed, limit, after)

    def of(self, order: int) -> list[Stored]:
        """The batches of a creation, those that are still to come included."""
        return [batch for batch in self.batches if batch.order == order]


def account(listing: Listing, patience: float, of_callers_file: bool = False) -> Account:
    """
    An account with the history of the listing; with `of_callers_file`, its newest batch is one
    of that file.
    """
    made = Account(listing, patience, now=BEGAN - 100_000.0)
    for number in range(listing.history):
        is_last = number == listing.history - 1
        file_id = CALLERS_FILE if of_callers_file and is_last else OTHER_FILE
        made.create_for_another(f"token-of-others-{number}" if listing.tokens else None, file_id)
        made.pass_time(1000.0)
    made.batches = tuple(evolve(batch, listed_at=batch.created_at) for batch in made.batches)
    made.now, made.looked_at = BEGAN, 0.0
    return made
