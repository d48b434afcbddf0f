"""The fixtures and the hooks of the suite's cases."""

from siliconflow_batch_conformance.cases.conftest import *  # noqa: F403
from siliconflow_batch_conformance.cases.conftest import _observed  # noqa: F401
