"""Creations: each makes one batch, even if its response is lost."""
