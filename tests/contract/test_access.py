from siliconflow_batch_conformance.cases.test_access import *  # noqa: F403
