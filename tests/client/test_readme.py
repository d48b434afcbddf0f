"""The README's examples, run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_simulator import Clock, Simulator
from siliconflow_batch_simulator.faults import FAULTS
from siliconflow_batch_simulator.switches.variants import VARIANTS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMAND_LINE = README.partition("## The command line\n")[2].partition("\n## ")[0]
SHELL_EXAMPLES = re.findall(r"```sh\n(.*?)```", COMMAND_LINE, re.DOTALL)
LINE = (
    '{"custom_id": "a", "body": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}}\n'
)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever copies an example has a working program."""
    (tmp_path / "prompts.jsonl").write_text(LINE)
    monkeypatch.chdir(tmp_path)
    with Simulator(clock=Clock(speed=100)) as simulator:
        monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-simulator")
        monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)

        names: dict[str, Any] = {}
        exec(example, names)  # noqa: S102 - the example is ours
        if "test_my_pipeline" in names:
            names["test_my_pipeline"](simulator)


@pytest.mark.parametrize("example", SHELL_EXAMPLES, ids=range(len(SHELL_EXAMPLES)))
def test_a_shell_example_runs(example: str, site: Simulator) -> None:
    """Every line of it succeeds, at a service whose batches take no time."""
    site.pace.queued = site.pace.running = site.pace.finalizing = 0
    Path("prompts.jsonl").write_text(LINE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(  # noqa: S603 - the example is ours
        ["bash", "-euo", "pipefail", "-c", example],  # noqa: S607
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "answers" not in example or any(Path().glob("answers*"))


def test_the_numbers_of_bad_days_are_true() -> None:
    """CHANGELOG counts what the catalogues hold."""
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()

    assert f"{len(VARIANTS)} legal\n  variants, {len(FAULTS)} deliberate faults" in changelog
    assert f"{len(load())} requirements" in changelog


def test_the_number_of_corrections_is_true() -> None:
    """README and CHANGELOG count what the ledger holds."""
    root = Path(__file__).parents[2]
    entries = re.findall(
        r"^  - id: ", (root / "contract" / "corrections.yaml").read_text(), re.MULTILINE
    )

    assert f"[{len(entries)} places]" in README
    assert f"{len(entries)} mistakes" in (root / "CHANGELOG.md").read_text()
