"""
Whether the scripts of a fault's failures tell it from a sound simulator.
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
SLOW = Pace(queued=2, running=2, finalizing=2, cancelling=2)  # as scripts are
ENVIRONMENT = {
    "SILICONFLOW_API_KEY": KEYS[0],
    "SILICONFLOW_API_KEY_2": KEYS[1],
    "SILICONFLOW_TRIES": "28",  # looks at a batch: some 15 seconds
    "PYTHON": sys.executable,  # a shim in the PATH may take ten times as long to start
}
Scripts = tuple[tuple[str, str], ...]


def scripts(found: Run, failed: list[str]) -> Scripts:
    """For each requirement that failed the script of its shortest story."""
    shortest = {
        id: min(found.verdicts[id].failures, key=lambda failure: len(failure.story))
        for id in failed
    }
    return tuple((id, script(load()[id], shortest[id], found.target)) for id in failed)


def repeated(fault: str, given: Scripts) -> str:
    """
    `yes` where a script ends with 1 on the fault and with 0 on a sound simulator.

    The first script is tried first, on a service that takes its time; else it is said which one
    did, and that it needed a quick one. Where none did: what the first one said.
    """
    said = ""
    for (id, text), pace in itertools.product(given, (SLOW, QUICK)):
        statuses = [_status(text, faults, pace) for faults in ((fault,), ())]
        if statuses == [1, 0]:
            by = "" if id == given[0][0] else f", by {id}"
            return f"yes{by}{', when quick' if pace is QUICK else ''}"
        said = said or f"{statuses[0]}, {statuses[1]}"
    return said


def _status(text: str, faults: tuple[str, ...], pace: Pace) -> int:
    with (
        Simulator(keys=KEYS, faults=faults, pace=pace) as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "repro.sh"
        path.write_text(text, encoding="utf-8")
        return subprocess.run(  # noqa: S603 - our own script
            ["/bin/sh", str(path), simulator.base_url],
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            check=False,
        ).returncode
