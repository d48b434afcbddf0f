"""Programs that some tests need, and that pip does not install."""

import os
import shutil

import pytest

INSTALL = {
    "chromium": "apt-get install chromium shellcheck",
    "shellcheck": "apt-get install chromium shellcheck",
    "node": "https://nodejs.org/",
    "npm": "https://nodejs.org/",
}


def required_tool(*names: str) -> str:
    """
    The path of the first of these programs on the PATH.

    Without one the test is skipped, or fails if the environment variable CI is set.
    """
    for name in names:
        if path := shutil.which(name):
            return path
    message = (
        f"{' or '.join(names)} is not on the PATH. Install it: {INSTALL.get(names[0], names[0])}"
    )
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
