"""
The log of this package: `logging.getLogger("siliconflow_batch")`.

Rule 1: it says what is repeated, why, and after how long; and what becomes of a creation in doubt.
Rule 2: it has no key and no query of a URL.
Rule 3: characters that no terminal should get, from texts of the service, are escaped.
Rule 4: the package prints nothing by itself; retries reach no other log.
"""

import logging
from typing import TYPE_CHECKING, Any

from ..errors import SiliconFlowError

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

OWN = "<context block>"  # what stamina calls a block; a program's own retries name a function
log = logging.getLogger("siliconflow_batch")
log.addHandler(logging.NullHandler())


def _escape(record: logging.LogRecord) -> bool:
    """A filter that passes every record, with its unprintable characters escaped."""
    text = record.getMessage()
    if not text.isprintable():
        escaped = (one if one.isprintable() else ascii(one)[1:-1] for one in text)
        record.msg, record.args = "".join(escaped), ()
    return True


log.addFilter(_escape)


class _Hook:
    """A hook of stamina that logs the retries of this package, and passes on all others."""

    def __init__(self, others: tuple[Any, ...]) -> None:
        self._others = others

    def __call__(self, details: "RetryDetails") -> None:
        if details.name != OWN or not isinstance(details.caused_by, SiliconFlowError):
            for hook in self._others:
                hook(details)
            return
        reason = str(details.caused_by).partition("\n")[0]
        log.warning("%s; trying again in %.1f s", reason, details.wait_for)


def log_retries() -> None:
    """Makes stamina log the retries of this package here."""
    from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks

    hooks = get_on_retry_hooks()
    if not any(isinstance(hook, _Hook) for hook in hooks):
        set_on_retry_hooks([_Hook(hooks)])
