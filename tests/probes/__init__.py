"""
A probe for each fault: it holds at a sound service, and does not hold with the defect.

Rule: a probe gets two accounts and speaks plain HTTP; which faults are on it does not know.
"""

from . import coherence, echo, idempotency, isolation, lifecycle, limits, paging, wire

PROBES = {
    "wire": wire.PROBES,
    "limits": limits.PROBES,
    "paging": paging.PROBES,
    "lifecycle": lifecycle.PROBES,
    "coherence": coherence.PROBES,
    "echo": echo.PROBES,
    "idempotency": idempotency.PROBES,
    "isolation": isolation.PROBES,
}
