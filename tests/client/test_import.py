"""The cost of importing the client."""

import subprocess
import sys

import pytest


def test_the_client_imports_its_dependencies_only() -> None:
    """Importing it loads no server, no test tool and no command line."""
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


def test_the_client_for_threads_does_not_import_asyncio() -> None:
    """Importing it loads neither asyncio nor stamina."""
    code = "import sys; from siliconflow_batch import SiliconFlowBatch; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert not {"asyncio", "stamina"} & set(done.stdout.split())


def test_a_misspelt_name_is_an_import_error() -> None:
    """As with any module."""
    with pytest.raises(ImportError, match="SiliconFlowBach"):
        from siliconflow_batch import SiliconFlowBach  # type: ignore[attr-defined] # noqa: F401
