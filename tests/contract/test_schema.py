"""What schemathesis derives from openapi.yaml, sent to the simulator."""

from siliconflow_batch_conformance.cases.test_schema import test_operation, test_sequences

__all__ = ["test_operation", "test_sequences"]
