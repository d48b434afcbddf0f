from siliconflow_batch_conformance.cases.test_list import *  # noqa: F403
