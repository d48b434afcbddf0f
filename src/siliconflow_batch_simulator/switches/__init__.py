"""Behaviours that can be switched on for a request, and the legal variants."""
