"""The examples of docs/simulator.md run."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from siliconflow_batch_simulator.faults import FAULTS
from siliconflow_batch_simulator.launcher import read_rules
from siliconflow_batch_simulator.variants import VARIANTS
from support.account import Account

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_python_examples_pass(tmp_path: Path) -> None:
    """Examples with a test pass under pytest; the others run as scripts."""
    examples = blocks("python")
    for number, example in enumerate(examples):
        is_test = "def test_" in example
        (tmp_path / f"{'test_' if is_test else 'plain_'}{number}.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603
    plain = [
        subprocess.run([sys.executable, path], capture_output=True, check=False).returncode  # noqa: S603
        for path in tmp_path.glob("plain_*.py")
    ]

    tests = sum("def test_" in example for example in examples)
    assert f"{tests} passed" in done.stdout, done.stdout
    assert plain == [0] * (len(examples) - tests)


@pytest.mark.parametrize("example", blocks("toml"))
def test_the_rules_file_is_valid(example: str, tmp_path: Path, api: Account) -> None:
    """The command can read the rules file on the page."""
    (tmp_path / "rules.toml").write_text(example)

    for rule in read_rules(tmp_path / "rules.toml"):
        api.simulator.faults.add(rule.name, rule.operation, rule.times, rule.rate)

    assert len(api.simulator.faults.rules) == len(tomllib.loads(example)["rule"])


@pytest.mark.parametrize("example", blocks("json"))
def test_the_failing_line_fails(example: str, api: Account) -> None:
    """A line with `simulate` fails with the requested status and message."""
    batch = api.advance(api.create(example.encode()).json()["id"], seconds=2)

    (record,) = api.records(batch["error_file_id"])
    assert record["response"]["status_code"] == 503
    assert record["response"]["body"]["message"] == "busy"


def test_the_names_on_the_page_exist() -> None:
    """Every variant and fault that the page names exists."""
    names = set(re.findall(r'(?:add\(|name(?:"|): |name = )"([a-z-]+)"', PAGE))

    assert names
    assert names <= {*VARIANTS, *FAULTS}
