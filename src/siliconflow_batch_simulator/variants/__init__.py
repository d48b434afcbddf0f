"""
Variants: legal but unusual behaviour that every program must cope with.

Rule 1: a variant contradicts no document; a behaviour that does is a fault.
Rule 2: a variant with a `question` is an alternative in contract/assumptions.yaml, and written by
hand from the documents that the entry names; the others are bad days.
Rule 3: variants of different questions can be combined. Each one wraps those before it in
`VARIANTS`: orders before pages, fields before their removal, errors last.
"""

from collections.abc import Mapping

from ..switches.switchboard import Behaviour
from . import (
    bad_days,
    error_variants,
    field_variants,
    file_variants,
    list_variants,
    operation_variants,
    result_variants,
)

VARIANTS: Mapping[str, Behaviour] = {
    **bad_days.VARIANTS,
    **operation_variants.VARIANTS,
    **list_variants.VARIANTS,
    **file_variants.VARIANTS,
    **result_variants.VARIANTS,
    **field_variants.VARIANTS,
    **error_variants.VARIANTS,
}


def by_question() -> dict[str | None, dict[str, Behaviour]]:
    """The variants of each open question; those of None are bad days."""
    questions: dict[str | None, dict[str, Behaviour]] = {}
    for name, behaviour in VARIANTS.items():
        questions.setdefault(behaviour.question, {})[name] = behaviour
    return questions
