"""The connection to the service under test: sending, budget, journal, clean-up."""
