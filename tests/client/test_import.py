"""What importing the client costs others."""

import subprocess
import sys


def test_importing_the_client_loads_what_it_needs_alone() -> None:
    """No server, no test tool and no command line comes with it."""
    code = (
        "import sys, attrs, httpx; before = {*sys.modules}; import siliconflow_batch; "
        "print({name.partition('.')[0] for name in {*sys.modules} - before}"
        " - {*sys.stdlib_module_names})"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    own = {"siliconflow_batch", "siliconflow_batch_api"}
    small = {"stamina", "tenacity", "msgspec", "sniffio", "typing_extensions"}
    assert own <= eval(done.stdout) <= own | small  # noqa: S307
