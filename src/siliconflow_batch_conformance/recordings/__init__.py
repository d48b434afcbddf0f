"""Recorded traffic: HAR files, read and written."""
