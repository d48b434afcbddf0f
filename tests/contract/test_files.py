from siliconflow_batch_conformance.cases.test_files import *  # noqa: F403
