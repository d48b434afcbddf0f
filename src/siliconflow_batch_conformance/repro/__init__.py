"""Scripts that repeat one failure."""
