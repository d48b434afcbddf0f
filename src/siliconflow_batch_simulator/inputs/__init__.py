"""What callers send: the body of a creation, and input files."""
