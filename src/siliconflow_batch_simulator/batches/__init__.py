"""A batch: its statuses, how it runs, and what its lines are answered with."""
