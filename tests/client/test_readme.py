"""The examples and the numbers in README and CHANGELOG are correct."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.ledger import read_ledger
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_simulator import Clock, Simulator
from siliconflow_batch_simulator.faults import FAULTS
from siliconflow_batch_simulator.variants import VARIANTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
PYTHON_EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMAND_LINE = README.partition("## The command line\n")[2].partition("\n## ")[0]
SHELL_EXAMPLES = re.findall(r"```sh\n(.*?)```", COMMAND_LINE, re.DOTALL)
LINE = (
    '{"custom_id": "a", "body": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}}\n'
)


@pytest.mark.parametrize("example", PYTHON_EXAMPLES, ids=range(len(PYTHON_EXAMPLES)))
def test_python_example_runs(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Python example is a working program."""
    (tmp_path / "prompts.jsonl").write_text(LINE)
    monkeypatch.chdir(tmp_path)
    with Simulator(clock=Clock(speed=100)) as simulator:
        monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-simulator")
        monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)

        namespace: dict[str, Any] = {}
        exec(example, namespace)  # noqa: S102 - our own example
        if "test_my_pipeline" in namespace:
            namespace["test_my_pipeline"](simulator)


@pytest.mark.parametrize("example", SHELL_EXAMPLES, ids=range(len(SHELL_EXAMPLES)))
def test_shell_example_runs(example: str, site: Simulator) -> None:
    """Every line of a shell example succeeds against a simulator whose batches finish at once."""
    site.pace.queued = site.pace.running = site.pace.finalizing = 0
    Path("prompts.jsonl").write_text(LINE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    result = subprocess.run(  # noqa: S603 - our own example
        ["bash", "-euo", "pipefail", "-c", example],  # noqa: S607
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert "answers" not in example or any(Path().glob("answers*"))


def test_numbers_of_behaviours_and_requirements() -> None:
    """CHANGELOG has the numbers of variants, faults and requirements."""
    assert f"{len(VARIANTS)} legal\n  variants, {len(FAULTS)} deliberate faults" in CHANGELOG
    assert f"{len(load())} requirements" in CHANGELOG


def test_number_of_corrections() -> None:
    """README and CHANGELOG have the number of entries in corrections.yaml."""
    entries = read_ledger().entries

    assert f"[{len(entries)} places]" in README
    assert f"{len(entries)} mistakes" in CHANGELOG
