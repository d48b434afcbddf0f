"""
mypy and pyright check programs against the installed wheel.

programs/right_uses.py has no errors. In programs/wrong_uses.py the marked lines have the errors
that their marks name, and no other line has any.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.installation import Environment, clean_variables

PROGRAMS = Path(__file__).parent / "programs"
MARK = re.compile(r"  # wrong: (?P<mypy>[\w-]+), (?P<pyright>\w+)$")

# The error codes of each line that has errors.
Errors = dict[int, set[str]]
Checker = Callable[[Environment, str], Errors]


def run_checker(environment: Environment, program: str, *arguments: str | Path) -> str:
    """The checkers belong to this environment; they look for imports in the other one."""
    shutil.copy(PROGRAMS / program, environment.work_folder)
    result = subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-m", *arguments, program],
        cwd=environment.work_folder,
        env=clean_variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode in (0, 1), result.stdout + result.stderr
    return result.stdout


def mypy(environment: Environment, program: str) -> Errors:
    arguments = ("--strict", "--no-incremental", "--output=json")
    output = run_checker(
        environment, program, "mypy", *arguments, "--python-executable", environment.python
    )
    errors: Errors = {}
    lines = [line for line in output.splitlines() if line.startswith("{")]
    for message in map(json.loads, lines):
        if message["severity"] == "error":
            errors.setdefault(message["line"], set()).add(message["code"])
    return errors


def pyright(environment: Environment, program: str) -> Errors:
    output = run_checker(
        environment, program, "pyright", "--outputjson", "--pythonpath", environment.python
    )
    errors: Errors = {}
    for message in json.loads(output)["generalDiagnostics"]:
        if message["severity"] == "error":
            line = message["range"]["start"]["line"] + 1
            errors.setdefault(line, set()).add(message.get("rule", message["message"]))
    return errors


def marked_errors(program: str, checker: str) -> Errors:
    lines = (PROGRAMS / program).read_text(encoding="utf-8").splitlines()
    marks = ((number, MARK.search(line)) for number, line in enumerate(lines, 1))
    return {number: {mark[checker]} for number, mark in marks if mark}


@pytest.mark.parametrize("checker", [mypy, pyright])
class TestTypeChecker:
    def test_accepts_right_uses(self, full: Environment, checker: Checker) -> None:
        """The documented uses have no errors, and every `assert_type` holds."""
        assert checker(full, "right_uses.py") == {}

    def test_reports_wrong_uses(self, full: Environment, checker: Checker) -> None:
        """Misspelt attributes and arguments of wrong types are errors, each on its own line."""
        expected = marked_errors("wrong_uses.py", checker.__name__)

        assert checker(full, "wrong_uses.py") == expected
