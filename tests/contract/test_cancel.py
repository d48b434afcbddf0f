from siliconflow_batch_conformance.cases.test_cancel import *  # noqa: F403
