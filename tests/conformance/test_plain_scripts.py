"""The scripts of failures that a status shows: curl alone, and short."""

import subprocess
from pathlib import Path

import pytest

from siliconflow_batch_conformance.repro.script import script
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS
from siliconflow_batch_simulator import Simulator
from support.repeated_scripts import KEYS, QUICK
from support.required_tools import required_tool
from support.script_stories import keys, start_script, write_script

# A fault whose failure a status shows, with the requirement that it violates.
FAULTS = {
    "window-23-taken": "CREATE-8",
    "limit-0-taken": "LIST-7",
    "any-key": "AUTH-2",
    "scheme-any": "AUTH-3",
    "retrieve-shared": "OWNER-1",
    "input-shared": "OWNER-5",
    "unknown-500": "RETRIEVE-2",
    "purpose-any": "UPLOAD-4",
    "put-taken": "HTTP-1",
    "window-336-refused": "CREATE-7",
}


def script_of(fault: str, id: str, capsys: pytest.CaptureFixture[str]) -> str:
    with Rig.simulated((fault,)) as rig, capsys.disabled():
        run = judge(rig, 1, selected([id])).run()
    assert run.verdicts[id].outcome == FAILS
    failures = run.verdicts[id].failures
    return script(load()[id], min(failures, key=lambda one: len(one.story)), run.target)


def result(path: Path, simulator: Simulator) -> tuple[int, str]:
    process = start_script(path, simulator.base_url, PYTHON="no-python", **keys(simulator))
    output, errors = process.communicate()
    return process.returncode, output + errors


@pytest.mark.parametrize(("fault", "id"), FAULTS.items(), ids=FAULTS)
def test_it_repeats_the_failure_without_python(
    fault: str, id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 on the faulty service and 0 on a sound one, in at most 200 lines, without a key."""
    text = script_of(fault, id, capsys)
    path = write_script(text, tmp_path)
    with (
        Simulator(keys=KEYS, faults=(fault,), pace=QUICK) as faulty,
        Simulator(keys=KEYS, pace=QUICK) as sound,
    ):
        results = [result(path, simulator) for simulator in (faulty, sound)]

    assert [status for status, _ in results] == [1, 0], results
    assert len(text.splitlines()) <= 200
    assert not any(key in text + str(results) for key in KEYS)


def test_shellcheck_reports_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither errors nor warnings."""
    path = write_script(script_of("retrieve-shared", "OWNER-1", capsys), tmp_path)

    command = [required_tool("shellcheck"), "--shell=sh", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    assert (done.stdout, done.returncode) == ("", 0)


def test_a_service_that_is_busy_or_refuses_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The result is inconclusive, and says why."""
    path = write_script(script_of("limit-0-taken", "LIST-7", capsys), tmp_path)
    with (
        Simulator(keys=KEYS, faults=("rate-limited",)) as busy,
        Simulator(keys=("sk-of-somebody-else",)) as other,
    ):
        outcomes = [result(path, busy)]
        process = start_script(path, other.base_url, SILICONFLOW_API_KEY=KEYS[0])
        output, errors = process.communicate()
        outcomes.append((process.returncode, output + errors))

    assert [status for status, _ in outcomes] == [2, 2], outcomes
    assert "busy or broken" in outcomes[0][1]
    assert "Check the base URL and the key" in outcomes[1][1]
