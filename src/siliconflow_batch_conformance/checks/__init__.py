"""
The oracle: pure functions that take exchanges and return why a requirement does not hold, or None.

Rule: nothing but the standard library, because scripts that repeat a failure carry these modules.
"""
