"""`siliconflow-batch conformance` in a process."""

import os
import subprocess

from .shell import SCRIPT


def conformance(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command from a folder outside of the checkout, without the user's keys."""
    kept = {name: text for name, text in os.environ.items() if "SILICONFLOW" not in name}
    return subprocess.run(  # noqa: S603 - the installed script
        [SCRIPT, "conformance", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**kept, **environment},
    )
