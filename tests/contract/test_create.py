from siliconflow_batch_conformance.cases.test_create import *  # noqa: F403
