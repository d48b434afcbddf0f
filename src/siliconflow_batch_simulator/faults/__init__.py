"""
Deliberate defects, to prove that the conformance suite sees them.

Rule 1: a fault is a row of a table and breaks one thing; the sound code knows of no faults.
Rule 2: each fault contradicts the documents. What the service may legally do is not a fault.
Rule 3: what a fault breaks is seen with an account's key or two, in a few requests.
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
}
FAULTS: Mapping[str, Behaviour] = {
    name: behaviour for rows in CLASSES.values() for name, behaviour in rows.items()
}
