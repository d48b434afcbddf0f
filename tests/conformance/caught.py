"""
Which faults of the simulator the suite catches, and by which requirement: `make faults`.

Each fault is switched on alone in a simulator of its own, and the suite's core is run against it;
so are the legal variants, and the sound simulator with many seeds, where nothing may be found. The
table goes to FAULTS.md. Exit status 1 where a bar is missed.
"""

import contextlib
import io
import time
from pathlib import Path

from attrs import define

from siliconflow_batch_conformance.command import judge
from siliconflow_batch_conformance.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS, Run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "FAULTS.md"
SEEDS = range(1, 21)
OVERALL, PER_CLASS, MEDIAN = 0.95, 0.90, 2
# A variant that makes every request fail says nothing; these are on for a few requests alone.
PASSING = {"slow": 0.02}


@define(frozen=True)
class Outcome:
    """What a run found: the requirements that failed, and what it cost."""

    name: str
    failed: list[str]
    requests: int
    seconds: float
    reproduced: str = ""


def run(name: str, faults: tuple[str, ...], seed: int = 1) -> tuple[Outcome, Run]:
    began = time.monotonic()
    with Rig.simulated(faults) as rig, contextlib.redirect_stdout(io.StringIO()):
        found = judge(rig, seed, strict=True, core=True).run()
    failed = [id for id, verdict in found.verdicts.items() if verdict.outcome == FAILS]
    return Outcome(name, failed, found.requests, time.monotonic() - began), found
