"""`siliconflow-batch conformance`, in this process or in one of its own."""

import contextlib
import io
import os
import signal
import subprocess
from collections.abc import Iterator
from unittest import mock

from siliconflow_batch_conformance.command import main

from .shell import SCRIPT


def conformance(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command from a folder outside of the checkout, without the user's keys."""
    return subprocess.run(  # noqa: S603 - the installed script
        [SCRIPT, "conformance", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**_without_settings(), **environment},
    )


def conformance_here(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in this process; the result is that of `conformance`."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {**_without_settings(), **environment}, clear=True),
        contextlib.chdir("/"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _restored_signal(signal.SIGTERM),
    ):
        status = main(arguments)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def _without_settings() -> dict[str, str]:
    kept = ("SILICONFLOW_STATE",)  # the folder of journals, which the tests choose
    return {
        name: text for name, text in os.environ.items() if "SILICONFLOW" not in name or name in kept
    }


@contextlib.contextmanager
def _restored_signal(number: signal.Signals) -> Iterator[None]:
    before = signal.getsignal(number)
    try:
        yield
    finally:
        signal.signal(number, before)
