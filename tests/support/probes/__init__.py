"""
A probe for each fault: it holds at a sound service, and does not hold with the defect.

Rule: a probe gets two accounts and speaks plain HTTP; which faults are on it does not know.
"""

from support.probes import (
    probe_coherence,
    probe_echo,
    probe_idempotency,
    probe_isolation,
    probe_lifecycle,
    probe_limits,
    probe_paging,
    probe_wire,
)

PROBES = {
    "wire": probe_wire.PROBES,
    "limits": probe_limits.PROBES,
    "paging": probe_paging.PROBES,
    "lifecycle": probe_lifecycle.PROBES,
    "coherence": probe_coherence.PROBES,
    "echo": probe_echo.PROBES,
    "idempotency": probe_idempotency.PROBES,
    "isolation": probe_isolation.PROBES,
}
