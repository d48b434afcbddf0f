"""
A probe for each fault: it is true for the simulator, and false with the fault.

Rule: a probe gets two accounts and sends plain HTTP; it does not know which faults are active.
"""

from support.probes import (
    probe_coherence,
    probe_echo,
    probe_idempotency,
    probe_isolation,
    probe_lifecycle,
    probe_limits,
    probe_paging,
    probe_values,
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
    "values": probe_values.PROBES,
}
