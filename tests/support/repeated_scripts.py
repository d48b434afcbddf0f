"""
Whether the scripts of a fault's failures distinguish it from a sound simulator.
"""

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from siliconflow_batch_conformance.repro.script import script
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.verdicts import Run
from siliconflow_batch_simulator import Pace, Simulator

KEYS = ("sk-conformance", "sk-stranger")
QUICK = Pace(queued=0.1, running=0.1, finalizing=0.1, cancelling=0.1)
SLOW = Pace(queued=2, running=2, finalizing=2, cancelling=2)
ENVIRONMENT = {
    "SILICONFLOW_API_KEY": KEYS[0],
    "SILICONFLOW_API_KEY_2": KEYS[1],
    "SILICONFLOW_TRIES": "28",  # requests for a batch, in about 15 seconds
    "PYTHON": sys.executable,  # a shim on the PATH may be ten times slower
}
Scripts = tuple[tuple[str, str], ...]


def scripts(run: Run, failed: list[str]) -> Scripts:
    """A script for each failed requirement, from its failure with the shortest story."""
    shortest = {
        id: min(run.verdicts[id].failures, key=lambda failure: len(failure.story)) for id in failed
    }
    return tuple((id, script(load()[id], shortest[id], run.target)) for id in failed)


def repeat(fault: str, scripts: Scripts) -> str:
    """
    Runs the scripts until one exits with 1 on the fault and with 0 on a sound simulator.

    Returns `yes`, with the requirement unless it is the first one, and with a note if only a quick
    simulator gave the result. If no script succeeds, returns the exit statuses of the first.
    """
    first = ""
    for (id, text), pace in itertools.product(scripts, (SLOW, QUICK)):
        statuses = [_status(text, faults, pace) for faults in ((fault,), ())]
        if statuses == [1, 0]:
            by = "" if id == scripts[0][0] else f", by {id}"
            return f"yes{by}{', when quick' if pace is QUICK else ''}"
        first = first or f"{statuses[0]}, {statuses[1]}"
    return first


def _status(text: str, faults: tuple[str, ...], pace: Pace) -> int:
    with (
        Simulator(keys=KEYS, faults=faults, pace=pace) as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "repro.sh"
        path.write_text(text, encoding="utf-8")
        return subprocess.run(  # noqa: S603 - a generated script
            ["/bin/sh", str(path), simulator.base_url],
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            check=False,
        ).returncode
