"""
Which cases a run needs, and their order where it may create few batches.

Rule 1: the batches go to the most informative cases: one batch completes, one is cancelled, one is
plain, one has unusual metadata, and one must survive a cancel with a wrong key.
Rule 2: creations that must be refused come while batches are left, in case one is accepted.
Rule 3: lists come last, when they hold the batches of the run.
"""

from collections import Counter

import pytest

from .facts.assumptions import load_assumptions
from .rules import OBSERVED

SHARED = {"lifecycle", "completed", "downloads", "cancellation"}
CREATING = ["CREATE-21", "CREATE-2"]
REFUSED_CREATIONS = [f"CREATE-{n}" for n in (8, 9, *range(13, 18), *range(24, 28))]
REFUSED = [*("AUTH-1", "AUTH-2", "AUTH-3", "OWNER-5"), *REFUSED_CREATIONS]
UPLOADING = ["AUTH-5", "UPLOAD-8", "UPLOAD-3", "FILES-6", "FILES-2", "CONTENT-3"]
OBSERVING = "test_observed.py"
MOST = 3  # cases of one kind that send creations


def cases_for(
    only: frozenset[str], items: list[pytest.Item], *, unmetered: bool
) -> list[pytest.Item]:
    """
    The cases on whose traffic the requirements `only` are judged.

    They are all written cases if a requirement has none of its own, but every exchange is judged by
    it; and where it costs nothing, also if the verdict depends on what other cases show.
    """
    own = [item for item in items if _id(item) in only]
    with_cases = {_id(item) for item in own if item.path.name != OBSERVING}
    depends = any(id in OBSERVED or load_assumptions().of_requirement(id) for id in only)
    if with_cases.issuperset(only) and not (unmetered and depends):
        return own
    return [item for item in items if _id(item) in only or not _id(item).startswith("SCHEMA-")]


def within_budget(items: list[pytest.Item]) -> list[pytest.Item]:
    """The cases in their order; of many similar refused creations, the first few."""
    kinds: Counter[str] = Counter()
    kept = []
    for item in sorted(items, key=_rank):
        kind = f"{item.path.name} {getattr(item, 'originalname', item.name)} {_id(item)}"
        kinds[kind] += 1
        if kinds[kind] <= MOST or not _id(item).startswith("CREATE-"):
            kept.append(item)
    return kept


def _rank(item: pytest.Item) -> tuple[int, int]:
    id = _id(item)
    if item.path.name == OBSERVING:
        return (9, 0)
    if id.startswith("LIST-"):
        return (6, 0)
    if shared := SHARED & set(getattr(item, "fixturenames", ())):
        return (1, 0 if "lifecycle" in shared else 1)
    for place, ids in ((2, CREATING), (3, REFUSED), (4, UPLOADING)):
        if id in ids:
            return (place, ids.index(id))
    return (5, 0)


def _id(item: pytest.Item) -> str:
    mark = item.get_closest_marker("requirement")
    return str(mark.args[0]) if mark else ""
