"""`siliconflow-batch conformance` in a process of its own."""

import os
import subprocess

from .shell import SCRIPT


def conformance(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as its users do, from a folder that is not the checkout."""
    kept = {name: text for name, text in os.environ.items() if "SILICONFLOW" not in name}
    return subprocess.run(  # noqa: S603 - our own module
        [SCRIPT, "conformance", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**kept, **environment},
    )
