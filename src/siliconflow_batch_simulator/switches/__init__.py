"""Variants and faults for single requests: rules, the X-Simulate header, control endpoints."""
