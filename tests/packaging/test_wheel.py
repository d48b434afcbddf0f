"""
The built wheel in new environments: its files, its modules, its console script.
"""

import re
from importlib.metadata import PathDistribution
from pathlib import Path
from zipfile import Path as ZipPath
from zipfile import ZipFile

import pytest

from support.installation import Environment

PROGRAMS = Path(__file__).parent / "programs"
PACKAGES = (
    "siliconflow_batch",
    "siliconflow_batch_api",
    "siliconflow_batch_conformance",
    "siliconflow_batch_simulator",
)
PIPELINE = """
def test_pipeline(siliconflow_simulator):
    assert siliconflow_simulator.base_url.endswith("/v1")
"""


class TestContent:
    def test_is_the_four_packages(self, wheel: Path) -> None:
        """The wheel installs four packages and no tests, tools or documents."""
        folders = {name.partition("/")[0] for name in ZipFile(wheel).namelist()}

        assert {name for name in folders if not name.endswith(".dist-info")} == set(PACKAGES)

    @pytest.mark.parametrize("package", PACKAGES)
    def test_is_typed(self, wheel: Path, package: str) -> None:
        """Each package has the `py.typed` marker."""
        assert f"{package}/py.typed" in ZipFile(wheel).namelist()

    def test_requires_four_packages(self, wheel: Path) -> None:
        """Without extras, the wheel requires attrs, httpx, msgspec and stamina."""
        (metadata,) = (
            folder for folder in ZipPath(wheel).iterdir() if folder.name.endswith(".dist-info")
        )
        requirements = PathDistribution(metadata).requires or []

        required = {re.split(r"\W", line)[0] for line in requirements if "extra ==" not in line}
        assert required == {"attrs", "httpx", "msgspec", "stamina"}


class TestBaseInstallation:
    def test_imports(self, base: Environment) -> None:
        """Every module and public name of the client imports without an extra."""
        result = base.run(
            "python",
            PROGRAMS / "import_modules.py",
            *("siliconflow_batch", "siliconflow_batch_api"),
            *("--without", "siliconflow_batch.cli."),
        )

        assert result.returncode == 0, result.stderr
        assert "siliconflow_batch.client" in result.stdout.split()

    def test_console_script_prints_help(self, base: Environment) -> None:
        """`siliconflow-batch --help` needs no extra."""
        result = base.run("siliconflow-batch", "--help")

        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("usage: siliconflow-batch COMMAND")

    @pytest.mark.parametrize(
        ("command", "extra"),
        [("validate", "cli"), ("simulate", "simulator"), ("conformance", "conformance")],
    )
    def test_command_names_its_missing_extra(
        self, base: Environment, command: str, extra: str
    ) -> None:
        """A command whose extra is not installed exits with 2 and prints how to install it."""
        result = base.run("siliconflow-batch", command, "--help")

        assert (result.returncode, result.stdout) == (2, "")
        assert f"pip install 'siliconflow-batch[{extra}]'" in result.stderr

    def test_recording_names_its_missing_extra(self, base: Environment) -> None:
        """Without filelock, whatever uses the state folder names the extra `state`."""
        program = (
            "from siliconflow_batch.errors import ArgumentInvalid\n"
            "from siliconflow_batch.state.submissions import SubmissionFile\n"
            "try: SubmissionFile.open('account', 'name', 'request')\n"
            "except ArgumentInvalid as error: print(error)"
        )

        result = base.run("python", "-c", program)

        assert "pip install 'siliconflow-batch[state]'" in result.stdout


class TestFullInstallation:
    def test_imports(self, full: Environment) -> None:
        """Every module and public name of the four packages imports with all extras."""
        result = full.run("python", PROGRAMS / "import_modules.py", *PACKAGES)

        assert result.returncode == 0, result.stderr

    @pytest.mark.parametrize("command", ["validate", "results", "simulate", "conformance", "facts"])
    def test_command_prints_help(self, full: Environment, command: str) -> None:
        """A command whose extra is installed prints its help."""
        result = full.run("siliconflow-batch", command, "--help")

        assert (result.returncode, result.stderr) == (0, "")
        assert "--help" in result.stdout

    def test_facts_finds_the_assumptions(self, full: Environment) -> None:
        """`conformance --facts` uses the assumptions.yaml in the wheel."""
        file = full.work_folder / "facts.json"

        result = full.run(
            *("siliconflow-batch", "conformance", "--only", "FILES-10", "--facts", str(file))
        )

        assert result.returncode == 0, result.stdout + result.stderr
        assert '"purpose-required"' not in file.read_text(encoding="utf-8")
        assert '"files-purpose"' in file.read_text(encoding="utf-8")

    def test_conformance_command(self, full: Environment) -> None:
        """The suite's own cases pass against the installed simulator."""
        result = full.run("siliconflow-batch", "conformance", "--core")

        assert result.returncode == 0, result.stdout + result.stderr

    def test_conformance_command_finds_the_contract(self, full: Environment) -> None:
        """The cases that schemathesis generates use the openapi.yaml in the wheel."""
        result = full.run("siliconflow-batch", "conformance", "--only", "SCHEMA-1")

        assert result.returncode == 0, result.stdout + result.stderr
        assert "1 of 1 requirements judged" in result.stdout

    def test_cases_run_under_pytest(self, full: Environment) -> None:
        """`pytest --pyargs` collects the suite's cases, and they pass against a simulator."""
        result = full.run(
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--pyargs",
            "siliconflow_batch_conformance.cases",
        )

        assert result.returncode == 0, result.stdout + result.stderr
        assert re.search(r"\b[1-9]\d\d passed", result.stdout)

    def test_pytest_plugin(self, full: Environment) -> None:
        """The fixture `siliconflow_simulator` is available as soon as the wheel is installed."""
        (full.work_folder / "test_pipeline.py").write_text(PIPELINE, encoding="utf-8")

        result = full.run("pytest", "-q", "-p", "no:cacheprovider", "test_pipeline.py")

        assert result.returncode == 0, result.stdout + result.stderr
