"""
Which failures a script of curl alone repeats: those that the status of one response shows.

Rule: the script needs no more than sed to find the ids that the service issues now.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..checks import Check, history, shapes
from ..checks.exchange import BEARER, Exchange
from ..verdicts import Failure
from .story import Extract

# For each check: which of its arguments is judged, and the statuses that are right.
BY_STATUS: dict[Check, tuple[int, Callable[..., Sequence[int]]]] = {
    shapes.status_is: (0, lambda *arguments: arguments[1:]),
    shapes.is_refused: (0, lambda *_: (400, 404)),
    shapes.is_accepted: (0, lambda *_: (200,)),
    history.is_found: (1, lambda *_: (200,)),
}
LEARNED = ("id", "data.id")
SENDERS = ("own", "stranger")
PLAIN = re.compile(r"[^\"\\]*")  # needs no escape in curl's configuration
ID = re.compile(r"[A-Za-z0-9_-]+")


def judgment(failure: Failure, part: Extract, longest: int) -> tuple[Exchange, list[int]] | None:
    """The judged exchange and the right statuses; None if the script needs more than curl."""
    if failure.check not in BY_STATUS or not all(
        _is_plain(step, longest) for step in part.steps.values()
    ):
        return None
    learned = [(field, origin.value) for (_, field), origin in part.used.items()]
    if not all(field in LEARNED and ID.fullmatch(str(value)) for field, value in learned):
        return None
    place, right = BY_STATUS[failure.check]
    judged: Any = failure.arguments[place]
    return judged, [int(status) for status in right(*failure.arguments)]


def _is_plain(step: Exchange, longest: int) -> bool:
    authorization = BEARER if step.authorization is None else step.authorization
    return (
        step.sender in SENDERS
        and step.method != "HEAD"
        and "://" not in step.path
        and len(step.request_body) <= longest
        and "{KEY}" not in authorization
        and bool(PLAIN.fullmatch(authorization + step.request_type + step.path))
    )
