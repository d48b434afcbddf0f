"""
The client, written by openapi-python-client from `openapi.yaml`.

Rule 1: `generated/` holds what the generator wrote and nothing else: it is removed first.
Rule 2: a warning of the generator is a failure, for it drops what it does not understand.
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
    Writes the package into `folder`, in place of what stood there.

    Raises `CalledProcessError` when the generator warns or fails; `folder` is then as it was.
    """
    binaries = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([binaries, os.environ.get("PATH", "")])}
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / PACKAGE
        subprocess.run(  # noqa: S603 - a fixed command
            [
                *(str(Path(binaries) / "openapi-python-client"), "generate"),
                *("--path", str(ROOT / "openapi.yaml")),
                *("--config", str(ROOT / "generator-config.yml")),
                *("--output-path", str(fresh)),
                *("--meta", "none", "--fail-on-warning"),
            ],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fresh, folder / PACKAGE)


if __name__ == "__main__":
    try:
        generate(GENERATED)
    except subprocess.CalledProcessError as error:
        sys.exit(f"openapi-python-client refused openapi.yaml: {error}. generated/ is unchanged.")
