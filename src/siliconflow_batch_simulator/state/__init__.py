"""What the simulator remembers: files, batches, and the time."""
