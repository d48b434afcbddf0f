"""
Generates the client in `generated/` from `openapi.yaml` with openapi-python-client.

Rule 1: `generated/` contains the generator's output and the `py.typed` marker, nothing else.
Rule 2: a generator warning is an error, because the generator skips what it warns about.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "siliconflow_batch_api"
GENERATED = ROOT / "generated"


def generate(folder: Path) -> None:
    """
    Replace the content of `folder` with a newly generated package.

    Raises `CalledProcessError` and leaves `folder` unchanged when the generator warns or fails.
    """
    bin_folder = str(Path(sys.executable).parent)
    # The generator's post hooks run `ruff` from PATH.
    environment = {**os.environ, "PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")])}
    with tempfile.TemporaryDirectory() as temporary_folder:
        package = Path(temporary_folder) / PACKAGE
        subprocess.run(  # noqa: S603 - a fixed command
            [
                *(str(Path(bin_folder) / "openapi-python-client"), "generate"),
                *("--path", str(ROOT / "openapi.yaml")),
                *("--config", str(ROOT / "generator-config.yml")),
                *("--output-path", str(package)),
                *("--meta", "none", "--fail-on-warning"),
            ],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        # The generator writes this marker only together with packaging files (PEP 561).
        (package / "py.typed").touch()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(package, folder / PACKAGE)


if __name__ == "__main__":
    try:
        generate(GENERATED)
    except subprocess.CalledProcessError as error:
        sys.exit(f"openapi-python-client failed on openapi.yaml: {error}. generated/ is unchanged.")
