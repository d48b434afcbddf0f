from siliconflow_batch_conformance.cases.test_life import *  # noqa: F403
