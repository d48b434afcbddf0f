"""A run and its own recording: what the traffic alone can tell, both tell alike."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from siliconflow_batch_conformance import har
from siliconflow_batch_conformance.judging import judge_recorded, selected
from siliconflow_batch_conformance.verdicts import NOT_JUDGED

CODE = "import sys; from siliconflow_batch.command import main; sys.exit(main())"
FAMILIES = ["CREATE", "BATCH", "TIME", "COUNT", "CANCEL", "RESULT", "AUTH"]


@pytest.mark.parametrize("fault", ["", "metadata-lost", "cancel-finished", "any-key"])
def test_a_run_and_its_recording_agree(tmp_path: Path, fault: str) -> None:
    """Each requirement that a recording can tell of has the verdict of the run."""
    recording, report = tmp_path / "run.har", tmp_path / "report"
    only = [word for family in FAMILIES for word in ("--only", family)]
    files = ["--record", str(recording), "--report", str(report)]
    broken = ["--fault", fault] if fault else []
    kept = {name: text for name, text in os.environ.items() if "SILICONFLOW" not in name}
    subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-c", CODE, "conformance", *only, *files, *broken],
        check=False,
        capture_output=True,
        cwd="/",
        env=kept,
    )

    (run,) = json.loads((report / "report.json").read_text(encoding="utf-8"))["runs"]
    live = {id: verdict["outcome"] for id, verdict in run["verdicts"].items()}
    told = {
        id: verdict.outcome
        for id, verdict in judge_recorded(
            har.read(recording), run["target"], selected(FAMILIES)
        ).verdicts.items()
        if verdict.outcome != NOT_JUDGED
    }
    assert {id: live[id] for id in told} == told
    assert len(told) > 30
    assert ("fails" in told.values()) is bool(fault)
