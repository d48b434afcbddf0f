"""One batch: its lifecycle, its result lines, and how its lines are processed."""
