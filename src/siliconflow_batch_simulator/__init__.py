"""
The SiliconFlow Batch API on your machine.

The simulator keeps state, checks input, runs batches and writes result files as the vendor's
documents describe; docs/assumptions.md lists what they leave open. To read the code, follow the
layers from the bottom up; each imports only from those above it in this list:

- `hooks`: methods that can be replaced for one request
- `files/`: `inspection` of input files, `storage` on disk
- `batches/`: `lifecycle` (the statuses), `completions` (result lines), `execution`
- `service/`: `batch_request` (the body of a creation), `refusals`, `input_check`, `clock`,
  `database`, `service` (the operations), `backend` (a model server that answers the lines)
- `http/`: `request_bodies`, `app` (the ASGI application), `traffic` (the log), `serving` (uvicorn)
- `switches/`: `switchboard` (the rules), `altering`, `switch` (applies them), `admin` (the control
  endpoints)
- `variants/`: the alternatives of contract/assumptions.yaml, and bad days
- `faults/`: one table for each class of defects
- `server` (a socket and a thread), `launcher` (the command), `pytest_plugin` (the fixture)

    from siliconflow_batch_simulator import Simulator
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batches.lifecycle import Pace
    from .server import DEFAULT_KEY, Simulator
    from .service.backend import Backend
    from .service.clock import Clock
    from .switches.switchboard import Rule

__all__ = ["DEFAULT_KEY", "Backend", "Clock", "Pace", "Rule", "Simulator"]

_MODULES = {
    "Backend": ".service.backend",
    "Clock": ".service.clock",
    "DEFAULT_KEY": ".server",
    "Pace": ".batches.lifecycle",
    "Rule": ".switches.switchboard",
    "Simulator": ".server",
}


def __getattr__(name: str) -> Any:
    """Imports the server on first use, because every pytest run imports this package."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name], __name__), name)
