"""What importing the client costs others."""

import subprocess
import sys

import pytest


def test_importing_the_client_loads_what_it_needs_alone() -> None:
    """No server, no test tool and no command line comes with it."""
    code = (
        "import sys, attrs, httpx; before = {*sys.modules}; "
        "from siliconflow_batch import SiliconFlowBatch, AsyncSiliconFlowBatch; import stamina; "
        "print({name.partition('.')[0] for name in {*sys.modules} - before}"
        " - {*sys.stdlib_module_names})"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    own = {"siliconflow_batch", "siliconflow_batch_api"}
    small = {"stamina", "tenacity", "msgspec", "sniffio", "typing_extensions"}
    assert own <= eval(done.stdout) <= own | small  # noqa: S307


def test_threads_do_not_wait_for_event_loops() -> None:
    """Who uses the client for threads loads neither asyncio nor the library of retries."""
    code = "import sys; from siliconflow_batch import SiliconFlowBatch; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert not {"asyncio", "stamina"} & set(done.stdout.split())


def test_names_that_are_not_there_are_told() -> None:
    """A mistyped import is an ImportError, as of any module."""
    with pytest.raises(ImportError, match="SiliconFlowBach"):
        from siliconflow_batch import SiliconFlowBach  # noqa: F401
