"""
The search for the batches of creations without a clear response.

Rule 1: one walk over the list serves every creation that is searched for.
Rule 2: the last look comes when the patience ends, and is made twice, because two replicas of the
service can differ. A creation is absent only if both readings say so.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from attrs import evolve

from ..errors import APIError, CreateOutcomeUnknown, TransportError
from ..flows import retrieve
from ..objects import Batch
from ..parameters import checked_id, checked_token
from ..retries import Patience
from ..steps import Flow, Pause
from .evidence import OURS, POSSIBLE, Creation, Evidence, Outcome, judge, kinship, reaches_back
from .list_walk import read

# Batches that are retrieved one by one because the list does not show whose they are.
MOST_RETRIEVED = 20
# Older batches after which the rest of the list is not read; fewer can be in order by chance.
ENOUGH = 5


def settle(
    creations: Sequence[Creation],
    patience: Patience,
    *,
    named: Collection[str] = (),
    known: Mapping[str, datetime | None] | None = None,
) -> Flow[dict[str, Outcome]]:
    """
    Searches for the batches of creations; returns their outcomes by token.

    `named` are ids from unclear responses. `known` are batches that exist, and so must be listed.
    """
    searched = {creation.token: creation for creation in creations}
    outcomes: dict[str, Outcome] = dict.fromkeys(searched, Outcome())
    previous = outcomes
    evidence = Evidence(known=dict(known or {}))
    for pause in patience.pauses():
        if pause:
            yield Pause(pause)
        open_ = [one for one in creations if outcomes[one.token].batch is None]
        if not open_:
            break
        evidence = yield from _look(open_, evidence, named)
        previous, outcomes = (
            outcomes,
            {
                token: outcome if outcome.batch else judge(searched[token], evidence)
                for token, outcome in outcomes.items()
            },
        )
    return {
        token: previous[token] if outcome.absent else outcome for token, outcome in outcomes.items()
    }


def find(token: str, file_id: str | None) -> Flow[Batch | None]:
    """
    Finds a batch in the list: by a token, and by a file that was uploaded for it alone.

    Returns None if the list shows that there is none; raises `CreateOutcomeUnknown` otherwise.
    """
    file_id = None if file_id is None else checked_id(file_id)
    creation = Creation(checked_token(token), file_id, own=file_id is not None)
    evidence = yield from _look([creation], Evidence(), ())
    outcome = judge(creation, evidence)
    if outcome.batch is None and not outcome.absent:
        raise CreateOutcomeUnknown(token, outcome.reason, file_id, outcome.possible)
    return outcome.batch


def _look(
    creations: Sequence[Creation], earlier: Evidence, named: Collection[str]
) -> Flow[Evidence]:
    """Reads the list once, and retrieves the batches that it leaves unclear."""

    def is_enough(batches: list[Batch]) -> bool:
        return all(
            reaches_back(creation, batches, ENOUGH)
            or any(kinship(creation, batch) == OURS for batch in batches)
            for creation in creations
        )

    reading = yield from read(is_enough)
    evidence = evolve(earlier, reading=reading)
    retrieved = dict(evidence.retrieved)
    listed = {one.id: one for one in reading.batches}
    unclear = [
        id
        for id, one in listed.items()
        if any(kinship(creation, one, evidence) == POSSIBLE for creation in creations)
    ]
    for id in (*named, *unclear):
        if id not in retrieved and len(retrieved) < MOST_RETRIEVED:
            try:
                retrieved[id] = yield from retrieve(id)
            except (APIError, TransportError):
                continue  # it may be there at the next look
    seen = {id: one.created_at for id, one in listed.items()}
    return evolve(evidence, retrieved=retrieved, known={**seen, **evidence.known})
