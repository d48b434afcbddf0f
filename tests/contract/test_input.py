from siliconflow_batch_conformance.cases.test_input import *  # noqa: F403
