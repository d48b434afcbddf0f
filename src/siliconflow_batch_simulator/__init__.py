"""
The SiliconFlow Batch API on your machine.

Keeps state, checks input, runs batches and writes result files, as the vendor's documents describe
it; docs/assumptions.md lists what they leave open. Read in this order: `lifecycle` (the statuses),
`lines` and `answers` (what goes in and comes out), `execution` (a batch runs), `service` (the seven
operations), `app` (HTTP), `variants` and `faults` (bad days), `server` (a socket).

    from siliconflow_batch_simulator import Simulator
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batches.backend import Backend
    from .batches.lifecycle import Pace
    from .server import DEFAULT_KEY, Simulator
    from .state.clock import Clock
    from .switches.switchboard import Rule

__all__ = ["DEFAULT_KEY", "Backend", "Clock", "Pace", "Rule", "Simulator"]

_HOMES = {
    "Backend": ".batches.backend",
    "Clock": ".state.clock",
    "DEFAULT_KEY": ".server",
    "Pace": ".batches.lifecycle",
    "Rule": ".switches.switchboard",
    "Simulator": ".server",
}


def __getattr__(name: str) -> Any:
    """Loads the server when it is asked for: the pytest plugin lives here and must stay light."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
