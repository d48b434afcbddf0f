"""The root of the exceptions."""


class SiliconFlowError(Exception):
    """The base class of every exception that this package raises."""
