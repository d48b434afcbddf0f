from siliconflow_batch_conformance.cases.test_observed import *  # noqa: F403
