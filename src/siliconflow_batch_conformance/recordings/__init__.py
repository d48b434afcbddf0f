"""Recorded traffic: reading and writing HAR files."""
