"""What recorded traffic says about the open questions of `assumptions.yaml`."""
