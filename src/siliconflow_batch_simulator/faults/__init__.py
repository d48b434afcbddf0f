"""
Faults: deliberate defects that prove what the conformance suite detects.

Rule 1: a fault is a row of a table and breaks one thing; the rest of the package knows no fault.
Rule 2: each fault contradicts the documents; legal behaviour is a variant.
Rule 3: the effect of a fault is visible with one or two accounts, in a few requests.
"""

from collections.abc import Mapping

from ..switches.switchboard import Behaviour
from . import (
    coherence,
    echo,
    idempotency,
    input_limits,
    isolation,
    limits,
    paging,
    transitions,
    wire,
    wrong_values,
)

CLASSES: Mapping[str, Mapping[str, Behaviour]] = {
    "wire": wire.FAULTS,
    "limits": {**limits.FAULTS, **input_limits.FAULTS},
    "paging": paging.FAULTS,
    "lifecycle": transitions.FAULTS,
    "coherence": coherence.FAULTS,
    "echo": echo.FAULTS,
    "idempotency": idempotency.FAULTS,
    "isolation": isolation.FAULTS,
    "values": wrong_values.FAULTS,
}
FAULTS: Mapping[str, Behaviour] = {
    name: behaviour for rows in CLASSES.values() for name, behaviour in rows.items()
}
