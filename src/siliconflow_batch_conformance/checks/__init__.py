"""
The oracle: pure functions that take exchanges and return why a requirement does not hold, or None.

A check's docstring says what was expected; reports print it.

Rule: checks import the standard library and modules of this folder alone, because the scripts that
repeat a failure carry them. They read no clock and do no input or output.
"""

from collections.abc import Callable

Check = Callable[..., str | None]
