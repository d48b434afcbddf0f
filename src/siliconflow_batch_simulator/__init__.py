"""
The SiliconFlow Batch API on your machine.

Keeps state, checks input, runs batches and writes result files, as the vendor's documents describe
it; ASSUMPTIONS.md lists what they leave open. Read in this order: `lifecycle` (the statuses),
`lines` and `answers` (what goes in and comes out), `execution` (a batch runs), `service` (the seven
operations), `app` (HTTP), `server` (a socket).

    from siliconflow_batch_simulator import Simulator
"""

from .clock import Clock
from .lifecycle import Pace
from .server import DEFAULT_KEY, Simulator

__all__ = ["DEFAULT_KEY", "Clock", "Pace", "Simulator"]
