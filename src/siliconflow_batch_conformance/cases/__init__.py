"""The cases: what is asked of a service; `siliconflow-batch conformance` runs them."""
