"""The cases: pytest modules that `siliconflow-batch conformance` runs against a service."""
