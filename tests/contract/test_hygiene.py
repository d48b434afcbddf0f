from siliconflow_batch_conformance.cases.test_hygiene import *  # noqa: F403
